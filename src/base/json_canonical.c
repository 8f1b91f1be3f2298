#include "base/json_internal.h"
#include "base/json_number_text.h"

#include <inttypes.h>

#define PLAIN_NUMBER_MAX 40 /* digits and point of a number that is written without an exponent */

static void append_escaped(struct buf *out, char c)
{
	static const char named[] = "\bb\ff\nn\rr\tt\"\"\\\\";

	for (const char *p = named; *p; p += 2)
		if (*p == c) {
			buf_append_byte(out, '\\');
			buf_append_byte(out, p[1]);
			return;
		}
	buf_printf(out, "\\u%04x", (unsigned)(uint8_t)c);
}

static bool needs_escape(char c)
{
	return (uint8_t)c < 0x20 || c == '"' || c == '\\';
}

void json_canonical_string(struct buf *out, struct str raw)
{
	cleanup(buf_release) struct buf text = BUF_INIT(out->limit);
	char *plain = buf_reserve(&text, raw.len + 1);
	size_t length, from = 0;

	if (!plain) {
		out->failed = true;
		return;
	}
	length = json_unescape(raw, plain);
	for (size_t i = 0; i < length; i++) {
		if (!needs_escape(plain[i]))
			continue;
		buf_append(out, plain + from, i - from);
		append_escaped(out, plain[i]);
		from = i + 1;
	}
	buf_append(out, plain + from, length - from);
}

bool json_number_is_canonical(struct str text)
{
	const char *p = text.ptr, *end = text.ptr + text.len;
	bool fraction = false;

	if (text.len > PLAIN_NUMBER_MAX)
		return false;
	if (str_is(text, "-0"))
		return false;
	if (*p == '-')
		p++;
	for (; p < end; p++) {
		if (*p == '.')
			fraction = true;
		else if (*p < '0' || *p > '9')
			return false;
	}
	return !fraction || end[-1] != '0';
}

static void append_zeros(struct buf *out, int64_t count)
{
	for (; count > 0; count--)
		buf_append_byte(out, '0');
}

/* Digits with the point before the last `fraction` of them. */
static void append_fraction(struct buf *out, struct str digits, int64_t fraction)
{
	int64_t whole = (int64_t)digits.len - fraction;

	if (whole <= 0) {
		buf_append_str(out, STR("0."));
		append_zeros(out, -whole);
		buf_append_str(out, digits);
		return;
	}
	buf_append(out, digits.ptr, (size_t)whole);
	buf_append_byte(out, '.');
	buf_append_str(out, str_from_offset(digits, (size_t)whole));
}

static bool is_short(size_t digits, int64_t exponent)
{
	if (digits > PLAIN_NUMBER_MAX || exponent > PLAIN_NUMBER_MAX ||
	    exponent < -PLAIN_NUMBER_MAX)
		return false;
	if (exponent >= 0)
		return (int64_t)digits + exponent <= PLAIN_NUMBER_MAX;
	return MAX((int64_t)digits + 1, 2 - exponent) <= PLAIN_NUMBER_MAX;
}

/* The digits of the number without its point. */
static void append_digits(struct buf *out, const struct json_decimal *d)
{
	buf_append(out, d->digits.ptr, d->point);
	buf_append_str(out, str_from_offset(d->digits, d->point + 1));
}

void json_canonical_number(struct buf *out, struct str text)
{
	struct json_decimal d = json_decimal_of(text);
	char digits[PLAIN_NUMBER_MAX];
	size_t count = d.digits.len - (d.point < d.digits.len);

	if (!d.exact) {
		buf_append_str(out, text);
		return;
	}
	if (d.digits.len == 0) {
		buf_append_byte(out, '0');
		return;
	}
	if (d.negative)
		buf_append_byte(out, '-');
	if (!is_short(count, d.exponent)) {
		append_digits(out, &d);
		buf_printf(out, "e%" PRId64, d.exponent);
		return;
	}
	if (d.exponent >= 0) {
		append_digits(out, &d);
		append_zeros(out, d.exponent);
		return;
	}
	memcpy(digits, d.digits.ptr, d.point);
	if (d.point < d.digits.len)
		memcpy(digits + d.point, d.digits.ptr + d.point + 1, d.digits.len - d.point - 1);
	append_fraction(out, str_of(digits, count), -d.exponent);
}
