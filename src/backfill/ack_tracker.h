/* Which documents of a work item are accounted for, when bulks are acknowledged in any order. One
 * thread at a time.
 *
 * A bulk covers a range of Lucene document ids, from where the one before it ended; the ranges that
 * are out are few, as bulks are. All between them is acknowledged. Ranges meet, but for a document
 * that is in several bulks: it is in the range of each. */
#ifndef BACKFILL_ACK_TRACKER_H
#define BACKFILL_ACK_TRACKER_H

#include "base/compiler.h"

/* [first, end) of a shard's document ids. */
struct doc_range {
	int64_t first, end;
};

struct ack_tracker {
	int64_t covered;       /* all before it is in a bulk or was one */
	struct doc_range *out; /* bulks not acknowledged yet, ascending */
	size_t out_count, out_capacity;
	struct doc_range *before; /* acknowledged before a restart, ascending, apart */
	size_t before_count;
};

/* Goes on at `next_doc`, with `before` (copied; may be NULL) behind it acknowledged already. */
void ack_tracker_init(struct ack_tracker *tracker, int64_t next_doc, const struct doc_range *before,
		      size_t before_count);
void ack_tracker_release(struct ack_tracker *tracker);
/* The next bulk covers everything up to `end`, which is above what is covered. Its range.
 * `holds_part`: of document `end` as well, which the next bulk begins with; then `end` may be what
 * is covered, and the document is acknowledged when both are. */
struct doc_range ack_tracker_add(struct ack_tracker *tracker, int64_t end, bool holds_part);
void ack_tracker_acknowledge(struct ack_tracker *tracker, struct doc_range range);
/* The checkpoint: all documents before it are acknowledged. It is where a bulk began or ends. */
int64_t ack_tracker_next_doc(const struct ack_tracker *tracker);
/* Nothing is out. */
bool ack_tracker_is_settled(const struct ack_tracker *tracker);
/* The ranges from next_doc on that are acknowledged too, ascending and apart: at most `most` into
 * `ranges`, their number returned. */
size_t ack_tracker_ranges(const struct ack_tracker *tracker, struct doc_range *ranges, size_t most);

#endif
