#include "backfill/source_check.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* SMILE begins ":)\n"; a CBOR object with the self-describe tag D9 D9 F7 or with a map of major
 * type 5 (A0 to BF); YAML with three dashes. */
static const char *refusal(struct str source)
{
	unsigned char first = source.len ? (unsigned char)source.ptr[0] : 0;

	if (str_starts(source, STR(":)\n")))
		return "source is not a JSON object: it is SMILE";
	if (str_starts(source, STR("\xd9\xd9\xf7")) || (first >= 0xa0 && first <= 0xbf))
		return "source is not a JSON object: it is CBOR";
	if (str_starts(source, STR("---")))
		return "source is not a JSON object: it is YAML";
	return "source is not a JSON object";
}

const char *source_check(struct str source)
{
	size_t first = 0, end = source.len;

	while (first < end && is_space(source.ptr[first]))
		first++;
	while (end > first && is_space(source.ptr[end - 1]))
		end--;
	if (end - first >= 2 && source.ptr[first] == '{' && source.ptr[end - 1] == '}')
		return NULL;
	return refusal(source);
}
