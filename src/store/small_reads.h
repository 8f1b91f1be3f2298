/* Small reads of remote sources, kept: the headers, footers and lists that are asked for whenever a
 * file is opened cost one round trip, and not one each time. */
#ifndef STORE_SMALL_READS_H
#define STORE_SMALL_READS_H

#include "base/bytes_source.h"
#include "base/limits.h"

/* A read of at most so many bytes comes with what follows it, as many in all, and is kept. Larger
 * ones are passed on, unless they lie within what was kept. */
#define SMALL_READ KIB(16)

struct small_reads;

/* Keeps at most `most_bytes`; what comes later is passed on. Thread-safe. */
struct small_reads *small_reads_new(size_t most_bytes);
/* Accepts NULL. */
void small_reads_free(struct small_reads *kept);
size_t small_reads_bytes(struct small_reads *kept);

/* Over `inner`, which it owns from here on. Sources of one `key` are of the same bytes. `kept`
 * outlives the source. */
struct bytes_source *small_reads_source(struct small_reads *kept, uint64_t key,
					struct bytes_source *inner);
/* Fetches a range of a source of small_reads_source, unless it is kept already. */
int small_reads_fetch(struct bytes_source *src, uint64_t offset, size_t len, struct err *err);

#endif
