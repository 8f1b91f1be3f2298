/* Formats of dates: joda's letters as java.time spells them. */
#include "metadata/rules_internal.h"

#include <ctype.h>

#define FORMAT_MAX KIB(4)

/* Names that Elasticsearch 1 to 7 spelled in camel case, as all versions from 7 on know them. */
static bool is_name(struct str format)
{
	bool letters = true;

	if (!format.ptr || format.len < 5)
		return false;

	/* A pattern never has so many different letters in a row; a name has vowels early. */
	for (size_t i = 0; i < format.len; i++)
		letters &= isalpha((unsigned char)format.ptr[i]) || format.ptr[i] == '_' ||
			   isdigit((unsigned char)format.ptr[i]);
	return letters && (memmem(format.ptr, format.len, "ate", 3) ||
			   memmem(format.ptr, format.len, "ime", 3) ||
			   memmem(format.ptr, format.len, "asic", 4) ||
			   memmem(format.ptr, format.len, "epoch", 5) ||
			   memmem(format.ptr, format.len, "our", 3) ||
			   memmem(format.ptr, format.len, "year", 4) ||
			   memmem(format.ptr, format.len, "eek", 3) ||
			   memmem(format.ptr, format.len, "iso", 3));
}

/* dateOptionalTime → date_optional_time */
static void append_snake(struct buf *out, struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (isupper((unsigned char)c) && i > 0)
			buf_append_byte(out, '_');
		buf_append_byte(out, (char)tolower((unsigned char)c));
	}
}

/* One letter outside of quotes. */
static const char *java_letter(char c)
{
	switch (c) {
	case 'Y': /* year of era */
		return "y";
	case 'x': /* week year */
		return "Y";
	default:
		return NULL;
	}
}

static void append_java(struct buf *out, struct str pattern)
{
	bool quoted = false;

	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];
		const char *letter;

		if (c == '\'')
			quoted = !quoted;
		if (!quoted && c == 'Z') {
			size_t run = 1;

			while (i + run < pattern.len && pattern.ptr[i + run] == 'Z')
				run++;
			/* ZZ is an offset with a colon, Z one without; ZZZ a zone's name. */
			buf_append_str(out, run == 1   ? STR("XX")
					    : run == 2 ? STR("XXX")
						       : STR("VV"));
			i += run - 1;
			continue;
		}
		letter = quoted ? NULL : java_letter(c);
		if (letter)
			buf_append_str(out, str_from(letter));
		else
			buf_append_byte(out, c);
	}
}

static void convert_formats(struct buf *out, struct str formats, bool patterns)
{
	while (formats.ptr && formats.len > 0) {
		const char *bar = memmem(formats.ptr, formats.len, "||", 2);
		struct str one =
			str_of(formats.ptr, bar ? (size_t)(bar - formats.ptr) : formats.len);

		formats = str_from_offset(formats, one.len + (bar ? 2 : 0));
		if (one.len > 1 && one.ptr[0] == '8' && !is_name(one))
			one = str_from_offset(one, 1);
		if (is_name(one))
			append_snake(out, one);
		else if (patterns)
			append_java(out, one);
		else
			buf_append_str(out, one);
		if (bar)
			buf_append_str(out, STR("||"));
	}
}

static bool is_date(const struct json *definition)
{
	struct str type = json_string(json_get(definition, "type"));

	return str_is(type, "date") || str_is(type, "date_nanos") || str_is(type, "date_range");
}

static bool convert(struct rule_scope *scope, const char *rule, struct json *format, bool patterns)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FORMAT_MAX);
	struct str before = json_string(format);

	if (!before.ptr)
		return false;
	convert_formats(&text, before, patterns);
	if (text.failed || str_eq(buf_str(&text), before))
		return false;
	format->text = arena_str(&scope->set->mem, buf_str(&text));
	rule_note(scope, rule, patterns ? NOTE_WARN : NOTE_CHANGE,
		  "date format " STR_FMT " is " STR_FMT "%s", STR_ARG(before),
		  STR_ARG(format->text), patterns ? ": java.time reads digits more strictly" : "");
	return true;
}

static bool convert_joda(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return is_date(definition) &&
	       convert(scope, "date-format", json_get(definition, "format"), true);
}

static bool convert_names(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return is_date(definition) &&
	       convert(scope, "date-format-names", json_get(definition, "format"), false);
}

static bool convert_dynamic(struct rule_scope *scope, struct str name, struct json *mapping)
{
	bool changed = false;

	(void)name;
	json_each (format, json_get(mapping, "dynamic_date_formats"))
		changed |= convert(scope, "date-format-dynamic", format, true);
	return changed;
}

/* Elasticsearch 1 read any number as milliseconds, whatever the format; where none was given it
 * says dateOptionalTime. */
static bool keep_leniency(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct str format = json_string(json_get(definition, "format"));

	(void)name;
	if (!str_is(json_string(json_get(definition, "type")), "date") ||
	    (format.ptr && memmem(format.ptr, format.len, "epoch", 5)))
		return false;
	if (!format.ptr)
		format = STR("date_optional_time");
	format = arena_printf(&scope->set->mem, STR_FMT "||epoch_millis", STR_ARG(format));
	json_set(definition, STR("format"), json_new_string(&scope->set->mem, format));
	rule_note(scope, "date-default", NOTE_CHANGE,
		  "format " STR_FMT ": numbers were milliseconds in any format", STR_ARG(format));
	return true;
}

/* Letters outside of quotes that the two read differently, or only one knows. */
static bool has_doubtful_letters(struct str pattern)
{
	bool quoted = false;

	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];

		if (c == '\'')
			quoted = !quoted;
		if (!quoted && (c == 'C' || c == 'e' || c == 'E'))
			return true;
	}
	return false;
}

static bool doubt(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct str rest = json_string(json_get(definition, "format"));
	bool doubtful = false;

	(void)name;
	if (!is_date(definition))
		return false;
	while (rest.ptr && rest.len > 0) {
		const char *bar = memmem(rest.ptr, rest.len, "||", 2);
		struct str one = str_of(rest.ptr, bar ? (size_t)(bar - rest.ptr) : rest.len);

		rest = str_from_offset(rest, one.len + (bar ? 2 : 0));
		doubtful |= !is_name(one) && has_doubtful_letters(one);
	}
	if (doubtful)
		rule_note(scope, "date-format-letters", NOTE_WARN,
			  "java.time reads E and e by the target's locale and knows no C: try the "
			  "format before the documents come");
	return doubtful;
}

const struct rule rules_of_dates[] = {
	{"date-format-letters", "B706", RULE_FIELD, ES_BELOW(7000), OS_OR_ES_FROM(7000),
	 "Letters of dates that java.time reads differently", doubt},
	{"date-default", "B205", RULE_FIELD, ES_BELOW(2000), ANY_VERSION,
	 "Numbers were dates in any format of Elasticsearch 1, and its default was lenient",
	 keep_leniency},
	{"date-format", "B706", RULE_FIELD, ES_BELOW(7000), OS_OR_ES_FROM(7000),
	 "Formats of dates in java.time's letters", convert_joda},
	{"date-format-dynamic", "B706", RULE_MAPPING, ES_BELOW(7000), OS_OR_ES_FROM(7000),
	 "Formats of dates that are detected", convert_dynamic},
	{"date-format-names", NULL, RULE_FIELD, ES_BETWEEN(7000, 8000), ANY_VERSION,
	 "Names of formats as Elasticsearch 8 spells them", convert_names},
	{0},
};
