#include "metadata/metadata_item.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NOTE_MAX 1000 /* bytes of a note's text */

static const struct {
	const char *name, *heading;
	const char *others; /* what users also call it */
} kinds[METADATA_KINDS] = {
	[METADATA_CLUSTER_SETTINGS] = {"cluster-settings", "Cluster Settings", "settings"},
	[METADATA_SECURITY] = {"security", "Security", "role roles users"},
	[METADATA_SNAPSHOT_POLICY] = {"snapshot-policy", "Snapshot Policies",
				      "snapshot-policies slm sm"},
	[METADATA_LIFECYCLE_POLICY] = {"lifecycle-policy", "Lifecycle Policies",
				       "lifecycle-policies ilm ism"},
	[METADATA_PIPELINE] = {"pipeline", "Ingest Pipelines", "pipelines ingest-pipeline"},
	[METADATA_SCRIPT] = {"script", "Stored Scripts", "scripts stored-script"},
	[METADATA_COMPONENT_TEMPLATE] = {"component-template", "Component Templates",
					 "component-templates"},
	[METADATA_INDEX_TEMPLATE] = {"index-template", "Index Templates", "index-templates"},
	[METADATA_LEGACY_TEMPLATE] = {"legacy-template", "Legacy Templates", "legacy-templates"},
	[METADATA_DATA_STREAM] = {"data-stream", "Data Streams", "data-streams"},
	[METADATA_INDEX] = {"index", "Indexes", "indices indexes"},
	[METADATA_ALIAS] = {"alias", "Aliases", "aliases"},
};

const char *metadata_kind_name(enum metadata_kind kind)
{
	return kinds[kind].name;
}

const char *metadata_kind_heading(enum metadata_kind kind)
{
	return kinds[kind].heading;
}

static bool is_one_of(struct str name, const char *words)
{
	struct str rest = str_from(words), word;

	while (rest.len > 0) {
		struct str tail = STR_NONE;

		str_split(rest, ' ', &word, &tail);
		if (str_eq(word, name))
			return true;
		rest = word.len == rest.len ? STR_NONE : tail;
	}
	return false;
}

int metadata_kind_parse(struct str name)
{
	for (int kind = 0; kind < METADATA_KINDS; kind++)
		if (str_is(name, kinds[kind].name) || is_one_of(name, kinds[kind].others))
			return kind;
	return -1;
}

void metadata_set_init(struct metadata_set *set)
{
	*set = (struct metadata_set){.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
}

void metadata_set_release(struct metadata_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->items[i]->notes);
	free(set->items);
	free(set->unreadable);
	arena_release(&set->mem);
	metadata_set_init(set);
}

struct metadata_item *metadata_set_add(struct metadata_set *set, enum metadata_kind kind,
				       struct str name, const struct json *source)
{
	struct metadata_item *item = arena_zalloc(&set->mem, 1, sizeof(*item));

	if (!item)
		return NULL;
	item->kind = kind;
	item->name = item->target_name = name;
	item->source = source;
	if (set->count == set->capacity) {
		set->capacity = MAX(set->capacity * 2, (size_t)64);
		set->items = mem_realloc(set->items, set->capacity * sizeof(*set->items));
	}
	set->items[set->count++] = item;
	return item;
}

struct metadata_item *metadata_set_find(const struct metadata_set *set, enum metadata_kind kind,
					struct str name)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->kind == kind && str_eq(set->items[i]->name, name))
			return set->items[i];
	return NULL;
}

static int by_kind_and_name(const void *a, const void *b)
{
	const struct metadata_item *x = *(struct metadata_item *const *)a;
	const struct metadata_item *y = *(struct metadata_item *const *)b;
	int names;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	names = str_cmp(x->name, y->name);
	return names ? names : str_cmp(x->target_name, y->target_name);
}

void metadata_set_sort(struct metadata_set *set)
{
	if (set->count > 1)
		qsort(set->items, set->count, sizeof(*set->items), by_kind_and_name);
}

void metadata_item_note(struct metadata_set *set, struct metadata_item *item, enum note_level level,
			const char *rule, struct str path, const char *fmt, ...)
{
	char text[NOTE_MAX];
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	if (item->note_count == item->note_capacity) {
		item->note_capacity = MAX(item->note_capacity * 2, (size_t)4);
		item->notes = mem_realloc(item->notes, item->note_capacity * sizeof(*item->notes));
	}
	item->notes[item->note_count++] = (struct metadata_note){
		.level = level,
		.rule = rule,
		.path = arena_str(&set->mem, path),
		.text = arena_str(&set->mem,
				  str_of(text, MIN((size_t)MAX(length, 0), sizeof(text) - 1))),
	};
}

void metadata_note_unreadable(struct metadata_set *set, enum metadata_kind kind, struct str reason)
{
	set->unreadable = mem_realloc(set->unreadable,
				      (set->unreadable_count + 1) * sizeof(*set->unreadable));
	set->unreadable[set->unreadable_count++] =
		(struct metadata_unreadable){kind, arena_str(&set->mem, reason)};
}
