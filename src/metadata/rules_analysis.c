/* Analysis: names that changed, in definitions and where they are used. */
#include "metadata/rules_internal.h"

#include <inttypes.h>

struct spelling {
	const char *old_name, *new_name;
};

static const struct spelling filters[] = {
	{"nGram", "ngram"},
	{"edgeNGram", "edge_ngram"},
	{"delimited_payload_filter", "delimited_payload"},
	{"analysis_delimited_payload_filter", "delimited_payload"},
};
static const struct spelling tokenizers[] = {
	{"nGram", "ngram"},
	{"edgeNGram", "edge_ngram"},
	{"PathHierarchy", "path_hierarchy"},
};
static const struct spelling char_filters[] = {{"htmlStrip", "html_strip"}};

static const char *new_name_of(struct str name, const struct spelling *spellings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(name, spellings[i].old_name))
			return spellings[i].new_name;
	return NULL;
}

/* The string at `place` (an element, or a member), by its new name. `own`: names that the index
 * defines itself stay. */
static bool respell(struct rule_scope *scope, const char *rule, struct json *place,
		    const struct json *own, const struct spelling *spellings, size_t count)
{
	struct str name = json_string(place);
	const char *spelled;

	if (!name.ptr || (own && json_get_str(own, name)))
		return false;
	spelled = new_name_of(name, spellings, count);
	if (!spelled)
		return false;
	rule_note(scope, rule, NOTE_CHANGE, "'" STR_FMT "' is called %s now", STR_ARG(name),
		  spelled);
	place->text = str_from(spelled);
	return true;
}

/* A name, or a list of names. */
static bool respell_uses(struct rule_scope *scope, const char *rule, struct json *uses,
			 const struct json *own, const struct spelling *spellings, size_t count)
{
	bool changed = false;

	if (!uses)
		return false;
	if (uses->type != JSON_ARRAY)
		return respell(scope, rule, uses, own, spellings, count);
	json_each (use, uses)
		changed |= respell(scope, rule, use, own, spellings, count);
	return changed;
}

static bool respell_types(struct rule_scope *scope, const char *rule, struct json *components,
			  const struct spelling *spellings, size_t count)
{
	bool changed = false;

	json_each (component, components) {
		struct json *type = json_get(component, "type");

		if (type)
			changed |= respell(scope, rule, type, NULL, spellings, count);
	}
	return changed;
}

static bool spell_names(struct rule_scope *scope, struct str name, struct json *analysis)
{
	static const char *const users[] = {"analyzer", "normalizer"};
	struct json *own_filters = json_get(analysis, "filter");
	struct json *own_tokenizers = json_get(analysis, "tokenizer");
	struct json *own_char_filters = json_get(analysis, "char_filter");
	const char *rule = "analysis-names";
	bool changed;

	(void)name;
	changed = respell_types(scope, rule, own_filters, filters, COUNT_OF(filters));
	changed |= respell_types(scope, rule, own_tokenizers, tokenizers, COUNT_OF(tokenizers));
	changed |=
		respell_types(scope, rule, own_char_filters, char_filters, COUNT_OF(char_filters));
	for (size_t i = 0; i < COUNT_OF(users); i++)
		json_each (user, json_get(analysis, users[i])) {
			changed |= respell_uses(scope, rule, json_get(user, "filter"), own_filters,
						filters, COUNT_OF(filters));
			changed |= respell_uses(scope, rule, json_get(user, "tokenizer"),
						own_tokenizers, tokenizers, COUNT_OF(tokenizers));
			changed |= respell_uses(scope, rule, json_get(user, "char_filter"),
						own_char_filters, char_filters,
						COUNT_OF(char_filters));
		}
	return changed;
}

/* Takes `name` out of a list of uses, or out of its object where it is the only one. */
static bool drop_use(struct json *user, const char *member, struct str name)
{
	struct json *uses = json_get(user, member), *kept = NULL, *last = NULL;
	size_t count = 0;

	if (!uses)
		return false;
	if (uses->type != JSON_ARRAY) {
		if (!str_eq(json_string(uses), name))
			return false;
		json_remove(user, str_from(member));
		return true;
	}
	for (struct json *use = uses->first, *next; use; use = next) {
		next = use->next;
		if (str_eq(json_string(use), name))
			continue;
		use->next = NULL;
		if (last)
			last->next = use;
		else
			kept = use;
		last = use;
		count++;
	}
	if (count == uses->count)
		return false;
	uses->first = kept;
	uses->last = last;
	uses->count = count;
	return true;
}

/* A filter of the user's own name and of type standard did nothing, either. */
static bool drop_own_standard_filters(struct rule_scope *scope, struct json *analysis)
{
	struct json *own = json_get(analysis, "filter");
	bool changed = false;

	for (struct json *filter = own ? own->first : NULL, *next; filter; filter = next) {
		next = filter->next;
		if (!str_is(json_string(json_get(filter, "type")), "standard"))
			continue;
		json_each (analyzer, json_get(analysis, "analyzer"))
			drop_use(analyzer, "filter", filter->key);
		rule_note(scope, "analysis-standard-filter", NOTE_CHANGE,
			  "removed filter '" STR_FMT "' of type standard: it did nothing, and is "
			  "gone",
			  STR_ARG(filter->key));
		json_remove(own, filter->key);
		changed = true;
	}
	return changed;
}

static bool drop_standard_filter(struct rule_scope *scope, struct str name, struct json *analysis)
{
	bool changed = drop_own_standard_filters(scope, analysis);

	(void)name;
	if (json_get(json_get(analysis, "filter"), "standard"))
		return changed;
	json_each (analyzer, json_get(analysis, "analyzer"))
		if (drop_use(analyzer, "filter", STR("standard"))) {
			rule_note(scope, "analysis-standard-filter", NOTE_CHANGE,
				  "removed filter standard of analyzer '" STR_FMT
				  "': it did nothing, and is gone",
				  STR_ARG(analyzer->key));
			changed = true;
		}
	return changed;
}

#define HTML_STRIP "standard_html_strip"

static void spell_out_html_strip(struct rule_scope *scope, struct json *analyzer)
{
	struct arena *mem = &scope->set->mem;
	struct json *before = json_new(mem, JSON_ARRAY), *after = json_new(mem, JSON_ARRAY);

	json_append(before, json_new_string(mem, STR("html_strip")));
	json_append(after, json_new_string(mem, STR("lowercase")));
	json_set(analyzer, STR("type"), json_new_string(mem, STR("custom")));
	json_set(analyzer, STR("tokenizer"), json_new_string(mem, STR("standard")));
	json_set(analyzer, STR("char_filter"), before);
	json_set(analyzer, STR("filter"), after);
	rule_note(scope, "analysis-html-strip", NOTE_CHANGE,
		  "analyzer '" STR_FMT "' of type " HTML_STRIP
		  " is spelled out: html_strip, standard, lowercase",
		  STR_ARG(analyzer->key));
}

/* Whether a field at any depth, below types as well, names the built-in analyzer itself. */
static bool names_html_strip(const struct json *node)
{
	json_each (member, node) {
		bool analyzer =
			str_is(member->key, "analyzer") || str_ends(member->key, STR("_analyzer"));

		if (analyzer && str_is(json_string(member), HTML_STRIP))
			return true;
		if (names_html_strip(member))
			return true;
	}
	return false;
}

static struct json *member_of(struct json *parent, const char *name, struct arena *mem)
{
	struct json *found = json_get(parent, name);

	if (found)
		return found;
	json_set(parent, str_from(name), json_new(mem, JSON_OBJECT));
	return json_get(parent, name);
}

/* An analyzer of one's own may have the name of one that is gone. */
static void define_html_strip(struct rule_scope *scope, struct json *content)
{
	struct arena *mem = &scope->set->mem;
	struct json *settings = member_of(content, "settings", mem);
	struct json *analyzers = member_of(member_of(settings, "analysis", mem), "analyzer", mem);

	json_set(analyzers, STR(HTML_STRIP), json_new(mem, JSON_OBJECT));
	spell_out_html_strip(scope, json_get(analyzers, HTML_STRIP));
}

static bool replace_html_strip_analyzer(struct rule_scope *scope, struct str name,
					struct json *node)
{
	struct json *template = json_get(node, "template");
	struct json *content = template && template->type == JSON_OBJECT ? template : node;
	struct json *analyzers = json_path(content, "settings", "analysis", "analyzer", NULL);
	bool changed = false;

	(void)name;
	scope->path =
		content == node ? STR("settings.analysis") : STR("template.settings.analysis");
	json_each (analyzer, analyzers)
		if (str_is(json_string(json_get(analyzer, "type")), HTML_STRIP)) {
			spell_out_html_strip(scope, analyzer);
			changed = true;
		}
	if (!json_get(analyzers, HTML_STRIP) && names_html_strip(json_get(content, "mappings"))) {
		define_html_strip(scope, content);
		changed = true;
	}
	scope->path = STR_NONE;
	return changed;
}

static bool rename_default_index(struct rule_scope *scope, struct str name, struct json *analysis)
{
	struct json *analyzers = json_get(analysis, "analyzer");
	struct json *found = json_remove(analyzers, STR("default_index"));

	(void)name;
	if (!found)
		return false;
	if (!json_get(analyzers, "default"))
		json_set(analyzers, STR("default"), found);
	rule_note(scope, "analysis-default-index", NOTE_CHANGE,
		  "analyzer default_index is called default now");
	return true;
}

static int64_t largest_ngram_gap(const struct json *components)
{
	int64_t gap = 0;

	json_each (component, components) {
		int64_t from = json_i64_or(json_get(component, "min_gram"), 1);
		int64_t to = json_i64_or(json_get(component, "max_gram"), 2);

		if (field_has_type(component, "ngram") || field_has_type(component, "nGram"))
			gap = MAX(gap, to - from);
	}
	return gap;
}

/* The tokens themselves, unless they are left out, count as well. */
static int64_t largest_shingle_gap(const struct json *own_filters)
{
	int64_t gap = 0;

	json_each (filter, own_filters) {
		int64_t from = json_i64_or(json_get(filter, "min_shingle_size"), 2);
		int64_t to = json_i64_or(json_get(filter, "max_shingle_size"), 2);
		bool tokens = json_bool_or(json_get(filter, "output_unigrams"), true);

		if (field_has_type(filter, "shingle"))
			gap = MAX(gap, to - from + tokens);
	}
	return gap;
}

static bool allow_gap(struct rule_scope *scope, struct json *settings, const char *setting,
		      int64_t gap, int64_t limit)
{
	if (gap <= limit || json_i64_or(settings_get(settings, setting), 0) >= gap)
		return false;
	settings_set(settings, setting, json_new_i64(&scope->set->mem, gap), &scope->set->mem);
	rule_note(scope, "analysis-gaps", NOTE_CHANGE, "%s is %" PRId64 ", as its analysis needs",
		  setting, gap);
	return true;
}

static bool allow_gaps(struct rule_scope *scope, struct str name, struct json *settings)
{
	const struct json *analysis = json_get(settings, "analysis");
	const struct json *own_filters = json_get(analysis, "filter");
	int64_t in_filters = largest_ngram_gap(own_filters);
	int64_t in_tokenizers = largest_ngram_gap(json_get(analysis, "tokenizer"));
	int64_t in_shingles = largest_shingle_gap(own_filters);
	bool changed =
		allow_gap(scope, settings, "max_ngram_diff", MAX(in_filters, in_tokenizers), 1);

	(void)name;
	return allow_gap(scope, settings, "max_shingle_diff", in_shingles, 3) || changed;
}

const struct rule rules_of_analysis[] = {
	{"analysis-gaps", "B702", RULE_SETTINGS, ES_BELOW(7000), ANY_VERSION,
	 "Limits of n-grams and shingles as wide as the analysis needs", allow_gaps},
	{"analysis-default-index", "B504", RULE_ANALYSIS, ES_BELOW(5000), ANY_VERSION,
	 "The analyzer default_index is called default", rename_default_index},
	{"analysis-standard-filter", "B703", RULE_ANALYSIS, ES_BELOW(8000), ANY_VERSION,
	 "The token filter standard is gone", drop_standard_filter},
	{"analysis-names", "B703,B802", RULE_ANALYSIS, ES_BELOW(8000), ANY_VERSION,
	 "Analysis components by the names they have now", spell_names},
	{"analysis-html-strip", "B703", RULE_BODY, ES_BELOW(8000), ANY_VERSION,
	 "The analyzer standard_html_strip, spelled out", replace_html_strip_analyzer},
	{0},
};
