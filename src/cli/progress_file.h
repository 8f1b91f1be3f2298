/* What a run has done so far, for other processes: <state>/run/<work>.<pid>.progress, written anew
 * about once a second, gone when the run ends:
 *
 *     {"pid": 12, "start": "ticks since boot", "bytes_done": 1, "bytes_total": 2, "documents": 3}
 */
#ifndef CLI_PROGRESS_FILE_H
#define CLI_PROGRESS_FILE_H

#include "backfill/progress.h"
#include "base/arena.h"

struct progress_file;

/* Starts a thread that writes `progress` (borrowed until stopped). `state_dir` is borrowed. NULL
 * when there can be none: a run without the file is better than no run. */
struct progress_file *progress_file_start(const char *state_dir, const char *work,
					  const struct progress *progress);
/* Removes the file. Accepts NULL. */
void progress_file_stop(struct progress_file *file);
/* Of the process `pid`; NULL: the arena is full. */
const char *progress_file_path(const char *state_dir, const char *work, int64_t pid,
			       struct arena *mem);

#endif
