#include "replay/spread.h"

static double ms_since_first(const struct captured_message *captured, size_t piece)
{
	const struct record_time first = captured->pieces[0].time;
	const struct record_time time = captured->pieces[piece].time;

	return (double)(time.seconds - first.seconds) * 1000 +
	       (double)(time.nanos - first.nanos) / 1000000;
}

static size_t cut_at(const struct captured_message *captured, size_t piece, size_t len,
		     bool body_is_kept)
{
	size_t end = captured->pieces[piece].end, rest = captured->len - MIN(end, captured->len);

	if (body_is_kept)
		return rest < len ? len - rest : 0;
	return (size_t)((double)len * (double)end / (double)captured->len);
}

/* Less than gap_ms behind the last is as good as together. */
static void add_part(struct target_part *parts, size_t *count, size_t end, int64_t due_ms,
		     int64_t gap_ms)
{
	struct target_part *last = *count > 0 ? &parts[*count - 1] : NULL;

	if (last && end <= last->end)
		return;
	if (last && (due_ms < last->due_ms + gap_ms || *count == SPREAD_PARTS_MOST))
		last->end = end;
	else if (end > 0)
		parts[(*count)++] = (struct target_part){end, due_ms};
}

size_t spread_parts(const struct captured_message *captured, size_t len, bool body_is_kept,
		    double speedup, int64_t due_ms, int64_t now_ms, struct target_part *out)
{
	size_t count = 0;
	double whole, scale;
	int64_t gap_ms;

	if (captured->piece_count < 2 || captured->len == 0)
		return 0;
	whole = ms_since_first(captured, captured->piece_count - 1) / speedup;
	if (!(whole >= SPREAD_LEAST_MS) || due_ms + (int64_t)MIN(whole, SPREAD_MOST_MS) <= now_ms)
		return 0;
	gap_ms = MAX((int64_t)SPREAD_LEAST_MS,
		     (int64_t)(MIN(whole, SPREAD_MOST_MS) / SPREAD_PARTS_MOST) + 1);
	scale = (whole > SPREAD_MOST_MS ? SPREAD_MOST_MS / whole : 1) / speedup;
	for (size_t i = 0; i < captured->piece_count; i++) {
		double away = MAX(ms_since_first(captured, i) * scale, 0.0);

		add_part(out, &count, cut_at(captured, i, len, body_is_kept),
			 due_ms + (int64_t)MIN(away, SPREAD_MOST_MS), gap_ms);
	}
	/* A head that has grown on the way belongs to the first part. */
	if (count > 0)
		out[count - 1].end = len;
	return count > 1 ? count : 0;
}
