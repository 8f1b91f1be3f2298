/* A growable byte buffer with a ceiling.
 *
 * Appends do not return errors: the first one that fails (ceiling reached) makes the buffer
 * `failed`, later appends do nothing, and the writer asks once at the end with buf_check. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct buf {
	char *ptr; /* owned; NULL while empty. Not NUL-terminated but by buf_cstr */
	size_t len, capacity;
	size_t limit; /* bytes that len never exceeds */
	bool failed;
};

#define BUF_INIT(limit_bytes) ((struct buf){.limit = (limit_bytes)})

void buf_release(struct buf *b);
/* Empties it and keeps the memory. */
void buf_reset(struct buf *b);
/* Makes room for `more` bytes after len; returns where they go, or NULL (and failed). The caller
 * adds what it wrote to len. */
void *buf_reserve(struct buf *b, size_t more);
/* For an empty buffer that will be filled: takes all of its limit at once, in huge pages where the
 * system gives them, which spares a page fault for every 4 kB. */
void buf_take_limit(struct buf *b);
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_append_str(struct buf *b, struct str s);
void buf_append_byte(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* 0, or -ERR_LIMIT with a message that names `what` and the ceiling. */
int buf_check(const struct buf *b, const char *what, struct err *err);
/* NUL-terminated view, valid until the next append. "" if failed. */
const char *buf_cstr(struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->ptr, b->len};
}

#endif
