/* What of Kibana's saved objects becomes Dashboards'. */
#include "metadata/saved_objects_internal.h"

#include <stdlib.h>

static const char *const search_attributes[] = {
	"columns", "description", "hits",    "kibanaSavedObjectMeta",
	"sort",    "title",       "version", NULL};
static const char *const dashboard_attributes[] = {
	"description",     "hits",     "kibanaSavedObjectMeta", "optionsJSON", "panelsJSON",
	"refreshInterval", "timeFrom", "timeRestore",           "timeTo",      "title",
	"version",         NULL};
static const char *const query_attributes[] = {"title",   "description", "query",
					       "filters", "timefilter",  NULL};

static const struct saved_object_type types[] = {
	{"index-pattern", "7.6.0", NULL},
	{"search", "7.9.3", search_attributes},
	{"dashboard", "7.9.3", dashboard_attributes},
	{"visualization", "7.10.0", NULL},
	{"query", NULL, query_attributes},
	{"url", NULL, NULL},
};

const struct saved_object_type *saved_object_type_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_is(name, types[i].name))
			return &types[i];
	return NULL;
}

/* major * 10^6 + minor * 10^3 + patch; 0: no version. */
static int64_t saved_object_version(struct str text)
{
	int64_t version = 0;
	struct str part, rest = text;

	for (int i = 0; i < 3; i++) {
		uint64_t number = 0;

		str_split(rest, '.', &part, &rest);
		if (!str_to_u64(part, &number) || number > 999)
			return 0;
		version = version * 1000 + (int64_t)number;
	}
	return version;
}

struct json *saved_object_unpack(struct saved_objects *set, const struct json *object,
				 const char *key)
{
	struct json *value = NULL;
	struct err ignored = {0};
	struct str text = json_string(json_get(object, key));

	return text.len > 0 && json_parse(text, &set->mem, &value, &ignored) == 0 ? value : NULL;
}

void saved_object_pack(struct saved_objects *set, struct json *object, const char *key,
		       const struct json *value)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SOURCE);

	json_write(&text, value);
	if (text.failed)
		set->mem.failed = true;
	else
		json_set(object, arena_str(&set->mem, str_from(key)),
			 json_new_string(&set->mem, arena_str(&set->mem, buf_str(&text))));
}

/* The version that wrote the object; 0: before there were such marks. */
static int64_t written_by(const struct saved_object *object)
{
	const struct json *marks = json_get(object->body, "migrationVersion");
	int64_t version = saved_object_version(json_string(json_get_str(marks, object->type)));

	if (version == 0)
		version = saved_object_version(
			json_string(json_get(object->body, "typeMigrationVersion")));
	return version ? version
		       : saved_object_version(
				 json_string(json_get(object->body, "coreMigrationVersion")));
}

/* Dashboards refuses objects of a version above the last one that it knows, and runs its
 * migrations on those below. */
static void mark_version(struct saved_objects *set, struct saved_object *object,
			 const struct saved_object_type *type, int64_t version)
{
	int64_t known = saved_object_version(str_from(type->version));
	struct str said;
	struct json *marks;

	if (!type->version || version == 0) {
		json_remove(object->body, STR("migrationVersion"));
		return;
	}
	known = MIN(known, version);
	said = arena_printf(&set->mem, "%d.%d.%d", (int)(known / 1000000),
			    (int)(known / 1000 % 1000), (int)(known % 1000));
	marks = json_new(&set->mem, JSON_OBJECT);
	json_set(marks, object->type, json_new_string(&set->mem, said));
	json_set(object->body, STR("migrationVersion"), marks);
	if (known < version)
		saved_object_note(set, object, false, "migrationVersion: " STR_FMT, STR_ARG(said));
}

static void remove_marks(struct json *body)
{
	static const char *const keys[] = {"coreMigrationVersion",
					   "typeMigrationVersion",
					   "managed",
					   "namespaces",
					   "originId",
					   "created_at",
					   "created_by",
					   "updated_by",
					   "version",
					   "sort"};

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		json_remove(body, str_from(keys[i]));
}

static bool is_one_of(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

static void remove_attributes(struct saved_objects *set, struct saved_object *object,
			      const char *const *allowed)
{
	struct json *attributes = json_get(object->body, "attributes"), *next;

	for (struct json *one = attributes->first; one; one = next) {
		next = one->next;
		if (is_one_of(one->key, allowed))
			continue;
		saved_object_note(set, object, true,
				  "attribute " STR_FMT ": removed, Dashboards has none",
				  STR_ARG(one->key));
		json_remove(attributes, one->key);
		next = attributes->first; /* duplicates went, too */
	}
}

/* Tags, cases and the like are referred to by what Dashboards takes. */
static void remove_references(struct saved_objects *set, struct saved_object *object)
{
	struct json *kept = json_new(&set->mem, JSON_ARRAY);
	const struct json *references = json_get(object->body, "references");

	if (!references)
		return;
	json_each (one, references) {
		struct str type = json_string(json_get(one, "type"));

		if (saved_object_type_find(type))
			json_append(kept, json_copy(&set->mem, one));
		else
			saved_object_note(set, object, true,
					  "reference to the " STR_FMT " '" STR_FMT "': removed",
					  STR_ARG(type), STR_ARG(json_string(json_get(one, "id"))));
	}
	if (kept->count < references->count)
		json_set(object->body, STR("references"), kept);
}

static void clean_index_pattern(struct saved_objects *set, struct saved_object *object)
{
	struct json *attributes = json_get(object->body, "attributes");
	struct str fields = json_string(json_get(attributes, "runtimeFieldMap"));

	json_remove(attributes, STR("allowNoIndex"));
	if (fields.len > 0 && !str_is(fields, "{}"))
		saved_object_note(set, object, true,
				  "runtimeFieldMap: removed, Dashboards has no runtime fields");
	json_remove(attributes, STR("runtimeFieldMap"));
}

/* Later Kibanas keep a locator of the page in place of its address. */
static void clean_url(struct saved_objects *set, struct saved_object *object)
{
	struct json *attributes = json_get(object->body, "attributes");
	const struct json *locator = saved_object_unpack(set, attributes, "locatorJSON");
	struct str url = json_string(json_path(locator, "state", "url", NULL));

	if (!json_get(attributes, "locatorJSON"))
		return;
	if (url.len > 0)
		json_set(attributes, STR("url"), json_new_string(&set->mem, url));
	else if (json_string(json_get(attributes, "url")).len == 0)
		saved_object_end(set, object, SAVED_OBJECT_DROPPED,
				 "the link says no address, only a locator of Kibana's");
	json_remove(attributes, STR("locatorJSON"));
	json_remove(attributes, STR("slug"));
	saved_object_note(set, object, false, "locatorJSON: its address is url");
}

static const char *without_counterpart(struct str type)
{
	if (str_is(type, "lens"))
		return "Dashboards has no Lens; build it anew as a visualization";
	if (str_is(type, "map"))
		return "maps of Kibana are other ones than Dashboards'; build it anew";
	if (str_is(type, "config") || str_is(type, "config-global"))
		return "settings of Kibana itself; set them in Dashboards";
	if (str_starts(type, STR("canvas-")))
		return "Dashboards has no Canvas";
	if (str_is(type, "rule") || str_is(type, "alert") || str_is(type, "action") ||
	    str_is(type, "connector"))
		return "Dashboards' alerting has monitors and channels; set them up there";
	return "Dashboards has no objects of this type";
}

static int clean_object(struct saved_objects *set, struct saved_object *object, struct err *err)
{
	const struct saved_object_type *type = saved_object_type_find(object->type);
	int64_t version = written_by(object);

	if (!type) {
		saved_object_end(set, object, SAVED_OBJECT_DROPPED, "%s",
				 without_counterpart(object->type));
		return 0;
	}
	if (str_is(object->type, "index-pattern"))
		clean_index_pattern(set, object);
	else if (str_is(object->type, "url"))
		clean_url(set, object);
	else if (str_is(object->type, "visualization"))
		saved_objects_clean_state(set, object, version);
	else if (str_is(object->type, "dashboard") &&
		 saved_objects_clean_panels(set, object, version, err) < 0)
		return -(int)err->kind;
	remove_references(set, object);
	if (type->attributes)
		remove_attributes(set, object, type->attributes);
	mark_version(set, object, type, version);
	remove_marks(object->body);
	return 0;
}

/* A title may be several patterns: "logs-*,metrics-*". */
static void rename_pattern(struct saved_objects *set, struct saved_object *object,
			   const struct index_renames *renames, struct json *parent,
			   const char *key)
{
	cleanup(buf_release) struct buf title = BUF_INIT(LIMIT_PATH);
	struct str before = json_string(json_get(parent, key)), part, rest = before;
	bool more = before.len > 0;

	while (more) {
		more = str_split(rest, ',', &part, &rest);
		buf_append_str(&title, index_renames_of(renames, part, &set->mem));
		if (more)
			buf_append_byte(&title, ',');
	}
	if (title.failed || str_eq(buf_str(&title), before))
		return;
	saved_object_note(set, object, false, "%s: " STR_FMT ", was " STR_FMT, key,
			  STR_ARG(buf_str(&title)), STR_ARG(before));
	json_set(parent, arena_str(&set->mem, str_from(key)),
		 json_new_string(&set->mem, arena_str(&set->mem, buf_str(&title))));
}

/* Time series visualizations name their indices themselves. */
static void rename_in_state(struct saved_objects *set, struct saved_object *object,
			    const struct index_renames *renames)
{
	struct json *attributes = json_get(object->body, "attributes");
	struct json *state = saved_object_unpack(set, attributes, "visState");
	struct json *parameters = json_get(state, "params");
	const struct saved_object_note *before = object->last_note;

	if (!parameters)
		return;
	rename_pattern(set, object, renames, parameters, "index_pattern");
	rename_pattern(set, object, renames, parameters, "default_index_pattern");
	json_each (series, json_get(parameters, "series"))
		rename_pattern(set, object, renames, series, "series_index_pattern");
	if (object->last_note != before)
		saved_object_pack(set, attributes, "visState", state);
}

static void rename_object(struct saved_objects *set, struct saved_object *object,
			  const struct index_renames *renames)
{
	if (str_is(object->type, "index-pattern"))
		rename_pattern(set, object, renames, json_get(object->body, "attributes"), "title");
	else if (str_is(object->type, "visualization"))
		rename_in_state(set, object, renames);
}

static bool is_wanted(const struct saved_object *object, const struct opt_list *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (str_is(object->type, wanted->items[i]))
			return true;
	return wanted->count == 0;
}

static int by_key(const void *a, const void *b)
{
	const struct saved_object *x = *(struct saved_object *const *)a,
				  *y = *(struct saved_object *const *)b;
	int order = str_cmp(x->space, y->space);

	if (order == 0)
		order = str_cmp(x->type, y->type);
	return order ? order : str_cmp(x->id, y->id);
}

/* What is referred to and does not go along must be on the target. */
static void tell_missing_references(struct saved_objects *set, struct saved_object *object)
{
	json_each (one, json_get(object->body, "references")) {
		struct saved_object key = {.space = object->space,
					   .type = json_string(json_get(one, "type")),
					   .id = json_string(json_get(one, "id"))};
		const struct saved_object *wanted = &key;
		struct saved_object *const *found = bsearch(&wanted, set->items, set->count,
							    sizeof(struct saved_object *), by_key);

		if (!found || (*found)->outcome != SAVED_OBJECT_READY)
			saved_object_note(set, object, true,
					  "refers to the " STR_FMT " '" STR_FMT
					  "', which does not go along; the target must have it",
					  STR_ARG(key.type), STR_ARG(key.id));
	}
}

int saved_objects_clean(struct saved_objects *set, const struct saved_objects_options *options,
			struct err *err)
{
	/* Panels add to the set as it goes. */
	for (size_t i = 0; i < set->count; i++) {
		struct saved_object *object = set->items[i];

		if (!object->made && !is_wanted(object, options->types))
			object->outcome = SAVED_OBJECT_EXCLUDED;
		else if (options->from_kibana && clean_object(set, object, err) < 0)
			return -(int)err->kind;
		if (object->outcome == SAVED_OBJECT_READY)
			rename_object(set, object, options->renames);
	}
	if (set->count > 0)
		qsort(set->items, set->count, sizeof(struct saved_object *), by_key);
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->outcome == SAVED_OBJECT_READY)
			tell_missing_references(set, set->items[i]);
	saved_objects_sort(set);
	return set->mem.failed ? arena_fail(&set->mem, "the saved objects", err) : 0;
}
