/* Says in the log itself that requests went on without a record: a connection of its own, with one
 * exception that begins with RECORD_GAP_PREFIX, as soon as the sink takes records again. Belongs to
 * one thread. */
#ifndef CAPTURE_GAP_MARKER_H
#define CAPTURE_GAP_MARKER_H

#include "capture/recorder.h"

struct gap_marker {
	uint64_t noted;   /* gaps in no stored mark */
	uint64_t marking; /* those of the mark that is under way */
	struct record_time first, last;
	char reason[200];
	bool under_way;
	int64_t tried_ms;
	struct recorder recorder;
};

void gap_marker_note(struct gap_marker *m, struct record_time now, const char *reason);
/* Whether a mark is to be begun now. */
bool gap_marker_is_due(const struct gap_marker *m, int64_t now_ms);
/* `options` name a connection that nothing else uses, and no owner. */
void gap_marker_begin(struct gap_marker *m, const struct recorder_options *options, int64_t now_ms);
/* Takes in what became of the mark. Call it often. */
void gap_marker_settle(struct gap_marker *m);

#endif
