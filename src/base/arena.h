/* An arena: many small allocations that end together.
 *
 * Not thread-safe; a batch owns its arena and crosses threads whole. Allocation never aborts for
 * a size from outside: at the ceiling it returns NULL, and arena_fail makes the error of it. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *head; /* the block in use; older ones behind it */
	size_t used;              /* bytes handed out since the last reset */
	size_t limit;             /* bytes that used never exceeds */
	bool failed;              /* an allocation was refused since the last reset */
	size_t first;             /* bytes of the first block; 0: 8 KiB */
};

#define ARENA_INIT(limit_bytes) ((struct arena){.limit = (limit_bytes)})

/* `size` bytes, aligned to 16, undefined content; NULL at the ceiling. size 0 gives a valid
 * pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* `count` elements of `size` bytes, zeroed; NULL at the ceiling or on overflow. */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
/* A copy, with a NUL after it that len does not count. ptr is NULL at the ceiling. */
struct str arena_str(struct arena *a, struct str s);
/* Printed into the arena, NUL-terminated; ptr is NULL at the ceiling. */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Forgets all allocations and keeps the largest block. Poisons the memory under ASan. */
void arena_reset(struct arena *a);
void arena_release(struct arena *a);
/* The error of an allocation that returned NULL: -ERR_LIMIT, "what needs more than N bytes". */
int arena_fail(const struct arena *a, const char *what, struct err *err);

#endif
