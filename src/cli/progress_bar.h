/* What a run has done so far, on standard error while it goes on: a line drawn again and again on a
 * terminal, log lines elsewhere. */
#ifndef CLI_PROGRESS_BAR_H
#define CLI_PROGRESS_BAR_H

#include "backfill/progress.h"
#include "base/buf.h"

struct progress_bar;

/* Starts a thread that shows `progress` (borrowed until stopped) until progress_bar_stop. `mode` is
 * "auto" (a bar on a terminal, else a log line every ten seconds), "always" (the bar, line by line
 * where there is no terminal) or "never". */
struct progress_bar *progress_bar_start(const struct progress *progress, const char *mode);
/* As that, of `work` ("backfill", "verify") in log lines. */
struct progress_bar *progress_bar_start_of(const char *work, const struct progress *progress,
					   const char *mode);
/* Shows where it ended and frees it. Accepts NULL. */
void progress_bar_stop(struct progress_bar *bar);

/* One reading of the counters. */
struct progress_sample {
	int64_t time_ms;      /* monotonic */
	uint64_t bytes_total; /* of stored fields */
	uint64_t bytes_done;  /* of these: read, and their documents answered for */
	uint64_t documents, failed, retries;
	uint64_t jumps; /* as in struct progress */
};

/* The last ten seconds of samples: rates come from these. */
#define PROGRESS_SAMPLES 50
struct progress_history {
	struct progress_sample samples[PROGRESS_SAMPLES];
	size_t count, next; /* next: where the next one goes */
};

/* Starts anew where the counters jumped: what an earlier run did is no pace. */
void progress_history_add(struct progress_history *history, struct progress_sample sample);
/* Per second, over the history; 0 while it is too short to tell. */
double progress_documents_per_second(const struct progress_history *history);
/* Seconds until bytes_total at the pace of the history; -1: not to be told. */
int64_t progress_seconds_left(const struct progress_history *history);
/* Of the bytes read, those whose documents have been answered for: readers run ahead by as much as
 * bulks may wait. */
uint64_t progress_bytes_done(uint64_t bytes_read, uint64_t documents_read,
			     uint64_t documents_answered);
/* Appends the newest sample in words, with a bar where `width` columns leave room for one (0: all
 * the words, no bar). */
void progress_format(struct buf *out, const struct progress_history *history, size_t width);

#endif
