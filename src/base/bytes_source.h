/* Bytes that can be read by ranges: a file, a blob in parts, a slice of a compound file, memory. */
#ifndef BASE_BYTES_SOURCE_H
#define BASE_BYTES_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdatomic.h>

struct bytes_source;

struct bytes_source_ops {
	/* Fills dst with exactly len bytes from offset; offset + len <= size is the caller's duty
	 * (bytes_source_read checks it). May be called by several threads at once. */
	int (*read_at)(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
		       struct err *err);
	void (*close)(struct bytes_source *src);
	/* As read_at, for reading ahead: tries once, and fails within about a second of *stop.
	 * NULL: as read_at. */
	int (*read_once)(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			 const atomic_bool *stop, struct err *err);
	/* Whether a read costs a round trip to some server. NULL: it does not. */
	bool (*is_remote)(const struct bytes_source *src);
};

/* Implementations embed this as their first member. */
struct bytes_source {
	const struct bytes_source_ops *ops;
	uint64_t size; /* bytes */
	char *name;    /* owned by the implementation; for messages */
};

/* Reads exactly len bytes at offset; a range beyond the end is ERR_FORMAT naming the source. */
int bytes_source_read(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
		      struct err *err);
/* As bytes_source_read, but tries once, and fails within about a second of *stop. */
int bytes_source_read_once(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			   const atomic_bool *stop, struct err *err);
/* Whether a read costs a round trip, so that reading ahead pays. */
bool bytes_source_is_remote(const struct bytes_source *src);
/* The whole content into the arena; ERR_LIMIT when larger than `limit` bytes. */
int bytes_source_read_all(struct bytes_source *src, struct arena *mem, size_t limit,
			  struct str *out, struct err *err);
/* Accepts NULL. */
void bytes_source_close(struct bytes_source *src);
/* For cleanup(). */
void bytes_source_closep(struct bytes_source **src);

/* A file of the file system. ERR_NOT_FOUND when it is not there, ERR_UNREADABLE for the rest. */
int file_source_open(const char *path, struct bytes_source **out, struct err *err);
/* Borrowed bytes that outlive the source; `name` is copied. */
struct bytes_source *memory_source_new(struct str bytes, struct str name);
/* The range [offset, offset + size) of `parent`, which is borrowed and outlives the slice. */
int slice_source_open(struct bytes_source *parent, uint64_t offset, uint64_t size, struct str name,
		      struct bytes_source **out, struct err *err);

#endif
