/* Aliases of indices and templates. */
#include "metadata/rules_internal.h"

/* Elasticsearch 1 to 5 took these spellings in templates. */
static const char *const spellings[][2] = {
	{"index-routing", "index_routing"},
	{"indexRouting", "index_routing"},
	{"search-routing", "search_routing"},
	{"searchRouting", "search_routing"},
};

static bool spell_routing(struct rule_scope *scope, struct str name, struct json *node)
{
	bool changed = false;

	(void)name;
	json_each (alias, node)
		for (size_t i = 0; i < COUNT_OF(spellings); i++) {
			struct json *value = json_remove(alias, str_from(spellings[i][0]));

			if (!value)
				continue;
			json_set(alias, str_from(spellings[i][1]), value);
			rule_note(scope, "alias-routing-spelling", NOTE_CHANGE,
				  "%s of alias '" STR_FMT "' is spelled %s", spellings[i][0],
				  STR_ARG(alias->key), spellings[i][1]);
			changed = true;
		}
	return changed;
}

static bool remove_hidden(struct rule_scope *scope, struct str name, struct json *node)
{
	bool changed = false;

	(void)name;
	json_each (alias, node)
		if (json_remove(alias, STR("is_hidden"))) {
			rule_note(scope, "alias-hidden", NOTE_WARN,
				  "alias '" STR_FMT "' is not hidden on the target: it takes no "
				  "hidden aliases",
				  STR_ARG(alias->key));
			changed = true;
		}
	return changed;
}

static bool remove_write_index(struct rule_scope *scope, struct str name, struct json *node)
{
	bool changed = false;

	(void)name;
	json_each (alias, node)
		if (json_remove(alias, STR("is_write_index"))) {
			rule_note(scope, "alias-write-index", NOTE_WARN,
				  "alias '" STR_FMT "' has no write index on the target: it knows "
				  "none",
				  STR_ARG(alias->key));
			changed = true;
		}
	return changed;
}

const struct rule rules_of_aliases[] = {
	{"alias-routing-spelling", "B506", RULE_ALIASES, ES_BELOW(6000), ANY_VERSION,
	 "Routing of aliases as later versions spell it", spell_routing},
	{"alias-hidden", NULL, RULE_ALIASES, ANY_VERSION, ES_BELOW(7007),
	 "Hidden aliases came with Elasticsearch 7.7", remove_hidden},
	{"alias-write-index", NULL, RULE_ALIASES, ANY_VERSION, ES_BELOW(6004),
	 "Write indices of aliases came with Elasticsearch 6.4", remove_write_index},
	{0},
};
