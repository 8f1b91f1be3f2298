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
#define FORMATS_MOST KIB(64)

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

/* Nanoseconds in the last of so many digits behind the second. */
static const int64_t tens[] = {1000000000, 100000000, 10000000, 1000000, 100000,
			       10000,      1000,      100,      10,      1};

struct instant {
	struct tm tm;
	int64_t fraction; /* of the second, in nanoseconds */
	bool has_date;    /* tm: its year is one that formats write */
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

/* A part of a date that has two digits. */
static bool write_two(struct buf *out, int count, int value)
{
	buf_printf(out, "%0*d", count, value);
	return count <= 2;
}

/* What `count` times that letter stands for. False: nothing that is written here. */
static bool write_part(char letter, int count, const struct instant *at, struct buf *out)
{
	switch (letter) {
	case 'y':
	case 'u':
		buf_printf(out, "%0*d", count,
			   (at->tm.tm_year + 1900) % (count == 2 ? 100 : 10000));
		return count <= 4;
	case 'M':
		return write_two(out, count, at->tm.tm_mon + 1);
	case 'd':
		return write_two(out, count, at->tm.tm_mday);
	case 'H':
		return write_two(out, count, at->tm.tm_hour);
	case 'm':
		return write_two(out, count, at->tm.tm_min);
	case 's':
		return write_two(out, count, at->tm.tm_sec);
	case 'S':
		if (count > 9)
			return false;
		buf_printf(out, "%0*" PRId64, count, at->fraction / tens[count]);
		return true;
	case 'Z':
		/* Joda takes this for ZZ as well, java.time nothing else. */
		buf_append_str(out, STR("+0000"));
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

/* Off the front of "a||b". */
static struct str next_format(struct str *formats)
{
	const char *bars = memmem(formats->ptr, formats->len, "||", 2);
	size_t len = bars ? (size_t)(bars - formats->ptr) : formats->len;
	struct str format = str_of(formats->ptr, len);

	*formats = str_from_offset(*formats, MIN(len + 2, formats->len));
	return format;
}

bool rebuild_date_pick(struct str formats, struct arena *mem, struct str *out)
{
	cleanup(buf_release) struct buf known = BUF_INIT(FORMATS_MOST);

	/* How Elasticsearch 6 and 7 are told that a format is java.time's. */
	if (str_starts(formats, STR("8")))
		formats = str_from_offset(formats, 1);
	while (formats.len > 0) {
		struct str format = next_format(&formats);

		if (!is_known(format))
			continue;
		if (known.len > 0)
			buf_append_str(&known, STR("||"));
		buf_append_str(&known, format);
	}
	*out = known.len > 0 && !known.failed ? arena_str(mem, buf_str(&known)) : STR_NONE;
	return out->ptr;
}

/* How often a letter stands side by side, where it does so first; 0: nowhere. */
static size_t count_letter(struct str pattern, char letter)
{
	bool quoted = false;

	for (size_t i = 0; i < pattern.len; i++) {
		size_t count = 0;

		quoted ^= pattern.ptr[i] == '\'';
		while (!quoted && i + count < pattern.len && pattern.ptr[i + count] == letter)
			count++;
		if (count > 0)
			return count;
	}
	return 0;
}

static bool tells_year(struct str pattern, int year)
{
	size_t count = MAX(count_letter(pattern, 'y'), count_letter(pattern, 'u'));

	if (count == 2)
		return year >= 2000 && year < 2100;
	return count > 0 || year == 1970;
}

/* What a pattern leaves out is read as the first there is, and the year as 1970. */
static bool pattern_tells(struct str pattern, const struct instant *at)
{
	const struct {
		char letter;
		bool is_first;
	} parts[] = {{'M', at->tm.tm_mon == 0},
		     {'d', at->tm.tm_mday == 1},
		     {'H', at->tm.tm_hour == 0},
		     {'m', at->tm.tm_min == 0},
		     {'s', at->tm.tm_sec == 0}};

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (!parts[i].is_first && !count_letter(pattern, parts[i].letter))
			return false;
	return tells_year(pattern, at->tm.tm_year + 1900) &&
	       at->fraction % tens[MIN(count_letter(pattern, 'S'), COUNT_OF(tens) - 1)] == 0;
}

static bool tells_whole(struct str format, const struct instant *at)
{
	bool known;
	const char *pattern = find_name(format, &known);

	if (str_is(without_strict(format), "epoch_second"))
		return at->fraction == 0;
	if (str_is(without_strict(format), "epoch_millis"))
		return at->fraction % NANOS_A_MS == 0;
	if (!at->has_date || (known && !pattern))
		return at->has_date;
	return pattern_tells(pattern ? str_from(pattern) : format, at);
}

/* The first that leaves nothing of the instant out; none does: the first. */
static struct str choose_format(struct str formats, const struct instant *at)
{
	struct str first = next_format(&formats), format = first;

	while (formats.len > 0 && !tells_whole(format, at))
		format = next_format(&formats);
	return tells_whole(format, at) ? format : first;
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

struct json *rebuild_instant(int64_t ms, int64_t nanos, struct str formats, struct arena *mem)
{
	int64_t days = ms / DAYS_MS - (ms % DAYS_MS < 0);
	int64_t rest = ms % DAYS_MS + (ms % DAYS_MS < 0 ? DAYS_MS : 0);
	struct instant at = {.fraction = rest % 1000 * NANOS_A_MS + nanos};
	time_t seconds = (time_t)(days * (DAYS_MS / 1000) + rest / 1000);
	struct str format;

	at.has_date = gmtime_r(&seconds, &at.tm) && at.tm.tm_year >= -1900 &&
		      at.tm.tm_year <= 9999 - 1900;
	format = formats.ptr ? choose_format(formats, &at) : formats;
	if (str_is(without_strict(format), "epoch_millis"))
		return json_new_i64(mem, ms);
	if (str_is(without_strict(format), "epoch_second"))
		return json_new_i64(mem, (int64_t)seconds);
	return at.has_date ? write_instant(&at, format, mem) : NULL;
}

struct json *rebuild_instant_nanos(int64_t nanos, struct str formats, struct arena *mem)
{
	int64_t ms = nanos / NANOS_A_MS - (nanos % NANOS_A_MS < 0);

	return rebuild_instant(ms, nanos % NANOS_A_MS + (nanos % NANOS_A_MS < 0 ? NANOS_A_MS : 0),
			       formats, mem);
}
