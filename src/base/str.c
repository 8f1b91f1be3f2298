#include "base/str.h"

int str_cmp(struct str a, struct str b)
{
	size_t common = MIN(a.len, b.len);
	int order = common ? memcmp(a.ptr, b.ptr, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

int str_cmp_qsort(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool str_split(struct str s, char separator, struct str *head, struct str *tail)
{
	const char *at = s.len ? memchr(s.ptr, separator, s.len) : NULL;

	*head = s;
	*tail = STR_NONE;
	if (!at)
		return false;
	head->len = (size_t)(at - s.ptr);
	*tail = str_from_offset(s, head->len + 1);
	return true;
}

static bool digit_of(char c, unsigned base, unsigned *out)
{
	if (c >= '0' && c <= '9')
		*out = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'z')
		*out = (unsigned)(c - 'a') + 10;
	else
		return false;
	return *out < base;
}

static bool to_u64(struct str s, unsigned base, uint64_t *out)
{
	uint64_t value = 0;
	unsigned digit;

	for (size_t i = 0; i < s.len; i++)
		if (!digit_of(s.ptr[i], base, &digit) ||
		    __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	*out = value;
	return s.len > 0;
}

bool str_to_u64(struct str s, uint64_t *out)
{
	return to_u64(s, 10, out);
}

bool str_to_u64_base36(struct str s, uint64_t *out)
{
	return to_u64(s, 36, out);
}

char *str_dup(struct str s)
{
	char *copy = mem_alloc(s.len + 1);

	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

size_t str_distance(struct str a, struct str b)
{
	size_t row[STR_DISTANCE_MAX + 1], diagonal, above;

	if (a.len > STR_DISTANCE_MAX || b.len > STR_DISTANCE_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			above = row[j];
			row[j] = MIN(MIN(above, row[j - 1]) + 1,
				     diagonal + (a.ptr[i - 1] != b.ptr[j - 1]));
			diagonal = above;
		}
	}
	return row[b.len];
}
