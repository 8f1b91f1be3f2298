/* Walks bodies and applies the rows of the table whose versions hold. */
#include "metadata/rules_internal.h"
#include "metadata/template_flatten.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVERLESS_NUMBER 9000
#define NOTE_MAX 600

/* The rows that hold between two versions. */
struct chosen {
	const struct rule **rows;
	size_t count;
};

static int number_of(const struct cluster_version *version)
{
	return version->serverless ? SERVERLESS_NUMBER : version->major * 1000 + version->minor;
}

bool rule_range_holds(const struct rule_range *range, const struct cluster_version *version)
{
	int number = number_of(version);

	if (range->flavour == ONLY_ES && version->flavour != CLUSTER_ELASTICSEARCH)
		return false;
	if (range->flavour == ONLY_OS && version->flavour != CLUSTER_OPENSEARCH)
		return false;
	if (range->flavour == OS_OR_ES && version->flavour == CLUSTER_OPENSEARCH)
		return true;
	return number >= range->from && (range->below == 0 || number < range->below);
}

static struct chosen choose(const struct metadata_set *set, const struct rule_options *options)
{
	size_t count;
	const struct rule *const *all = rules_all(&count);
	struct chosen chosen = {mem_zalloc((count + 1) * sizeof(*chosen.rows)), 0};

	for (size_t i = 0; i < count; i++)
		if (rule_range_holds(&all[i]->source, &set->version) &&
		    rule_range_holds(&all[i]->target, &options->target))
			chosen.rows[chosen.count++] = all[i];
	return chosen;
}

static void apply_at(const struct chosen *chosen, struct rule_scope *scope, enum rule_place place,
		     struct str name, struct json *node)
{
	for (size_t i = 0; node && i < chosen->count; i++)
		if (chosen->rows[i]->place == place)
			chosen->rows[i]->apply(scope, name, node);
}

static struct str below(struct rule_scope *scope, struct str path, struct str name)
{
	if (path.len == 0)
		return name;
	return arena_printf(&scope->set->mem, STR_FMT "." STR_FMT, STR_ARG(path), STR_ARG(name));
}

static void apply_to_fields(const struct chosen *chosen, struct rule_scope *scope,
			    struct json *fields, struct str path);

static void apply_to_field(const struct chosen *chosen, struct rule_scope *scope, struct str name,
			   struct json *definition, struct str path)
{
	if (definition->type != JSON_OBJECT)
		return;
	scope->path = path;
	apply_at(chosen, scope, RULE_FIELD, name, definition);
	apply_to_fields(chosen, scope, json_get(definition, "properties"),
			below(scope, path, STR("properties")));
	apply_to_fields(chosen, scope, json_get(definition, "fields"),
			below(scope, path, STR("fields")));
}

static void apply_to_fields(const struct chosen *chosen, struct rule_scope *scope,
			    struct json *fields, struct str path)
{
	/* A rule may take its own field out: the next one is known before. */
	for (struct json *field = fields ? fields->first : NULL, *next; field; field = next) {
		next = field->next;
		apply_to_field(chosen, scope, field->key, field, below(scope, path, field->key));
	}
}

/* [{"name": {"match": …, "mapping": {…}}}] */
static void apply_to_dynamic_templates(const struct chosen *chosen, struct rule_scope *scope,
				       struct json *templates, struct str path)
{
	json_each (element, templates)
		json_each (dynamic, element) {
			struct json *mapping = json_get(dynamic, "mapping");

			if (mapping)
				apply_to_field(chosen, scope, STR_NONE, mapping,
					       below(scope, path, dynamic->key));
		}
}

static void apply_to_mapping(const struct chosen *chosen, struct rule_scope *scope,
			     struct json *mapping, struct str path)
{
	if (!mapping || mapping->type != JSON_OBJECT)
		return;
	scope->path = path;
	apply_at(chosen, scope, RULE_MAPPING, STR("mappings"), mapping);
	apply_to_fields(chosen, scope, json_get(mapping, "properties"),
			below(scope, path, STR("properties")));
	apply_to_dynamic_templates(chosen, scope, json_get(mapping, "dynamic_templates"),
				   below(scope, path, STR("dynamic_templates")));
	scope->path = STR_NONE;
}

static void apply_to_settings(const struct chosen *chosen, struct rule_scope *scope,
			      struct json *settings, struct str path)
{
	if (!settings)
		return;
	scope->path = path;
	apply_at(chosen, scope, RULE_SETTINGS, STR("settings"), settings);
	scope->path = below(scope, path, STR("analysis"));
	apply_at(chosen, scope, RULE_ANALYSIS, STR("analysis"), json_get(settings, "analysis"));
	scope->path = STR_NONE;
}

static bool has_body(enum metadata_kind kind)
{
	return kind == METADATA_INDEX || kind == METADATA_LEGACY_TEMPLATE ||
	       kind == METADATA_INDEX_TEMPLATE || kind == METADATA_COMPONENT_TEMPLATE;
}

/* Where settings, mappings and aliases are: in the template of a template. */
static struct json *content_of(const struct metadata_item *item, struct json *body)
{
	bool inner =
		item->kind == METADATA_INDEX_TEMPLATE || item->kind == METADATA_COMPONENT_TEMPLATE;

	return inner ? json_get(body, "template") : body;
}

static void apply_to_content(const struct chosen *chosen, struct rule_scope *scope,
			     struct json *content)
{
	struct str prefix = content == scope->item->result ? STR_NONE : STR("template");

	if (!content)
		return;
	/* Fields take what settings of the index said of them before those go. */
	apply_to_mapping(chosen, scope, json_get(content, "mappings"),
			 below(scope, prefix, STR("mappings")));
	apply_to_settings(chosen, scope, json_get(content, "settings"),
			  below(scope, prefix, STR("settings")));
	scope->path = below(scope, prefix, STR("aliases"));
	apply_at(chosen, scope, RULE_ALIASES, STR("aliases"), json_get(content, "aliases"));
	scope->path = STR_NONE;
}

static void apply_to_policy(const struct chosen *chosen, struct rule_scope *scope)
{
	struct metadata_item *item = scope->item;

	if (item->kind == METADATA_LIFECYCLE_POLICY)
		apply_at(chosen, scope, RULE_LIFECYCLE_POLICY, item->name, item->result);
	if (item->kind == METADATA_SECURITY)
		apply_at(chosen, scope, RULE_ROLE, item->name, item->result);
	if (item->kind == METADATA_SNAPSHOT_POLICY)
		apply_at(chosen, scope, RULE_SNAPSHOT_POLICY, item->name, item->result);
}

static int apply_to_item(struct metadata_set *set, struct metadata_item *item,
			 const struct rule_options *options, const struct chosen *chosen,
			 struct err *err)
{
	struct rule_scope scope = {.set = set, .item = item, .options = options};
	int rc = 0;

	/* One that was split off has its part already. */
	if (!item->result)
		item->result = json_copy(&set->mem, item->source);
	if (!item->result)
		return arena_fail(&set->mem, "the metadata to be written", err);
	if (!has_body(item->kind)) {
		apply_to_policy(chosen, &scope);
		return 0;
	}
	apply_at(chosen, &scope, RULE_BODY, item->name, item->result);
	if (item->typed && !item->split_from) {
		scope.path = STR("mappings");
		apply_at(chosen, &scope, RULE_TYPES, STR("mappings"),
			 json_get(item->result, "mappings"));
		rc = rules_unite_types(set, item, item->result, options, err);
	}
	if (rc == 0 && item->outcome != OUTCOME_BLOCKED)
		apply_to_content(chosen, &scope, content_of(item, item->result));
	return rc;
}

int rules_apply(struct metadata_set *set, const struct rule_options *options, struct err *err)
{
	struct chosen chosen = choose(set, options);
	int rc = templates_flatten(set, &options->target, err);

	/* Items that are split off are behind the others, and get their turn. */
	for (size_t i = 0; rc == 0 && i < set->count; i++)
		if (set->items[i]->outcome != OUTCOME_EXCLUDED)
			rc = apply_to_item(set, set->items[i], options, &chosen, err);
	free(chosen.rows);
	if (rc == 0 && set->mem.failed)
		rc = arena_fail(&set->mem, "the metadata to be written", err);
	metadata_set_sort(set);
	return rc;
}

struct str field_type(const struct json *definition)
{
	struct str type = json_string(json_get(definition, "type"));

	if (type.ptr)
		return type;
	return json_get(definition, "properties") ? STR("object") : STR_NONE;
}

bool field_has_type(const struct json *definition, const char *type)
{
	return str_is(json_string(json_get(definition, "type")), type);
}

void field_set_type(struct rule_scope *scope, struct json *definition, const char *type)
{
	json_set(definition, STR("type"), json_new_string(&scope->set->mem, str_from(type)));
}

void rule_note(struct rule_scope *scope, const char *rule, enum note_level level, const char *fmt,
	       ...)
{
	char text[NOTE_MAX];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	metadata_item_note(scope->set, scope->item, level, rule, scope->path, "%s", text);
}

void rule_block(struct rule_scope *scope, const char *rule, const char *fmt, ...)
{
	char text[NOTE_MAX];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	metadata_item_note(scope->set, scope->item, NOTE_ERROR, rule, scope->path, "%s", text);
	scope->item->outcome = OUTCOME_BLOCKED;
	scope->item->reason = arena_str(&scope->set->mem, str_from(text));
}
