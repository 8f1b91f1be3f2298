/* Metadata out of a snapshot: its global blob, and one blob an index. */
#include "metadata/read_internal.h"

#include <ctype.h>
#include <stdio.h>

struct reading {
	const struct snapshot *snapshot;
	const struct metadata_read_options *options;
	struct metadata_set *set;
};

/* "7.10.2" → the numbers; what cannot be told stays 0. */
static struct cluster_version version_of(const struct snapshot *snapshot)
{
	struct cluster_version version = {.flavour = CLUSTER_ELASTICSEARCH};
	int numbers[3] = {0};
	struct str text = snapshot->summary.version;

	for (size_t i = 0, part = 0; i < text.len && part < 3; i++) {
		if (isdigit((unsigned char)text.ptr[i]))
			numbers[part] = MIN(numbers[part], 99999) * 10 + (text.ptr[i] - '0');
		else if (text.ptr[i] == '.')
			part++;
		else
			break;
	}
	version.major = numbers[0];
	version.minor = numbers[1];
	version.patch = numbers[2];
	/* No Elasticsearch was called so. */
	if (version.major == 3 || (version.major == 2 && version.minor > 4))
		version.flavour = CLUSTER_OPENSEARCH;
	return version;
}

/* OpenSearch marks the versions that indices were created by with a bit that Elasticsearch's never
 * have (Version.MASK, 0x08000000). */
#define OPENSEARCH_MASK INT64_C(0x08000000)

static void learn_flavour(struct metadata_set *set, const struct index_metadata *index)
{
	uint64_t created;

	if (str_to_u64(index->created_version, &created) && (int64_t)created >= OPENSEARCH_MASK &&
	    set->version.major < 5)
		set->version.flavour = CLUSTER_OPENSEARCH;
}

static int add(struct reading *r, enum metadata_kind kind, struct str name, struct json *source,
	       struct err *err)
{
	if (!metadata_read_wants(r->options, kind))
		return 0;
	if (!source || !metadata_read_add(r->set, r->options, kind, name, source))
		return arena_fail(&r->set->mem, "the metadata of the snapshot", err);
	return 0;
}

/* An object name -> body of things that are kept as they are. */
static int add_plain(struct reading *r, enum metadata_kind kind, const struct json *items,
		     const char *member, struct err *err)
{
	json_each (item, items) {
		struct json *body = member ? json_get(item, member) : item;

		if (add(r, kind, item->key, json_copy(&r->set->mem, body ? body : item), err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int add_legacy_templates(struct reading *r, const struct json *items, struct err *err)
{
	bool typed = metadata_has_types(&r->set->version);

	json_each (item, items)
		if (add(r, METADATA_LEGACY_TEMPLATE, item->key,
			metadata_body(item, typed, &r->set->mem), err) < 0)
			return -(int)err->kind;
	return 0;
}

/* Composable and component templates: what is inside "template" in the one form. */
static int add_templates(struct reading *r, enum metadata_kind kind, const struct json *items,
			 struct err *err)
{
	json_each (item, items) {
		struct json *body = json_copy(&r->set->mem, item);
		const struct json *inner = json_get(item, "template");

		if (inner)
			json_set(body, STR("template"), metadata_body(inner, false, &r->set->mem));
		if (add(r, kind, item->key, body, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int add_pipelines(struct reading *r, const struct json *list, struct err *err)
{
	json_each (pipeline, list) {
		struct str id = json_string(json_get(pipeline, "id"));

		if (id.ptr && add(r, METADATA_PIPELINE, id,
				  json_copy(&r->set->mem, json_get(pipeline, "config")), err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* {"policies": {name: {"policy": {"policy": …}, …}}} */
static int add_lifecycles(struct reading *r, const struct json *policies, struct err *err)
{
	json_each (entry, policies) {
		const struct json *policy = json_get(entry, "policy");
		struct json *body = json_new(&r->set->mem, JSON_OBJECT);

		/* Some versions wrap it once more. */
		if (json_get(policy, "policy"))
			policy = json_get(policy, "policy");
		json_set(body, STR("policy"), json_copy(&r->set->mem, policy));
		if (add(r, METADATA_LIFECYCLE_POLICY, entry->key, body, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int add_settings(struct reading *r, const struct json *settings, struct err *err)
{
	if (!settings || !settings->first)
		return 0;
	return add(r, METADATA_CLUSTER_SETTINGS, STR("persistent"),
		   json_copy(&r->set->mem, settings), err);
}

static int read_global(struct reading *r, struct err *err)
{
	struct json *global = NULL;
	struct err damaged = {0};
	int rc = snapshot_global_metadata(r->snapshot, &r->set->mem, &global, &damaged);

	if (rc < 0)
		metadata_note_unreadable(r->set, METADATA_INDEX_TEMPLATE,
					 str_from(damaged.message));
	if (rc < 0 || !global)
		return 0;
	rc = add_settings(r, json_get(global, "settings"), err);
	if (rc == 0)
		rc = add_legacy_templates(r, json_get(global, "templates"), err);
	if (rc == 0)
		rc = add_templates(
			r, METADATA_COMPONENT_TEMPLATE,
			json_path(global, "component_template", "component_template", NULL), err);
	if (rc == 0)
		rc = add_templates(r, METADATA_INDEX_TEMPLATE,
				   json_path(global, "index_template", "index_template", NULL),
				   err);
	if (rc == 0)
		rc = add_pipelines(r, json_path(global, "ingest", "pipeline", NULL), err);
	if (rc == 0)
		rc = add_lifecycles(r, json_path(global, "index_lifecycle", "policies", NULL), err);
	if (rc == 0)
		rc = add_plain(r, METADATA_SNAPSHOT_POLICY,
			       json_path(global, "snapshot_lifecycle", "policies", NULL), "policy",
			       err);
	if (rc == 0)
		rc = add_plain(r, METADATA_DATA_STREAM,
			       json_path(global, "data_stream", "data_stream", NULL), NULL, err);
	if (rc == 0)
		rc = metadata_add_scripts(r->set, r->options, json_get(global, "stored_scripts"),
					  err);
	return rc;
}

/* "rollover_info": {"alias": {"time": …}}; ILM's ages count from it. */
static int64_t rolled_over(const struct json *metadata)
{
	int64_t last = 0;

	json_each (rollover, json_get(metadata, "rollover_info")) {
		int64_t time = json_i64_or(json_get(rollover, "time"), 0);

		last = MAX(last, time);
	}
	return last;
}

/* One index that cannot be read leaves the others readable. */
static int add_damaged(struct metadata_set *set, struct str name, const char *reason,
		       struct err *err)
{
	struct metadata_item *item =
		metadata_set_add(set, METADATA_INDEX, name, json_new(&set->mem, JSON_OBJECT));

	if (!item)
		return arena_fail(&set->mem, "the metadata of the indices", err);
	item->outcome = OUTCOME_BLOCKED;
	item->reason = arena_str(&set->mem, str_from(reason));
	return 0;
}

static int read_index(struct reading *r, const struct snapshot_index *index, struct err *err)
{
	struct index_metadata metadata = {0};
	struct metadata_set *set = r->set;
	struct json *spelled = json_new(&set->mem, JSON_OBJECT), *body, *shards;
	size_t before = set->count;
	int rc = snapshot_index_metadata(r->snapshot, index, &set->mem, &metadata, err);

	if (rc < 0)
		return add_damaged(set, index->name, err->message, err);
	learn_flavour(set, &metadata);
	json_set(spelled, STR("settings"), json_copy(&set->mem, metadata.settings));
	shards = json_new_i64(&set->mem, metadata.shard_count);
	if (!json_path(spelled, "settings", "index.number_of_shards", NULL) && metadata.shard_count)
		json_set(json_get(spelled, "settings"), STR("index.number_of_shards"), shards);
	json_set(spelled, STR("mappings"), json_copy(&set->mem, metadata.mappings));
	json_set(spelled, STR("aliases"), json_copy(&set->mem, metadata.aliases));
	body = metadata_body(spelled, metadata_has_types(&set->version), &set->mem);
	if (!body)
		return arena_fail(&set->mem, "the metadata of the indices", err);
	rc = metadata_add_index(set, r->options, metadata.name.len ? metadata.name : index->name,
				body, metadata.closed, err);
	if (rc == 0 && set->count > before) {
		set->items[set->count - 1]->routing_shards = metadata.routing_shard_count;
		set->items[set->count - 1]->rolled_over_ms = rolled_over(metadata.raw);
	}
	return rc;
}

static bool wants_global(const struct metadata_read_options *options)
{
	for (int kind = 0; kind < METADATA_KINDS; kind++)
		if (kind != METADATA_INDEX && kind != METADATA_ALIAS &&
		    metadata_read_wants(options, (enum metadata_kind)kind))
			return true;
	return false;
}

int metadata_read_snapshot(const struct snapshot *snapshot,
			   const struct metadata_read_options *options, struct metadata_set *out,
			   struct err *err)
{
	struct reading r = {snapshot, options, out};
	bool aliases = metadata_read_wants(options, METADATA_ALIAS);
	bool indices = aliases || metadata_read_wants(options, METADATA_INDEX);
	int rc = 0;

	metadata_set_init(out);
	out->version = version_of(snapshot);
	/* Indices first: they tell whose snapshot it is. */
	for (size_t i = 0; rc == 0 && indices && i < snapshot->index_count; i++)
		if (!options || !options->indices ||
		    index_filter_accepts(options->indices, snapshot->indices[i].name))
			rc = read_index(&r, &snapshot->indices[i], err);
	if (rc == 0 && wants_global(options))
		rc = read_global(&r, err);
	if (rc < 0)
		return rc;
	out->description = arena_printf(
		&out->mem, "Snapshot (%s " STR_FMT ")",
		out->version.flavour == CLUSTER_OPENSEARCH ? "OPENSEARCH" : "ELASTICSEARCH",
		STR_ARG(snapshot->summary.version));
	return metadata_read_finish(out, err);
}
