/* Strings of Elasticsearch 1 to 4: text or keyword. */
#include "metadata/rules_internal.h"

static bool is_string_type(const struct json *definition)
{
	struct str type = json_string(json_get(definition, "type"));

	return str_is(type, "string");
}

static bool says_no(const struct json *value)
{
	struct str text = json_string(value);

	return (value && value->type == JSON_FALSE) || str_is(text, "no") || str_is(text, "false");
}

static bool is_keyword(const struct json *definition)
{
	const struct json *index = json_get(definition, "index");

	return says_no(index) || str_is(json_string(index), "not_analyzed");
}

/* norms: {enabled: x} and omit_norms: x as norms: true or false. */
static void plain_norms(struct rule_scope *scope, struct json *definition)
{
	struct json *norms = json_get(definition, "norms");
	struct json *omit = json_remove(definition, STR("omit_norms"));
	struct arena *mem = &scope->set->mem;

	if (norms && norms->type == JSON_OBJECT)
		json_set(definition, STR("norms"),
			 json_new_bool(mem, json_bool_or(json_get(norms, "enabled"), true)));
	else if (omit)
		json_set(definition, STR("norms"), json_new_bool(mem, !json_bool_or(omit, false)));
}

static void remove_members(struct json *definition, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_remove(definition, str_from(names[i]));
}

static void become_keyword(struct rule_scope *scope, struct json *definition)
{
	static const char *const of_text[] = {"analyzer",
					      "search_analyzer",
					      "search_quote_analyzer",
					      "index_analyzer",
					      "position_increment_gap",
					      "position_offset_gap",
					      "term_vector",
					      "fielddata",
					      "norms"};
	bool norms = json_bool_or(json_get(definition, "norms"), false);
	bool unindexed = says_no(json_get(definition, "index"));

	remove_members(definition, of_text, COUNT_OF(of_text));
	json_remove(definition, STR("index"));
	if (norms)
		json_set(definition, STR("norms"), json_new_bool(&scope->set->mem, true));
	if (unindexed)
		json_set(definition, STR("index"), json_new_bool(&scope->set->mem, false));
	field_set_type(scope, definition, "keyword");
}

static void add_keyword_subfield(struct rule_scope *scope, struct json *definition)
{
	struct arena *mem = &scope->set->mem;
	struct json *fields = json_get(definition, "fields"), *keyword;

	if (!fields) {
		fields = json_new(mem, JSON_OBJECT);
		json_set(definition, STR("fields"), fields);
	}
	if (json_get(fields, "keyword"))
		return;
	keyword = json_new(mem, JSON_OBJECT);
	json_set(keyword, STR("type"), json_new_string(mem, STR("keyword")));
	json_set(keyword, STR("ignore_above"), json_new_i64(mem, 256));
	json_set(fields, STR("keyword"), keyword);
}

static void become_text(struct rule_scope *scope, struct json *definition)
{
	static const char *const of_keyword[] = {"doc_values", "null_value", "ignore_above",
						 "index"};
	/* A multi-field has no multi-fields of its own. */
	bool subfield = memmem(scope->path.ptr, scope->path.len, ".fields.", 8) != NULL;

	remove_members(definition, of_keyword, COUNT_OF(of_keyword));
	field_set_type(scope, definition, "text");
	if (scope->options->keyword_subfields && !subfield)
		add_keyword_subfield(scope, definition);
}

static bool split_string(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct str index = json_string(json_get(definition, "index"));

	(void)name;
	if (!is_string_type(definition))
		return false;
	plain_norms(scope, definition);
	if (is_keyword(definition))
		become_keyword(scope, definition);
	else
		become_text(scope, definition);
	rule_note(scope, "string-to-text", NOTE_CHANGE, "string%s" STR_FMT " is " STR_FMT " now",
		  index.len ? ", index: " : "", STR_ARG(index), STR_ARG(field_type(definition)));
	return true;
}

/* Index, norms and fielddata of everything that is no string. */
static bool plain_index(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct json *index = json_get(definition, "index");
	struct str text = json_string(index);

	(void)name;
	if (is_string_type(definition) || !index || index->type != JSON_STRING)
		return false;
	if (says_no(index))
		json_set(definition, STR("index"), json_new_bool(&scope->set->mem, false));
	else
		json_remove(definition, STR("index"));
	rule_note(scope, "index-boolean", NOTE_CHANGE, "index: " STR_FMT " is %s now",
		  STR_ARG(text), says_no(index) ? "false" : "the default");
	return true;
}

/* {"type": "multi_field", "fields": {"name": {main}, "raw": {…}}} */
static bool dissolve_multi_field(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct json *fields = json_get(definition, "fields"), *main_field;

	if (!str_is(json_string(json_get(definition, "type")), "multi_field"))
		return false;
	/* A dynamic template names its main field so. */
	main_field = json_remove(fields, name.len ? name : STR("{name}"));
	if (!main_field)
		field_set_type(scope, definition, "string");
	for (struct json *member = main_field ? main_field->first : NULL, *next; member;
	     member = next) {
		next = member->next;
		json_set(definition, member->key, json_copy(&scope->set->mem, member));
	}
	if (fields && !fields->first)
		json_remove(definition, STR("fields"));
	json_remove(definition, STR("path"));
	rule_note(scope, "multi-field", NOTE_CHANGE,
		  "multi_field is a field with fields of its own now");
	return true;
}

/* The type that a dynamic template gives to new fields. */
static bool name_dynamic_type(struct rule_scope *scope, struct str name, struct json *definition)
{
	if (name.len || !str_is(json_string(json_get(definition, "type")), "{dynamic_type}") ||
	    !json_string(json_get(definition, "index")).ptr)
		return false;
	json_remove(definition, STR("index"));
	rule_note(scope, "dynamic-type", NOTE_CHANGE,
		  "removed index of a field of any type: it is a matter of text and keyword now");
	return true;
}

const struct rule rules_of_strings[] = {
	{"multi-field", "B502", RULE_FIELD, ES_BELOW(5000), ANY_VERSION,
	 "The type multi_field of Elasticsearch 1", dissolve_multi_field},
	{"dynamic-type", "B501", RULE_FIELD, ES_BELOW(5000), ANY_VERSION,
	 "Dynamic templates of any type", name_dynamic_type},
	{"string-to-text", "B501", RULE_FIELD, ES_BELOW(6000), ANY_VERSION,
	 "string is text where it was analysed, keyword where it was not", split_string},
	{"index-boolean", "B502", RULE_FIELD, ES_BELOW(6000), ANY_VERSION, "index is true or false",
	 plain_index},
	{0},
};
