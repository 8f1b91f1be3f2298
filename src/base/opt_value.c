#include "base/opt_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#define SIZES_ACCEPTED "accepted: bytes, or a number with K, M, G or T (96M, 10MiB)"
#define DURATIONS_ACCEPTED "accepted: 500ms, 10s, 5m, 1h, 2d or PT10M"

/* The digits that text starts with. */
static struct str leading_digits(const char *text)
{
	return str_of(text, strspn(text, "0123456789"));
}

static bool scaled(uint64_t value, uint64_t factor, int64_t *out)
{
	return !__builtin_mul_overflow(value, factor, out);
}

int opt_parse_bytes(const char *text, int64_t *out, struct err *err)
{
	static const char units[] = "KMGT";
	struct str digits = leading_digits(text);
	const char *suffix = text + digits.len, *unit;
	unsigned shift = 0;
	uint64_t value;

	if (*suffix && (unit = strchr(units, toupper((unsigned char)*suffix)))) {
		shift = 10 * (unsigned)(unit - units + 1);
		suffix++;
		if (*suffix == 'i' || *suffix == 'I')
			suffix++;
	}
	if (*suffix && strcasecmp(suffix, "b") != 0)
		return err_set(err, ERR_USAGE, "'%s' is no size (" SIZES_ACCEPTED ")", text);
	if (!str_to_u64(digits, &value) || !scaled(value, UINT64_C(1) << shift, out))
		return err_set(err, ERR_USAGE, "'%s' is no size (" SIZES_ACCEPTED ")", text);
	return 0;
}

struct time_unit {
	const char *name;
	uint64_t ms;
};

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static bool parse_plain_duration(const char *text, int64_t *out)
{
	static const struct time_unit units[] = {
		{"ms", 1}, {"s", SECOND}, {"m", MINUTE}, {"h", HOUR}, {"d", DAY}};
	struct str digits = leading_digits(text);
	const char *suffix = text + digits.len;
	uint64_t value;

	if (!str_to_u64(digits, &value))
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (strcmp(suffix, units[i].name) == 0)
			return scaled(value, units[i].ms, out);
	*out = 0;
	return value == 0 && !*suffix;
}

/* Milliseconds of a decimal fraction: ".25" is 250. Moves *text behind it. */
static uint64_t parse_fraction(const char **text)
{
	struct str digits = leading_digits(*text + 1);
	uint64_t ms = 0;

	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < digits.len ? (uint64_t)(digits.ptr[i] - '0') : 0);
	*text += 1 + digits.len;
	return ms;
}

/* PnDTnHnMn.nS, each part once, in this order, at least one. Source: ISO 8601 as Java's Duration
 * reads it. */
static bool parse_iso_duration(const char *text, int64_t *out)
{
	static const struct time_unit units[] = {
		{"D", DAY}, {"T", 0}, {"H", HOUR}, {"M", MINUTE}, {"S", SECOND}};
	const char *at = text + 1;
	size_t parts = 0;

	*out = 0;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		struct str digits = leading_digits(at);
		const char *end = at + digits.len;
		uint64_t value, fraction_ms = 0;
		int64_t ms;

		if (units[i].ms == 0) {
			if (*at && toupper((unsigned char)*at) != 'T')
				return false;
			at += *at != '\0';
			continue;
		}
		if (units[i].ms == SECOND && *end == '.')
			fraction_ms = parse_fraction(&end);
		if (toupper((unsigned char)*end) != units[i].name[0])
			continue;
		if (!str_to_u64(digits, &value) || !scaled(value, units[i].ms, &ms) ||
		    __builtin_add_overflow(*out, ms, out) ||
		    __builtin_add_overflow(*out, fraction_ms, out))
			return false;
		at = end + 1;
		parts++;
	}
	return !*at && parts && toupper((unsigned char)at[-1]) != 'T';
}

int opt_parse_duration(const char *text, int64_t *out_ms, struct err *err)
{
	bool iso = toupper((unsigned char)text[0]) == 'P';

	if (iso ? parse_iso_duration(text, out_ms) : parse_plain_duration(text, out_ms))
		return 0;
	return err_set(err, ERR_USAGE, "'%s' is no duration (" DURATIONS_ACCEPTED ")", text);
}

static int set_bool(bool *field, const char *text, struct err *err)
{
	*field = strcmp(text, "true") == 0;
	if (*field || strcmp(text, "false") == 0)
		return 0;
	return err_set(err, ERR_USAGE, "'%s' is neither true nor false", text);
}

static int parse_int(const char *text, int64_t *out, struct err *err)
{
	struct json number = {.type = JSON_STRING, .text = str_from(text)};

	*out = json_i64_or(&number, INT64_MIN);
	if (*out != INT64_MIN)
		return 0;
	return err_set(err, ERR_USAGE, "'%s' is no whole number", text);
}

/* A bound as a user would write it. */
static const char *bound_text(enum opt_type type, int64_t bound, char out[static 32])
{
	static const struct time_unit sizes[] = {
		{"T", UINT64_C(1) << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};
	static const struct time_unit times[] = {
		{"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", 1}};
	static const struct time_unit plain[] = {{"", 1}};
	const struct time_unit *unit = type == OPT_BYTES      ? sizes
				       : type == OPT_DURATION ? times
							      : plain;

	while (unit->ms > 1 && (bound == 0 || bound % (int64_t)unit->ms != 0))
		unit++;
	snprintf(out, 32, "%" PRId64 "%s", bound / (int64_t)unit->ms, unit->name);
	return out;
}

static int check_bounds(const struct opt *row, int64_t value, const char *text, struct err *err)
{
	char low[32], high[32];
	bool has_max = row->max > row->min;

	if (value >= row->min && (!has_max || value <= row->max))
		return 0;
	bound_text(row->type, row->min, low);
	if (!has_max)
		return err_set(err, ERR_USAGE, "'%s' is too small (accepted: %s or more)", text,
			       low);
	return err_set(err, ERR_USAGE, "'%s' is out of bounds (accepted: %s to %s)", text, low,
		       bound_text(row->type, row->max, high));
}

static int set_number(const struct opt *row, int64_t *field, const char *text, struct err *err)
{
	int code;

	if (row->type == OPT_INT)
		code = parse_int(text, field, err);
	else if (row->type == OPT_BYTES)
		code = opt_parse_bytes(text, field, err);
	else
		code = opt_parse_duration(text, field, err);
	return code < 0 ? code : check_bounds(row, *field, text, err);
}

static int set_choice(const struct opt *row, const char **field, const char *text, struct err *err)
{
	struct str choice, rest = str_from(row->choices);

	*field = text;
	while (rest.len) {
		str_split(rest, '|', &choice, &rest);
		if (str_is(choice, text))
			return 0;
	}
	return err_set(err, ERR_USAGE, "'%s' is no choice (accepted: %s)", text, row->choices);
}

int opt_list_append(struct opt_list *list, struct str item, struct arena *mem, struct err *err)
{
	struct str copy = arena_str(mem, item);
	bool full = (list->count & (list->count - 1)) == 0;
	const char **items = list->items;

	/* The room is always a power of two. */
	if (full)
		items = arena_zalloc(mem, MAX(list->count * 2, (size_t)1), sizeof(*items));
	if (!copy.ptr || !items)
		return arena_fail(mem, "a list", err);
	if (full && list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	list->items = items;
	items[list->count++] = copy.ptr;
	return 0;
}

/* The text up to the next comma outside brackets. */
static size_t item_length(const char *text)
{
	size_t depth = 0, i;

	for (i = 0; text[i] && (depth > 0 || text[i] != ','); i++) {
		if (strchr("{[(", text[i]))
			depth++;
		else if (strchr("}])", text[i]) && depth > 0)
			depth--;
	}
	return i;
}

static struct str trimmed(struct str s)
{
	while (s.len && s.ptr[0] == ' ')
		s = str_from_offset(s, 1);
	while (s.len && s.ptr[s.len - 1] == ' ')
		s.len--;
	return s;
}

static int append_items(struct opt_list *list, const char *text, struct arena *mem, struct err *err)
{
	for (;;) {
		size_t length = item_length(text);
		struct str item = trimmed(str_of(text, length));
		int code = item.len ? opt_list_append(list, item, mem, err) : 0;

		if (code < 0 || !text[length])
			return code;
		text += length + 1;
	}
}

int opt_value_set(const struct opt *row, void *field, const char *text, struct arena *mem,
		  struct err *err)
{
	switch (row->type) {
	case OPT_STRING:
	case OPT_SECRET:
		*(const char **)field = text;
		return 0;
	case OPT_BOOL:
		return set_bool(field, text, err);
	case OPT_INT:
	case OPT_BYTES:
	case OPT_DURATION:
		return set_number(row, field, text, err);
	case OPT_LIST:
		return row->whole ? opt_list_append(field, str_from(text), mem, err)
				  : append_items(field, text, mem, err);
	case OPT_CHOICE:
		return set_choice(row, field, text, err);
	}
	BUG("an option of unknown type");
}
