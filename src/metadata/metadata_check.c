/* What cannot be, told before anything is created. */
#include "metadata/metadata_write.h"
#include "metadata/check_awareness.h"

#include <inttypes.h>

struct checking {
	struct metadata_set *set;
	struct cluster *target;
	struct json *indices, *aliases, *components, *plugins; /* names on the target, as members */
	int64_t zones; /* copies must be a multiple of it; 0: no matter */
};

static bool is_going(const struct metadata_item *item)
{
	return item->outcome != OUTCOME_EXCLUDED && item->outcome != OUTCOME_BLOCKED &&
	       item->outcome != OUTCOME_REPORTED;
}

static void block(struct checking *c, struct metadata_item *item, struct str reason)
{
	item->outcome = OUTCOME_BLOCKED;
	item->reason = reason;
	metadata_item_note(c->set, item, NOTE_ERROR, "", STR_NONE, STR_FMT, STR_ARG(reason));
}

/* *answer NULL: the endpoint is not there, or not for us (noted with `kind`). */
static int ask(struct checking *c, enum metadata_kind kind, const char *path, struct json **answer,
	       struct err *err)
{
	struct err refused = {0};
	int status, rc = cluster_request(c->target, "GET", path, STR_NONE, true, &c->set->mem,
					 &status, answer, &refused);

	if (rc == 0 && status == 200)
		return 0;
	*answer = NULL;
	if (rc == 0)
		return 0;
	if (refused.kind != ERR_AUTH) {
		*err = refused;
		return rc;
	}
	metadata_note_unreadable(c->set, kind, str_from(refused.message));
	return 0;
}

/* The column `member` of a listing; NULL: as ask says. */
static int read_names(struct checking *c, enum metadata_kind kind, const char *path,
		      const char *list, const char *member, struct json **out, struct err *err)
{
	struct json *answer = NULL;
	int rc = ask(c, kind, path, &answer, err);

	*out = NULL;
	if (rc < 0 || !answer)
		return rc;
	*out = json_new(&c->set->mem, JSON_OBJECT);
	json_each (row, list ? json_get(answer, list) : answer)
		json_set(*out, json_string(json_get(row, member)),
			 json_new_bool(&c->set->mem, true));
	return 0;
}

/* The item of that name that goes to the target, by its name there. */
static const struct metadata_item *find_going(const struct metadata_set *set,
					      enum metadata_kind kind, struct str name)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->kind == kind && is_going(set->items[i]) &&
		    str_eq(set->items[i]->target_name, name))
			return set->items[i];
	return NULL;
}

/* Aliases travel in the bodies of their indices, so these cannot go either. */
static void block_alias(struct checking *c, struct metadata_item *alias, struct str reason)
{
	block(c, alias, reason);
	json_each (member, alias->source) {
		struct metadata_item *index =
			metadata_set_find(c->set, METADATA_INDEX, member->key);

		if (index && is_going(index))
			block(c, index,
			      arena_printf(&c->set->mem, "its alias '" STR_FMT "': " STR_FMT,
					   STR_ARG(alias->name), STR_ARG(reason)));
	}
}

static void check_alias(struct checking *c, struct metadata_item *alias)
{
	size_t writers = 0;

	if (find_going(c->set, METADATA_INDEX, alias->target_name) ||
	    json_get_str(c->indices, alias->target_name)) {
		block_alias(c, alias,
			    STR("the alias has the name of an index on the target; rename or "
				"delete one of them"));
		return;
	}
	json_each (member, alias->source) {
		const struct metadata_item *index =
			metadata_set_find(c->set, METADATA_INDEX, member->key);

		/* What is not selected does not go. */
		if (!index || is_going(index))
			writers += json_bool_or(json_get(member, "is_write_index"), false);
	}
	if (writers > 1)
		block_alias(c, alias,
			    arena_printf(&c->set->mem,
					 "%zu indices are its write index; a target takes one",
					 writers));
}

static void check_components(struct checking *c, struct metadata_item *template)
{
	const struct json *ignored =
		json_get(template->result, "ignore_missing_component_templates");

	json_each (name, json_get(template->result, "composed_of")) {
		struct str component = json_string(name);
		bool may_miss = false;

		json_each (other, ignored)
			may_miss |= str_eq(json_string(other), component);
		if (may_miss || find_going(c->set, METADATA_COMPONENT_TEMPLATE, component) ||
		    !c->components || json_get_str(c->components, component))
			continue;
		block(c, template,
		      arena_printf(&c->set->mem,
				   "its component template '" STR_FMT
				   "' is neither selected nor on the target; name it with "
				   "--component-template-allowlist",
				   STR_ARG(component)));
		return;
	}
}

/* Types of analysis components that a plugin brings. */
static const struct {
	const char *type;
	bool prefix;
	const char *plugin;
} analysis_plugins[] = {
	{"icu_", true, "analysis-icu"},
	{"phonetic", false, "analysis-phonetic"},
	{"kuromoji", true, "analysis-kuromoji"},
	{"nori", true, "analysis-nori"},
	{"smartcn", true, "analysis-smartcn"},
	{"polish", false, "analysis-stempel"},
	{"polish_stem", false, "analysis-stempel"},
	{"ukrainian", false, "analysis-ukrainian"},
};

static const char *plugin_of(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(analysis_plugins); i++) {
		struct str name = str_from(analysis_plugins[i].type);

		if (analysis_plugins[i].prefix ? str_starts(type, name) : str_eq(type, name))
			return analysis_plugins[i].plugin;
	}
	return NULL;
}

static void check_analysis(struct checking *c, struct metadata_item *item,
			   const struct json *content)
{
	/* Not readable: not known. */
	if (!c->plugins)
		return;
	json_each (class, json_path(content, "settings", "analysis", NULL))
		json_each (component, class) {
			const char *plugin = plugin_of(json_string(json_get(component, "type")));

			if (!plugin || json_get(c->plugins, plugin))
				continue;
			block(c, item,
			      arena_printf(&c->set->mem,
					   "its analysis component '" STR_FMT
					   "' needs the plugin %s, which the target does not have",
					   STR_ARG(component->key), plugin));
			return;
		}
}

/* Types of fields that a plugin brings. */
static const struct {
	const char *type, *plugin;
} field_plugins[] = {
	{"murmur3", "mapper-murmur3"},
	{"annotated_text", "mapper-annotated-text"},
	{"icu_collation_keyword", "analysis-icu"},
	{"knn_vector", "opensearch-knn"},
	{"xy_point", "opensearch-geospatial"},
	{"xy_shape", "opensearch-geospatial"},
};

/* The first field of such a type, at any depth; NULL: none. */
static const char *missing_field_plugin(const struct checking *c, const struct json *fields,
					struct str *field)
{
	json_each (definition, fields) {
		struct str type = json_string(json_get(definition, "type"));
		const char *found =
			missing_field_plugin(c, json_get(definition, "properties"), field);

		if (!found)
			found = missing_field_plugin(c, json_get(definition, "fields"), field);
		if (found)
			return found;
		for (size_t i = 0; i < COUNT_OF(field_plugins); i++)
			if (str_is(type, field_plugins[i].type) &&
			    !json_get(c->plugins, field_plugins[i].plugin)) {
				*field = definition->key;
				return field_plugins[i].plugin;
			}
	}
	return NULL;
}

static void check_fields(struct checking *c, struct metadata_item *item, const struct json *content)
{
	struct str field = STR_NONE;
	const char *plugin =
		c->plugins ? missing_field_plugin(
				     c, json_path(content, "mappings", "properties", NULL), &field)
			   : NULL;

	if (plugin)
		block(c, item,
		      arena_printf(&c->set->mem,
				   "its field '" STR_FMT
				   "' needs the plugin %s, which the target does not have",
				   STR_ARG(field), plugin));
}

/* Since Elasticsearch 8 a completion field has ten contexts at most. */
#define CONTEXTS_MAX 10

static const struct json *find_full_completion(const struct json *fields)
{
	json_each (definition, fields) {
		const struct json *contexts = json_get(definition, "contexts"), *found;

		if (contexts && contexts->type == JSON_ARRAY && contexts->count > CONTEXTS_MAX)
			return definition;
		found = find_full_completion(json_get(definition, "properties"));
		if (!found)
			found = find_full_completion(json_get(definition, "fields"));
		if (found)
			return found;
	}
	return NULL;
}

static void check_contexts(struct checking *c, struct metadata_item *item,
			   const struct json *content)
{
	const struct cluster_version *target = cluster_version(c->target);
	const struct json *field =
		find_full_completion(json_path(content, "mappings", "properties", NULL));

	if (field && target->flavour == CLUSTER_ELASTICSEARCH && target->major >= 8)
		block(c, item,
		      arena_printf(&c->set->mem,
				   "its completion field '" STR_FMT
				   "' has %zu contexts, of which the target takes %d; divide it",
				   STR_ARG(field->key), json_get(field, "contexts")->count,
				   CONTEXTS_MAX));
}

static int read_zones(struct checking *c, struct err *err)
{
	struct json *answer = NULL;
	int rc = ask(c, METADATA_CLUSTER_SETTINGS,
		     "/_cluster/settings?include_defaults=true&flat_settings=true", &answer, err);

	c->zones = answer ? awareness_zones(answer) : 0;
	return rc;
}

static void check_copies(struct checking *c, struct metadata_item *item, const struct json *content)
{
	if (awareness_refuses(content, c->zones))
		block(c, item,
		      arena_printf(&c->set->mem,
				   "its copies are no multiple of the target's %" PRId64
				   " zones; pass --cluster-awareness-attributes %" PRId64,
				   c->zones, c->zones));
}

static void check_index_name(struct checking *c, struct metadata_item *item,
			     const struct json *content)
{
	(void)content;
	if (item->kind == METADATA_INDEX && json_get_str(c->aliases, item->target_name))
		block(c, item,
		      STR("the index has the name of an alias on the target; rename or delete one "
			  "of them"));
}

static void check_item(struct checking *c, struct metadata_item *item)
{
	static void (*const checks[])(struct checking *, struct metadata_item *,
				      const struct json *) = {
		check_analysis, check_fields, check_contexts, check_copies, check_index_name};
	const struct json *content = json_get(item->result, "template");

	if (item->kind == METADATA_ALIAS)
		check_alias(c, item);
	if (item->kind == METADATA_INDEX_TEMPLATE)
		check_components(c, item);
	for (size_t i = 0; i < COUNT_OF(checks) && is_going(item); i++)
		checks[i](c, item, content ? content : item->result);
}

int metadata_check(struct metadata_set *set, struct cluster *target,
		   const struct metadata_write_options *options, struct err *err)
{
	struct checking c = {.set = set, .target = target};

	(void)options;
	if (read_names(&c, METADATA_INDEX, "/_cat/indices?format=json&h=index", NULL, "index",
		       &c.indices, err) < 0 ||
	    read_names(&c, METADATA_ALIAS, "/_cat/aliases?format=json&h=alias", NULL, "alias",
		       &c.aliases, err) < 0 ||
	    read_names(&c, METADATA_COMPONENT_TEMPLATE, "/_component_template",
		       "component_templates", "name", &c.components, err) < 0 ||
	    read_names(&c, METADATA_INDEX, "/_cat/plugins?format=json&h=component", NULL,
		       "component", &c.plugins, err) < 0 ||
	    read_zones(&c, err) < 0)
		return err_wrap(err, "what the target has cannot be read");
	for (size_t i = 0; i < set->count; i++)
		if (is_going(set->items[i]))
			check_item(&c, set->items[i]);
	return set->mem.failed ? arena_fail(&set->mem, "the metadata to be written", err) : 0;
}
