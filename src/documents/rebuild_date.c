/* Names are those of Elasticsearch's Joda and DateFormatters; each with or without "strict_". Where
 * a name leaves parts open, all of them are written. All is in UTC. */
#include "documents/rebuild_date.h"

#include "base/compiler.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define NANOS_A_MS 1000000
#define DAYS_MS 86400000
#define TEXT_MOST 256

/* A pattern of NULL is written by write_optional, or as a number. */
static const struct {
	const char *name, *pattern;
} names[] = {
	{"date_optional_time", NULL},
	{"date_optional_time_nanos", NULL},
	{"epoch_millis", NULL},
	{"epoch_second", NULL},
	{"date_time", NULL},
	{"date", "yyyy-MM-dd"},
	{"year_month_day", "yyyy-MM-dd"},
	{"year_month", "yyyy-MM"},
	{"year", "yyyy"},
	{"date_hour_minute", "yyyy-MM-dd'T'HH:mm"},
	{"date_hour_minute_second", "yyyy-MM-dd'T'HH:mm:ss"},
	{"date_hour_minute_second_millis", "yyyy-MM-dd'T'HH:mm:ss.SSS"},
	{"date_time_no_millis", "yyyy-MM-dd'T'HH:mm:ssX"},
	{"basic_date", "yyyyMMdd"},
	{"basic_date_time", "yyyyMMdd'T'HHmmss.SSSX"},
	{"basic_date_time_no_millis", "yyyyMMdd'T'HHmmssX"},
};

struct instant {
	struct tm tm;
	int64_t fraction; /* of the second, in nanoseconds */
};

static struct str without_strict(struct str format)
{
	return str_starts(format, STR("strict_")) ? str_from_offset(format, strlen("strict_"))
						  : format;
}

static const char *find_name(struct str format, bool *known)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_is(without_strict(format), names[i].name)) {
			*known = true;
			return names[i].pattern;
		}
	*known = false;
	return NULL;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What `count` times that letter stands for. False: nothing that is written here. */
static bool write_part(char letter, int count, const struct instant *at, struct buf *out)
{
	static const int64_t tens[] = {1000000000, 100000000, 10000000, 1000000, 100000,
				       10000,      1000,      100,      10,      1};

	switch (letter) {
	case 'y':
	case 'u':
		buf_printf(out, "%0*d", count,
			   (at->tm.tm_year + 1900) % (count == 2 ? 100 : 10000));
		return count <= 4;
	case 'M':
		buf_printf(out, "%0*d", count, at->tm.tm_mon + 1);
		return count <= 2;
	case 'd':
		buf_printf(out, "%0*d", count, at->tm.tm_mday);
		return count <= 2;
	case 'H':
		buf_printf(out, "%0*d", count, at->tm.tm_hour);
		return count <= 2;
	case 'm':
		buf_printf(out, "%0*d", count, at->tm.tm_min);
		return count <= 2;
	case 's':
		buf_printf(out, "%0*d", count, at->tm.tm_sec);
		return count <= 2;
	case 'S':
		if (count > 9)
			return false;
		buf_printf(out, "%0*" PRId64, count, at->fraction / tens[count]);
		return true;
	case 'Z':
		buf_append_str(out, count == 1 ? STR("+0000") : STR("+00:00"));
		return count <= 2;
	case 'X':
		buf_append_str(out, STR("Z"));
		return count <= 3;
	default:
		return false;
	}
}

/* Text between quotes, and two of them for one. Returns how much of the pattern that is; 0: no end.
 */
static size_t write_quoted(struct str pattern, struct buf *out)
{
	if (pattern.len > 1 && pattern.ptr[1] == '\'') {
		buf_append_byte(out, '\'');
		return 2;
	}
	for (size_t i = 1; i < pattern.len; i++) {
		bool quote = pattern.ptr[i] == '\'';

		if (quote && (i + 1 == pattern.len || pattern.ptr[i + 1] != '\''))
			return i + 1;
		i += quote;
		buf_append_byte(out, (uint8_t)pattern.ptr[i]);
	}
	return 0;
}

static bool write_pattern(struct str pattern, const struct instant *at, struct buf *out)
{
	while (pattern.len > 0) {
		char c = pattern.ptr[0];
		size_t count = 1;

		if (c == '\'') {
			count = write_quoted(pattern, out);
		} else if (is_letter(c)) {
			while (count < pattern.len && pattern.ptr[count] == c)
				count++;
			if (count > 9 || !write_part(c, (int)count, at, out))
				return false;
		} else {
			buf_append_byte(out, (uint8_t)c);
		}
		if (count == 0)
			return false;
		pattern = str_from_offset(pattern, count);
	}
	return !out->failed;
}

/* Optional parts of a pattern, [...], and letters that stand for names are not written. */
static bool is_known(struct str format)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MOST);
	struct instant none = {0};
	bool known;

	find_name(format, &known);
	return known || (format.len > 0 && !memchr(format.ptr, '[', format.len) &&
			 write_pattern(format, &none, &text));
}

bool rebuild_date_pick(struct str formats, struct str *out)
{
	while (formats.len > 0) {
		const char *bars = memmem(formats.ptr, formats.len, "||", 2);
		size_t len = bars ? (size_t)(bars - formats.ptr) : formats.len;

		*out = str_of(formats.ptr, len);
		if (is_known(*out))
			return true;
		formats = str_from_offset(formats, MIN(len + 2, formats.len));
	}
	return false;
}

/* With all of its milliseconds; what is below one where there is any, without its last zeros. */
static void write_optional(const struct instant *at, struct buf *out)
{
	int64_t nanos = at->fraction % NANOS_A_MS;
	int digits = 6;

	write_pattern(STR("yyyy-MM-dd'T'HH:mm:ss.SSS"), at, out);
	for (; nanos > 0 && nanos % 10 == 0; digits--)
		nanos /= 10;
	if (nanos > 0)
		buf_printf(out, "%0*" PRId64, digits, nanos);
	buf_append_byte(out, 'Z');
}

static struct json *write_instant(const struct instant *at, struct str format, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MOST);
	const char *pattern;
	bool known;

	pattern = find_name(format, &known);
	if (pattern)
		write_pattern(str_from(pattern), at, &text);
	else if (known || !format.ptr)
		write_optional(at, &text);
	else
		write_pattern(format, at, &text);
	return text.failed ? NULL : json_new_string(mem, arena_str(mem, buf_str(&text)));
}

struct json *rebuild_instant(int64_t ms, int64_t nanos, struct str format, struct arena *mem)
{
	int64_t days = ms / DAYS_MS - (ms % DAYS_MS < 0);
	int64_t rest = ms % DAYS_MS + (ms % DAYS_MS < 0 ? DAYS_MS : 0);
	struct instant at = {.fraction = rest % 1000 * NANOS_A_MS + nanos};
	time_t seconds = (time_t)(days * (DAYS_MS / 1000) + rest / 1000);

	if (str_is(without_strict(format), "epoch_millis"))
		return json_new_i64(mem, ms);
	if (str_is(without_strict(format), "epoch_second"))
		return json_new_i64(mem, (int64_t)seconds);
	if (!gmtime_r(&seconds, &at.tm) || at.tm.tm_year < -1900 || at.tm.tm_year > 9999 - 1900)
		return NULL;
	return write_instant(&at, format, mem);
}

struct json *rebuild_instant_nanos(int64_t nanos, struct str format, struct arena *mem)
{
	int64_t ms = nanos / NANOS_A_MS - (nanos % NANOS_A_MS < 0);

	return rebuild_instant(ms, nanos % NANOS_A_MS + (nanos % NANOS_A_MS < 0 ? NANOS_A_MS : 0),
			       format, mem);
}
