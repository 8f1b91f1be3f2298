/* A scalar without tag and quotes:
 *
 *   ~ null Null NULL and nothing                      null
 *   true True TRUE yes Yes YES on On ON               true
 *   false False FALSE no No NO off Off OFF            false
 *   [-](0 | 1-9 digits)                               a number
 *   [-+] digits with '_', leading 0, 0x or 0b, +1     what is read differently, see below
 *   [-+] digits with a point, an exponent or both     a number
 *   else                                              a string
 *
 * Jackson up to 2.10 takes 010 for 10 and 0x1F for a string, later ones for 8 and 31; +1 and 1_000
 * are a string, a number or an error. Who wrote such a number and means it is not to be known.
 *
 * Source: YAML 1.1 types null, bool, int, float; jackson-dataformat-yaml 2.8.1 to 2.18.8 YAMLParser
 * with snakeyaml 1.15 to 2.1 Resolver, by what they print. */
#include "documents/yaml_scalar.h"

#define YAML_TAG "tag:yaml.org,2002:"

static bool is_one_of(struct str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(text, words[i]))
			return true;
	return false;
}

static bool is_null(struct str text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	return is_one_of(text, words, COUNT_OF(words));
}

static bool is_true(struct str text)
{
	static const char *const words[] = {"true", "True", "TRUE", "yes", "Yes",
					    "YES",  "on",   "On",   "ON"};

	return is_one_of(text, words, COUNT_OF(words));
}

static bool is_false(struct str text)
{
	static const char *const words[] = {"false", "False", "FALSE", "no", "No",
					    "NO",    "off",   "Off",   "OFF"};

	return is_one_of(text, words, COUNT_OF(words));
}

/* How many of the first bytes of text are among `set`. */
static size_t run_of(struct str text, const char *set)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] && strchr(set, text.ptr[n]))
		n++;
	return n;
}

static bool has_sign(struct str text)
{
	return text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
}

static bool is_all_of(struct str text, const char *set)
{
	return text.len > 0 && run_of(text, set) == text.len;
}

/* Digits that every version reads as the same integer. */
static bool is_integer(struct str text)
{
	struct str digits = str_from_offset(text, text.len > 0 && text.ptr[0] == '-');

	return is_all_of(digits, "0123456789") && (digits.ptr[0] != '0' || is_all_of(digits, "0"));
}

/* Any other integer of YAML 1.1; the sexagesimal ones have always been strings. */
static bool is_disputed_integer(struct str text)
{
	struct str digits = str_from_offset(text, has_sign(text));

	if (str_starts(digits, STR("0x")))
		return is_all_of(str_from_offset(digits, 2), "0123456789abcdefABCDEF_");
	if (str_starts(digits, STR("0b")))
		return is_all_of(str_from_offset(digits, 2), "01_");
	return is_all_of(digits, "0123456789_") && digits.ptr[0] != '_';
}

/* [-+] whole [. fraction] [e exponent]: some digits, and a point or an exponent. */
struct yaml_float {
	bool negative, point;
	struct str whole, fraction, exponent; /* the exponent with its e and sign */
};

static bool split_exponent(struct str text, struct yaml_float *out)
{
	struct str digits = str_from_offset(text, 1);

	out->exponent = text;
	if (text.len == 0)
		return out->point;
	digits = str_from_offset(digits, has_sign(digits));
	return (text.ptr[0] == 'e' || text.ptr[0] == 'E') && is_all_of(digits, "0123456789");
}

static bool split_float(struct str text, struct yaml_float *out)
{
	struct str rest = str_from_offset(text, has_sign(text));

	out->negative = text.len > 0 && text.ptr[0] == '-';
	out->whole = str_of(rest.ptr, run_of(rest, "0123456789_"));
	if (out->whole.len > 0 && out->whole.ptr[0] == '_')
		return false;
	rest = str_from_offset(rest, out->whole.len);
	out->point = rest.len > 0 && rest.ptr[0] == '.';
	rest = str_from_offset(rest, out->point);
	out->fraction = str_of(rest.ptr, out->point ? run_of(rest, "0123456789_") : 0);
	if (out->whole.len == 0 && run_of(out->fraction, "0123456789") == 0)
		return false;
	return split_exponent(str_from_offset(rest, out->fraction.len), out);
}

/* Appends the digits, or a zero if there is none. */
static char *put_digits(char *to, struct str digits, bool skip_zeros)
{
	char *from = to;

	for (size_t i = 0; i < digits.len; i++) {
		char c = digits.ptr[i];

		if (c != '_' && !(skip_zeros && c == '0' && to == from))
			*to++ = c;
	}
	if (to == from)
		*to++ = '0';
	return to;
}

/* The float as JSON allows it: no '+', no '_', a digit and no more zeros than one before the point,
 * a digit behind it. */
static int write_float(const struct yaml_float *f, struct arena *mem, struct json *value,
		       struct err *err)
{
	size_t most = 1 + f->whole.len + 1 + 1 + f->fraction.len + 1 + f->exponent.len;
	char *text = arena_alloc(mem, most), *to = text;

	if (!text)
		return arena_fail(mem, "YAML", err);
	if (f->negative)
		*to++ = '-';
	to = put_digits(to, f->whole, true);
	if (f->point) {
		*to++ = '.';
		to = put_digits(to, f->fraction, false);
	}
	memcpy(to, f->exponent.ptr, f->exponent.len);
	to += f->exponent.len;
	*value = (struct json){.type = JSON_NUMBER, .text = str_of(text, (size_t)(to - text))};
	return 0;
}

static int resolve_integer(struct str text, struct json *value, struct err *err)
{
	if (is_integer(text)) {
		bool zero = text.ptr[text.ptr[0] == '-'] == '0';

		*value = (struct json){.type = JSON_NUMBER, .text = zero ? STR("0") : text};
		return 0;
	}
	if (!is_disputed_integer(text))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "'%.*s' is a number that versions of Elasticsearch read differently",
		       (int)MIN(text.len, (size_t)60), text.ptr);
}

static int resolve_plain(struct str text, struct arena *mem, struct json *value, struct err *err)
{
	struct yaml_float number;

	if (is_null(text))
		value->type = JSON_NULL;
	else if (is_true(text))
		value->type = JSON_TRUE;
	else if (is_false(text))
		value->type = JSON_FALSE;
	else if (split_float(text, &number))
		return write_float(&number, mem, value, err);
	else
		return resolve_integer(text, value, err);
	return 0;
}

/* !!float makes one of an integer too. */
static int resolve_float(struct str text, struct arena *mem, struct json *value, struct err *err)
{
	struct yaml_float number = {.point = true, .fraction = STR("0")};

	if (split_float(text, &number))
		return write_float(&number, mem, value, err);
	if (!is_integer(text))
		return resolve_integer(text, value, err);
	number = (struct yaml_float){.negative = text.ptr[0] == '-',
				     .point = true,
				     .whole = str_from_offset(text, text.ptr[0] == '-'),
				     .exponent = STR("")};
	return write_float(&number, mem, value, err);
}

/* Base64 is the same without the line breaks in it. */
static int resolve_binary(struct str text, struct arena *mem, struct json *value, struct err *err)
{
	char *joined = arena_alloc(mem, text.len);
	size_t len = 0;

	if (!joined)
		return arena_fail(mem, "YAML", err);
	for (size_t i = 0; i < text.len; i++)
		if (!memchr(" \t\r\n", text.ptr[i], 4))
			joined[len++] = text.ptr[i];
	value->text = str_of(joined, len);
	return 0;
}

static int resolve_tagged(struct str text, const char *tag, struct arena *mem, struct json *value,
			  struct err *err)
{
	if (strcmp(tag, "int") == 0)
		return resolve_integer(text, value, err);
	if (strcmp(tag, "float") == 0)
		return resolve_float(text, mem, value, err);
	if (strcmp(tag, "binary") == 0)
		return resolve_binary(text, mem, value, err);
	if (strcmp(tag, "null") == 0)
		value->type = JSON_NULL;
	else if (strcmp(tag, "bool") == 0 && (is_true(text) || is_false(text)))
		value->type = is_true(text) ? JSON_TRUE : JSON_FALSE;
	return 0;
}

int yaml_scalar_resolve(const struct yaml_scalar *scalar, struct arena *mem, struct json *value,
			struct err *err)
{
	*value = (struct json){.type = JSON_STRING, .text = scalar->text};
	/* A lone '!' is no tag to Elasticsearch, and it makes a quoted text a plain one. */
	if (!scalar->tag || strcmp(scalar->tag, "!") == 0)
		return scalar->plain || scalar->tag ? resolve_plain(scalar->text, mem, value, err)
						    : 0;
	if (strncmp(scalar->tag, YAML_TAG, sizeof(YAML_TAG) - 1) != 0)
		return 0;
	return resolve_tagged(scalar->text, scalar->tag + sizeof(YAML_TAG) - 1, mem, value, err);
}
