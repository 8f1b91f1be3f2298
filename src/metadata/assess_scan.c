/* Walks the source's bodies, and shows each place to the detectors of it. */
#include "metadata/assess_internal.h"

#define DEPTH_MAX 100

static const struct assess_detector *const tables[] = {assess_of_mappings, assess_of_settings,
						       assess_of_items};

static void show(struct assess_scan *scan, enum assess_place place, struct str name,
		 const struct json *node)
{
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		for (const struct assess_detector *row = tables[i]; row->id; row++) {
			if (row->place != place || !assess_applies(scan->a, row->id))
				continue;
			scan->id = row->id;
			row->find(scan, name, node, row->words);
		}
}

static struct str below(struct assess_scan *scan, struct str path, struct str name)
{
	if (!path.len)
		return name;
	return arena_printf(&scan->a->scratch, STR_FMT "." STR_FMT, STR_ARG(path), STR_ARG(name));
}

static void scan_fields(struct assess_scan *scan, const struct json *fields, struct str path,
			int depth);

static void scan_field(struct assess_scan *scan, struct str name, const struct json *definition,
		       struct str path, int depth)
{
	if (definition->type != JSON_OBJECT || depth > DEPTH_MAX)
		return;
	scan->path = path;
	show(scan, AT_FIELD, name, definition);
	scan_fields(scan, json_get(definition, "properties"), below(scan, path, STR("properties")),
		    depth + 1);
	scan_fields(scan, json_get(definition, "fields"), below(scan, path, STR("fields")),
		    depth + 1);
}

static void scan_fields(struct assess_scan *scan, const struct json *fields, struct str path,
			int depth)
{
	if (!fields || fields->type != JSON_OBJECT)
		return;
	json_each (field, fields)
		scan_field(scan, field->key, field, below(scan, path, field->key), depth);
}

static void scan_dynamic(struct assess_scan *scan, const struct json *templates, struct str path)
{
	json_each (element, templates)
		json_each (dynamic, element) {
			const struct json *mapping = json_get(dynamic, "mapping");

			scan->path = below(scan, path, dynamic->key);
			show(scan, AT_DYNAMIC, dynamic->key, dynamic);
			if (mapping)
				scan_field(scan, STR_NONE, mapping, scan->path, 0);
		}
}

static void scan_mapping(struct assess_scan *scan, struct str type, const struct json *mapping,
			 struct str path)
{
	if (!mapping || mapping->type != JSON_OBJECT)
		return;
	scan->path = path;
	show(scan, AT_ROOT, type, mapping);
	scan_fields(scan, json_get(mapping, "properties"), below(scan, path, STR("properties")), 0);
	scan_dynamic(scan, json_get(mapping, "dynamic_templates"),
		     below(scan, path, STR("dynamic_templates")));
}

static void scan_mappings(struct assess_scan *scan, const struct json *mappings, struct str path)
{
	if (!mappings || !scan->item->typed) {
		scan_mapping(scan, STR_NONE, mappings, path);
		return;
	}
	scan->path = path;
	show(scan, AT_TYPES, STR_NONE, mappings);
	json_each (type, mappings)
		scan_mapping(scan, type->key, type, below(scan, path, type->key));
}

static void scan_settings(struct assess_scan *scan, const struct json *settings, struct str path)
{
	const struct json *analysis = json_get(settings, "analysis");

	scan->path = path;
	if (settings)
		show(scan, AT_SETTINGS, STR_NONE, settings);
	scan->path = below(scan, path, STR("analysis"));
	if (analysis)
		show(scan, AT_ANALYSIS, STR_NONE, analysis);
}

static void scan_body(struct assess_scan *scan, const struct json *body, struct str prefix)
{
	const struct json *aliases = json_get(body, "aliases");

	scan_settings(scan, json_get(body, "settings"), below(scan, prefix, STR("settings")));
	scan_mappings(scan, json_get(body, "mappings"), below(scan, prefix, STR("mappings")));
	scan->path = below(scan, prefix, STR("aliases"));
	if (aliases)
		show(scan, AT_ALIASES, STR_NONE, aliases);
}

static void scan_item(struct assess_scan *scan)
{
	const struct metadata_item *item = scan->item;

	show(scan, AT_ITEM, item->name, item->source);
	if (item->kind == METADATA_INDEX || item->kind == METADATA_LEGACY_TEMPLATE)
		scan_body(scan, item->source, STR_NONE);
	else if (item->kind == METADATA_INDEX_TEMPLATE || item->kind == METADATA_COMPONENT_TEMPLATE)
		scan_body(scan, json_get(item->source, "template"), STR("template"));
}

void assess_scan_set(struct assessment *a)
{
	struct assess_scan whole = {.a = a};

	show(&whole, AT_SET, STR_NONE, NULL);
	for (size_t i = 0; i < a->set->count; i++) {
		struct assess_scan scan = {.a = a, .item = a->set->items[i]};

		assess_next(a);
		/* The parts of a split index have the whole one's source. */
		if (scan.item->outcome != OUTCOME_EXCLUDED && !scan.item->split_from)
			scan_item(&scan);
	}
}
