#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE MIB(2)

void buf_release(struct buf *b)
{
	free(b->ptr);
	*b = BUF_INIT(b->limit);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void *buf_reserve(struct buf *b, size_t more)
{
	size_t needed, capacity;

	if (UNLIKELY(b->failed || more > b->limit || b->len > b->limit - more)) {
		b->failed = true;
		return NULL;
	}
	needed = b->len + more;
	if (UNLIKELY(needed > b->capacity || !b->ptr)) {
		capacity = MAX(MAX(b->capacity * 2, needed), (size_t)64);
		b->capacity = MAX(MIN(capacity, b->limit), needed);
		b->ptr = mem_realloc(b->ptr, b->capacity);
	}
	return b->ptr + b->len;
}

void buf_take_limit(struct buf *b)
{
	size_t size = (MAX(b->limit, (size_t)1) + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;

	if (b->ptr)
		BUG("a buffer in use takes its limit");
	b->ptr = mem_alloc_aligned(HUGE_PAGE, size);
	b->capacity = b->limit;
	/* Without huge pages it is as good as any other memory. */
	madvise(b->ptr, size, MADV_HUGEPAGE);
}

void buf_append(struct buf *b, const void *bytes, size_t len)
{
	void *room;

	if (len == 0 || !(room = buf_reserve(b, len)))
		return;
	memcpy(room, bytes, len);
	b->len += len;
}

void buf_append_str(struct buf *b, struct str s)
{
	buf_append(b, s.ptr, s.len);
}

void buf_append_byte(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int length;
	char *room;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0 || !(room = buf_reserve(b, (size_t)length + 1)))
		return;
	va_start(args, fmt);
	vsnprintf(room, (size_t)length + 1, fmt, args);
	va_end(args);
	b->len += (size_t)length;
}

int buf_check(const struct buf *b, const char *what, struct err *err)
{
	if (!b->failed)
		return 0;
	return err_set(err, ERR_LIMIT, "%s is larger than the limit of %zu bytes", what, b->limit);
}

const char *buf_cstr(struct buf *b)
{
	char *end = buf_reserve(b, 1);

	if (!end)
		return "";
	*end = '\0';
	return b->ptr;
}
