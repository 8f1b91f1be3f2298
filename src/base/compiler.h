/* What every file may lean on: attributes of the compiler, cleanup of locals, and the one abort. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NO_RETURN __attribute__((noreturn))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* cleanup(buf_release) struct buf b: calls buf_release(&b) when b leaves scope. */
#define cleanup(fn) __attribute__((cleanup(fn)))

/* Hands a pointer over: its value, leaving NULL behind for the cleanup. */
#define take(p)                                     \
	({                                          \
		__typeof__(p) *take_from_ = &(p);   \
		__typeof__(p) taken_ = *take_from_; \
		*take_from_ = NULL;                 \
		taken_;                             \
	})

/* Plain: an argument may be evaluated twice. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Our own mistake, never the user's and never that of bytes read: says where, and aborts. */
#define BUG(what) bug_at(__FILE__, __LINE__, what)
NO_RETURN void bug_at(const char *file, int line, const char *what);

/* malloc, calloc, realloc and aligned_alloc that abort when the system has no memory left. For
 * sizes that are ours or already held against a limit; a size read from outside is checked first.
 */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *p, size_t size) __attribute__((returns_nonnull));
/* A power of two, and a multiple of it that is not 0. */
void *mem_alloc_aligned(size_t alignment, size_t size) __attribute__((malloc, returns_nonnull));
char *mem_strdup(const char *s) __attribute__((returns_nonnull));
/* For cleanup(): frees what the pointer variable points to. */
void mem_freep(void *pointer_to_pointer);

#endif
