/* A slice of bytes, borrowed and not NUL-terminated, passed by value. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/compiler.h"

#include <string.h>

struct str {
	const char *ptr; /* may be NULL when len is 0 */
	size_t len;      /* bytes */
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For the format of a printf: STR_FMT takes STR_ARG(s). */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct str str_from(const char *s)
{
	return (struct str){s, s ? strlen(s) : 0};
}

static inline struct str str_of(const void *ptr, size_t len)
{
	return (struct str){ptr, len};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(struct str a, const char *s)
{
	return str_eq(a, str_from(s));
}

static inline bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* The slice from `from` (at most s.len) on. */
static inline struct str str_from_offset(struct str s, size_t from)
{
	from = MIN(from, s.len);
	return (struct str){s.ptr ? s.ptr + from : NULL, s.len - from};
}

/* Without the spaces, tabs and line ends around. */
static inline struct str str_trim(struct str s)
{
	while (s.len > 0 && strchr(" \t\r\n", s.ptr[0]) && s.ptr[0])
		s = str_from_offset(s, 1);
	while (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1]) && s.ptr[s.len - 1])
		s.len--;
	return s;
}

/* Byte order, shorter first on a tie: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
/* For qsort over an array of struct str. */
int str_cmp_qsort(const void *a, const void *b);
/* Splits s at the first `separator`: *head before, *tail after. False (and *head = s) if absent. */
bool str_split(struct str s, char separator, struct str *head, struct str *tail);
/* Decimal digits only, the whole slice, no overflow. */
bool str_to_u64(struct str s, uint64_t *out);
/* Digits 0-9a-z, as Lucene's generations and the checksums in shard metadata. */
bool str_to_u64_base36(struct str s, uint64_t *out);
/* Single insertions, deletions and changes of a byte that make b of a (Levenshtein), for "do you
 * mean". SIZE_MAX when either is longer than STR_DISTANCE_MAX bytes. */
size_t str_distance(struct str a, struct str b);
#define STR_DISTANCE_MAX 64
/* Returns owned, NUL-terminated. */
char *str_dup(struct str s);

#endif
