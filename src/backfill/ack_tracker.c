#include "backfill/ack_tracker.h"

#include <stdlib.h>
#include <string.h>

void ack_tracker_init(struct ack_tracker *tracker, int64_t next_doc, const struct doc_range *before,
		      size_t before_count)
{
	*tracker = (struct ack_tracker){.covered = next_doc, .before_count = before_count};
	if (!before_count)
		return;
	tracker->before = mem_alloc(before_count * sizeof(*before));
	memcpy(tracker->before, before, before_count * sizeof(*before));
}

void ack_tracker_release(struct ack_tracker *tracker)
{
	free(tracker->out);
	free(tracker->before);
	*tracker = (struct ack_tracker){0};
}

struct doc_range ack_tracker_add(struct ack_tracker *tracker, int64_t end, bool holds_part)
{
	struct doc_range range = {tracker->covered, end + holds_part};

	if (end < tracker->covered || range.end <= range.first)
		BUG("a bulk covers no document");
	if (tracker->out_count == tracker->out_capacity) {
		tracker->out_capacity = MAX(tracker->out_capacity * 2, (size_t)16);
		tracker->out =
			mem_realloc(tracker->out, tracker->out_capacity * sizeof(*tracker->out));
	}
	tracker->out[tracker->out_count++] = range;
	tracker->covered = end;
	return range;
}

void ack_tracker_acknowledge(struct ack_tracker *tracker, struct doc_range range)
{
	size_t i = 0;

	while (i < tracker->out_count &&
	       (tracker->out[i].first != range.first || tracker->out[i].end != range.end))
		i++;
	if (i == tracker->out_count)
		BUG("a bulk is acknowledged that is not out");
	tracker->out_count--;
	memmove(&tracker->out[i], &tracker->out[i + 1],
		(tracker->out_count - i) * sizeof(*tracker->out));
}

int64_t ack_tracker_next_doc(const struct ack_tracker *tracker)
{
	return tracker->out_count ? tracker->out[0].first : tracker->covered;
}

bool ack_tracker_is_settled(const struct ack_tracker *tracker)
{
	return tracker->out_count == 0;
}

struct ranges {
	struct doc_range *ranges;
	size_t count, most;
	int64_t after; /* what lies before it is not told */
};

/* Ranges come in the order of their beginnings. */
static void put(struct ranges *to, struct doc_range range)
{
	range.first = MAX(range.first, to->after);
	if (range.first >= range.end)
		return;
	if (to->count && to->ranges[to->count - 1].end >= range.first) {
		to->ranges[to->count - 1].end = MAX(to->ranges[to->count - 1].end, range.end);
		return;
	}
	if (to->count < to->most)
		to->ranges[to->count++] = range;
}

/* Between the bulks that are out. */
static struct doc_range gap_behind(const struct ack_tracker *tracker, size_t i)
{
	return (struct doc_range){tracker->out[i].end, i + 1 < tracker->out_count
							       ? tracker->out[i + 1].first
							       : tracker->covered};
}

size_t ack_tracker_ranges(const struct ack_tracker *tracker, struct doc_range *ranges, size_t most)
{
	struct ranges to = {ranges, 0, most, ack_tracker_next_doc(tracker)};
	size_t i = 0, j = 0;

	while (i < tracker->out_count || j < tracker->before_count) {
		bool gap = i < tracker->out_count &&
			   (j == tracker->before_count ||
			    gap_behind(tracker, i).first <= tracker->before[j].first);

		put(&to, gap ? gap_behind(tracker, i++) : tracker->before[j++]);
	}
	return to.count;
}
