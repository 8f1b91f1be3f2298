#include "workflow/routes/live_indices.h"

#include "base/log.h"
#include "documents/live_documents.h"
#include "metadata/metadata_read.h"
#include "metadata/settings_tree.h"

#include <stdlib.h>

#define ANSWER_MAX MIB(16)
#define FIRST_WITH_SEQUENCES 6000000 /* index.version.created, of Elasticsearch */

struct reading {
	struct cluster *cluster;
	bool refresh;
	struct snapshot *snapshot;
	struct index_metadata *indices;
	bool *by_sequence;
	uint64_t *shard_bytes;
};

static int64_t number_at(const struct json *tree, const char *path, int64_t fallback)
{
	const struct json *value = settings_get(tree, path);
	uint64_t number;

	return value && str_to_u64(json_text_or(value, STR_NONE), &number) && number <= INT64_MAX
		       ? (int64_t)number
		       : fallback;
}

/* Settings that say how _source is stored, flat as in a snapshot. */
static struct json *flat_settings(const struct json *tree, struct arena *mem)
{
	static const char *const paths[][2] = {
		{"mode", "index.mode"}, {"mapping.source.mode", "index.mapping.source.mode"}};
	struct json *flat = json_new(mem, JSON_OBJECT);

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		const struct json *value = settings_get(tree, paths[i][0]);

		if (value)
			json_set(flat, str_from(paths[i][1]), json_copy(mem, value));
	}
	return flat;
}

static struct json *typed_mappings(const struct metadata_item *item, struct arena *mem)
{
	struct json *mappings = json_copy(mem, json_get(item->source, "mappings"));
	struct json *out;

	if (item->typed || !mappings || !mappings->first)
		return mappings;
	out = json_new(mem, JSON_OBJECT);
	json_set(out, STR("_doc"), mappings);
	return out;
}

/* An index that an older version made has documents without sequence numbers. */
static bool has_sequences(const struct reading *r, const struct json *settings)
{
	const struct cluster_version *version = cluster_version(r->cluster);

	return live_documents_has_sequence(version) &&
	       (version->flavour != CLUSTER_ELASTICSEARCH || version->major > 6 ||
		number_at(settings, "version.created", 0) >= FIRST_WITH_SEQUENCES);
}

/* One request about an index; NULL: it was not answered as it should. */
static struct json *ask(const struct reading *r, const char *method, struct str index,
			const char *what, struct arena *mem)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer = NULL;
	int status;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, str_from(what));
	if (buf_check(&path, "a path", NULL) < 0 ||
	    cluster_request(r->cluster, method, buf_cstr(&path), STR_NONE, true, mem, &status,
			    &answer, NULL) < 0 ||
	    status != 200)
		return NULL;
	return answer;
}

static uint64_t shard_bytes(const struct reading *r, struct str index, int32_t shards)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *answer = ask(r, "GET", index, "/_stats/store", &mem);
	int64_t bytes = json_i64_or(
		json_path(answer, "_all", "primaries", "store", "size_in_bytes", NULL), 0);

	return (uint64_t)(MAX(bytes, 0) / MAX(shards, 1));
}

static void refresh(const struct reading *r, struct str index)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);

	if (!ask(r, "POST", index, "/_refresh", &mem))
		log_warn("copy",
			 "index '" STR_FMT "' of the source cannot be refreshed: documents written "
			 "since its last refresh are not found",
			 STR_ARG(index));
}

static int add(struct reading *r, const struct metadata_item *item, struct err *err)
{
	struct arena *mem = &r->snapshot->mem;
	const struct json *settings = json_get(item->source, "settings");
	size_t i = r->snapshot->index_count++;
	struct str name = arena_str(mem, item->name);
	int64_t shards = number_at(settings, "number_of_shards", 0);

	if (shards < 1 || shards > INT32_MAX)
		return err_set(err, ERR_FORMAT,
			       "the source does not say how many shards index '" STR_FMT "' has",
			       STR_ARG(item->name));
	r->snapshot->indices[i] = (struct snapshot_index){.name = name, .id = name};
	r->indices[i] = (struct index_metadata){
		.name = name,
		.closed = item->closed,
		.shard_count = (int32_t)shards,
		.settings = flat_settings(settings, mem),
		.mappings = typed_mappings(item, mem),
		.aliases = json_copy(mem, json_get(item->source, "aliases")),
	};
	r->by_sequence[i] = has_sequences(r, settings);
	if (item->closed)
		return 0;
	if (r->refresh)
		refresh(r, name);
	r->shard_bytes[i] = shard_bytes(r, name, (int32_t)shards);
	return 0;
}

static int add_all(struct reading *r, const struct metadata_set *set,
		   const struct index_filter *filter, struct err *err)
{
	struct arena *mem = &r->snapshot->mem;
	int rc = 0;

	r->snapshot->indices = arena_zalloc(mem, set->count + 1, sizeof(*r->snapshot->indices));
	r->indices = arena_zalloc(mem, set->count + 1, sizeof(*r->indices));
	r->by_sequence = arena_zalloc(mem, set->count + 1, sizeof(*r->by_sequence));
	r->shard_bytes = arena_zalloc(mem, set->count + 1, sizeof(*r->shard_bytes));
	for (size_t i = 0; rc == 0 && !mem->failed && i < set->count; i++)
		if (set->items[i]->kind == METADATA_INDEX &&
		    index_filter_accepts(filter, set->items[i]->name))
			rc = add(r, set->items[i], err);
	r->snapshot->live = r->indices;
	return rc;
}

/* Before Elasticsearch 2.4 a cluster has no uuid that it tells. */
static int read_root(struct reading *r, struct err *err)
{
	struct arena *mem = &r->snapshot->mem;
	struct snapshot_summary *summary = &r->snapshot->summary;
	struct json *answer = NULL;
	int status;

	if (cluster_request(r->cluster, "GET", "/", STR_NONE, true, mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	summary->name = json_text_or(json_get(answer, "cluster_name"), STR("live"));
	summary->uuid = json_text_or(json_get(answer, "cluster_uuid"), summary->name);
	summary->state = STR("SUCCESS");
	summary->version = arena_str(mem, str_from(cluster_version_text(r->cluster)));
	return 0;
}

int live_indices_read(struct cluster *source, const struct index_filter *filter, struct str query,
		      bool refresh, struct snapshot **out, struct live_source *live,
		      struct err *err)
{
	const struct metadata_read_options options = {.kinds[METADATA_INDEX] = true};
	cleanup(snapshot_closep) struct snapshot *snapshot = mem_zalloc(sizeof(*snapshot));
	struct reading r = {.cluster = source, .refresh = refresh, .snapshot = snapshot};
	struct metadata_set set;
	int rc;

	snapshot->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	rc = metadata_read_cluster(source, &options, &set, err);
	if (rc == 0)
		rc = read_root(&r, err);
	if (rc == 0)
		rc = add_all(&r, &set, filter, err);
	metadata_set_release(&set);
	if (rc == 0 && snapshot->mem.failed)
		rc = arena_fail(&snapshot->mem, "the metadata of the source", err);
	if (rc < 0)
		return rc;
	*live = (struct live_source){source, query, r.by_sequence, r.shard_bytes};
	*out = take(snapshot);
	return 0;
}
