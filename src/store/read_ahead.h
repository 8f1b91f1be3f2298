/* Reading ahead: ranges of a remote source are fetched by threads before they are asked for, so
 * that a pass over a file waits for bandwidth and not for round trips. */
#ifndef STORE_READ_AHEAD_H
#define STORE_READ_AHEAD_H

#include "base/bytes_source.h"
#include "base/limits.h"

/* One range in flight, and how many there are at most for one source. */
#define READ_AHEAD_RANGE MIB(1)
#define READ_AHEAD_RANGES 16
/* What one source takes at most. */
#define READ_AHEAD_SOURCE (READ_AHEAD_RANGES * READ_AHEAD_RANGE)
/* Of all sources of the process together, unless read_ahead_set_memory says else; beyond it reads
 * are passed on as they come. */
#define READ_AHEAD_MEMORY (2 * READ_AHEAD_SOURCE)

/* Over `inner`, which it owns from here on. Nothing is fetched before a second read follows the
 * first one without a gap, nothing twice, and nothing beyond the end; a jump forgets what was
 * fetched. Starts with four ranges in flight, and takes four times as many once a reader had to
 * wait.
 *
 * A range is tried once ahead of time; where that fails the reader asks for it itself, with the
 * retries of the source, and gets that error. Closing ends the threads within about a second, also
 * when the server is silent. Any number of threads may read. */
struct bytes_source *read_ahead_new(struct bytes_source *inner);
/* Nothing from `end` on is fetched ahead: the pass is expected to end there. */
void read_ahead_until(struct bytes_source *source, uint64_t end);
/* A pass begins at `offset` for certain: its first ranges are fetched now, as many as there may be.
 */
void read_ahead_begin(struct bytes_source *source, uint64_t offset);
/* For a source that one thread reads. *out is what was fetched ahead at `offset`, from there on to
 * where its range ends, and it counts as read: borrowed until the next call for this source. Waits
 * for a range that is on its way. False: there is none, or it failed; read it then. */
bool read_ahead_borrow(struct bytes_source *source, uint64_t offset, struct str *out);
/* Bytes that buffers of all sources may take from now on. */
void read_ahead_set_memory(size_t bytes);
/* Bytes that buffers of all sources take now. */
size_t read_ahead_memory(void);

#endif
