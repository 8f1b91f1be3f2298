/* A live cluster as one side of a comparison: its shards are read each for itself. */
#include "verify/cluster_side.h"

#include "base/clock.h"
#include "documents/live_documents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define SEARCHES 4        /* at one index, where it has fewer shards */
#define SLICED_FROM 20000 /* documents of a shard */

/* A part's documents and the way to the cluster that they come over. */
struct part_documents {
	struct document_source base;
	struct cluster_side *side;
	struct document_source *live;
	struct cluster *cluster;
	size_t shards; /* of the index, whose bytes live->total_bytes are */
	bool ended;
};

/* The most shards of an index in an answer to GET /<index>/_settings: of an alias over several
 * every shard number must be read that one of them has. */
static int64_t shards_of(const struct json *settings)
{
	int64_t most = 1;

	json_each (index, settings) {
		const struct json *count =
			json_path(index, "settings", "index", "number_of_shards", NULL);

		most = MAX(most, json_i64_or(count, 1));
	}
	return most;
}

/* Whether the documents of a shard have sequence numbers that are one order. */
static bool is_numbered(const struct cluster_version *version, const struct verify_index *index)
{
	return live_documents_number_all(version) && !version->serverless && !index->several;
}

/* One search reads a shard no faster than one thread of the cluster: few shards are read by
 * several. Slices go by _seq_no, which every document has that a cluster of these versions can
 * hold. In a point in time some versions deal slices to the shards of the whole index first, and
 * only then divide these: with as many slices as there are searches nothing is left whole. */
static size_t slices_of(const struct cluster_version *version, const struct verify_index *index)
{
	size_t shards = MAX(index->parts, (size_t)1);

	if (!live_documents_number_all(version) || version->serverless || shards >= SEARCHES ||
	    index->documents / shards < SLICED_FROM)
		return 1;
	return SEARCHES;
}

static int look(struct verify_side *base, struct verify_index *index, struct err *err)
{
	struct cluster_side *side = cluster_side_of(base);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct json *answer = NULL;
	int status, rc = cluster_side_ask(side, "POST", index->name, "/_refresh", STR_NONE, &mem,
					  &status, &answer, err);

	if (rc == 0 && status == 200)
		rc = cluster_side_ask(side, "GET", index->name, "/_settings", STR_NONE, &mem,
				      &status, &answer, err);
	if (rc == 0 && status == 200) {
		index->parts =
			cluster_version(side->cluster)->serverless ? 1 : (size_t)shards_of(answer);
		index->several = answer && answer->count > 1;
		index->state.identity = cluster_side_identity(answer);
		index->state.writes = cluster_side_writes(side, index->name);
		rc = cluster_side_ask(side, "GET", index->name, "/_count", STR_NONE, &mem, &status,
				      &answer, err);
	}
	if (rc < 0)
		return rc;
	if (status != 200)
		return cluster_side_failed(base, index->name, status, answer, &mem, err);
	index->documents = (uint64_t)MAX(json_i64_or(json_get(answer, "count"), 0), 0);
	index->counted = !side->options.query.ptr;
	index->slices = slices_of(cluster_version(side->cluster), index);
	index->parts *= index->slices;
	return 0;
}

/* Takes one document's worth of the rate. */
static void wait_for_rate(struct cluster_side *side)
{
	int64_t wait;

	pthread_mutex_lock(&side->lock);
	token_bucket_take(&side->rate, 1);
	wait = token_bucket_wait(&side->rate, clock_monotonic_ms());
	pthread_mutex_unlock(&side->lock);
	if (wait > 0)
		nanosleep(
			&(struct timespec){.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000},
			NULL);
}

static int part_next(struct document_source *source, struct document *out, struct err *err)
{
	struct part_documents *part = (struct part_documents *)source;
	int rc;

	if (part->side->options.documents_per_second > 0)
		wait_for_rate(part->side);
	rc = document_source_next(part->live, out, err);
	source->total_bytes = part->live->total_bytes / part->shards;
	part->ended = rc == 0;
	return rc;
}

static uint64_t part_position(const struct document_source *source)
{
	const struct part_documents *part = (const struct part_documents *)source;

	return part->ended ? source->total_bytes
			   : MIN(document_source_position(part->live), source->total_bytes);
}

static void part_close(struct document_source *source)
{
	struct part_documents *part = (struct part_documents *)source;

	document_source_close(part->live);
	cluster_close(part->cluster);
	free(part);
}

static const struct document_source_ops part_ops = {part_next, part_position, part_close};

static int open_part(struct verify_side *base, const struct verify_index *index, size_t part,
		     struct document_source **out, struct err *err)
{
	struct cluster_side *side = cluster_side_of(base);
	size_t slices = MAX(index->slices, (size_t)1);
	const struct live_documents_options options = {
		.index = index->name,
		.shard = cluster_version(side->cluster)->serverless ? -1 : (int32_t)(part / slices),
		.slice = (int32_t)(part % slices),
		.slices = (int32_t)slices,
		.query = side->options.query,
		.page_bytes = side->options.page_bytes,
		.by_sequence = is_numbered(cluster_version(side->cluster), index),
		.after_sequence = -1,
		.or_scroll = true,
	};
	struct part_documents *documents = mem_zalloc(sizeof(*documents));
	int rc = cluster_clone(side->cluster, &documents->cluster, err);

	documents->base.ops = &part_ops;
	documents->side = side;
	documents->shards = MAX(index->parts / slices, (size_t)1);
	if (rc == 0)
		rc = live_documents_open(documents->cluster, &options, &documents->live, err);
	if (rc < 0) {
		part_close(&documents->base);
		return rc;
	}
	*out = &documents->base;
	return 0;
}

/* Those of data streams are hidden, and hidden ones are only listed when asked for. */
static bool has_hidden_indices(const struct cluster_version *version)
{
	return !version->serverless && (version->flavour == CLUSTER_OPENSEARCH ||
					version->major * 100 + version->minor >= 707);
}

static int list(struct verify_side *base, struct arena *mem, struct str **names, size_t *count,
		struct err *err)
{
	struct cluster *cluster = cluster_side_of(base)->cluster;
	struct json *answer = NULL;
	int status, rc;

	rc = cluster_request(cluster, "GET",
			     has_hidden_indices(cluster_version(cluster))
				     ? "/_cat/indices?format=json&h=index&expand_wildcards=all"
				     : "/_cat/indices?format=json&h=index",
			     STR_NONE, true, mem, &status, &answer, err);
	if (rc < 0)
		return rc;
	if (status != 200 || !answer || answer->type != JSON_ARRAY)
		return cluster_side_failed(base, STR("*"), status, answer, mem, err);
	*names = arena_zalloc(mem, answer->count + 1, sizeof(**names));
	if (!*names)
		return arena_fail(mem, "the names of indices", err);
	*count = 0;
	json_each (row, answer)
		(*names)[(*count)++] = json_string(json_get(row, "index"));
	return 0;
}

static void close_side(struct verify_side *side)
{
	pthread_mutex_destroy(&cluster_side_of(side)->lock);
	free(side);
}

static const struct verify_side_ops ops = {look, open_part, list, cluster_side_fetch, close_side};

struct verify_side *verify_side_of_cluster(struct cluster *cluster, const char *what,
					   const struct verify_cluster_options *options)
{
	struct cluster_side *side = mem_zalloc(sizeof(*side));

	side->base = (struct verify_side){&ops, what};
	side->cluster = cluster;
	side->options = *options;
	pthread_mutex_init(&side->lock, NULL);
	token_bucket_set(&side->rate, options->documents_per_second, clock_monotonic_ms());
	return &side->base;
}
