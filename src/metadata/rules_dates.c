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
	case 'Z':
		return "X";
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
		/* ZZ is an offset with a colon, Z one without. */
		if (!quoted && c == 'Z') {
			bool colon = i + 1 < pattern.len && pattern.ptr[i + 1] == 'Z';

			buf_append_str(out, colon ? STR("XXX") : STR("XX"));
			i += colon;
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

/* Elasticsearch 1 read dates leniently where nothing else was said. */
static bool keep_leniency(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	if (!str_is(json_string(json_get(definition, "type")), "date") ||
	    json_get(definition, "format"))
		return false;
	json_set(definition, STR("format"),
		 json_new_string(&scope->set->mem, STR("date_optional_time||epoch_millis")));
	rule_note(scope, "date-default", NOTE_CHANGE,
		  "format date_optional_time||epoch_millis, which was the default");
	return true;
}

const struct rule rules_of_dates[] = {
	{"date-default", "B205", RULE_FIELD, ES_BELOW(2000), ANY_VERSION,
	 "The lenient default format of Elasticsearch 1, spelled out", keep_leniency},
	{"date-format", "B706", RULE_FIELD, ES_BELOW(7000), ANY_VERSION,
	 "Formats of dates in java.time's letters", convert_joda},
	{"date-format-dynamic", "B706", RULE_MAPPING, ES_BELOW(7000), ANY_VERSION,
	 "Formats of dates that are detected", convert_dynamic},
	{"date-format-names", NULL, RULE_FIELD, ES_BETWEEN(7000, 8000), ANY_VERSION,
	 "Names of formats as Elasticsearch 8 spells them", convert_names},
	{0},
};
