/* A live cluster as one side of a comparison: its shards are read each for itself. */
#include "documents/live_documents.h"
#include "verify/verify_side.h"

#include <inttypes.h>
#include <stdlib.h>

struct cluster_side {
	struct verify_side base;
	struct cluster *cluster; /* asked by one thread at a time */
	struct str query;
};

/* A part's documents and the way to the cluster that they come over. */
struct part_documents {
	struct document_source base;
	struct document_source *live;
	struct cluster *cluster;
};

static struct cluster_side *side_of(struct verify_side *side)
{
	return (struct cluster_side *)side;
}

static int ask(struct cluster_side *side, const char *method, struct str index, const char *rest,
	       struct arena *mem, int *status, struct json **answer, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, str_from(rest));
	if (buf_check(&path, "the path of a request", err) < 0)
		return -ERR_LIMIT;
	return cluster_request(side->cluster, method, buf_cstr(&path), STR_NONE, true, mem, status,
			       answer, err);
}

static int failed(const struct verify_side *side, struct str index, int status,
		  const struct json *answer, struct arena *mem, struct err *err)
{
	struct str reason = cluster_error_reason(answer, status, mem);

	if (status == 404)
		return err_set(err, ERR_NOT_FOUND, "%s has no index '" STR_FMT "'", side->what,
			       STR_ARG(index));
	return err_set(err, ERR_HTTP, "index '" STR_FMT "' of %s cannot be read: " STR_FMT,
		       STR_ARG(index), side->what, STR_ARG(reason));
}

/* number_of_shards of the one index in an answer to GET /<index>/_settings. */
static int64_t shards_of(const struct json *settings)
{
	const struct json *index = settings && settings->first ? settings->first : NULL;

	return json_i64_or(json_path(index, "settings", "index", "number_of_shards", NULL), 0);
}

static int look(struct verify_side *base, struct verify_index *index, struct err *err)
{
	struct cluster_side *side = side_of(base);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct json *answer = NULL;
	int status, rc = ask(side, "POST", index->name, "/_refresh", &mem, &status, &answer, err);

	if (rc == 0 && status == 200)
		rc = ask(side, "GET", index->name, "/_settings", &mem, &status, &answer, err);
	if (rc == 0 && status == 200) {
		index->parts = (size_t)MAX(shards_of(answer), 1);
		rc = ask(side, "GET", index->name, "/_count", &mem, &status, &answer, err);
	}
	if (rc < 0)
		return rc;
	if (status != 200)
		return failed(base, index->name, status, answer, &mem, err);
	index->documents = (uint64_t)MAX(json_i64_or(json_get(answer, "count"), 0), 0);
	return 0;
}

static int part_next(struct document_source *source, struct document *out, struct err *err)
{
	return document_source_next(((struct part_documents *)source)->live, out, err);
}

static uint64_t part_position(const struct document_source *source)
{
	return document_source_position(((const struct part_documents *)source)->live);
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
	struct cluster_side *side = side_of(base);
	const struct live_documents_options options = {
		.index = index->name,
		.shard = cluster_version(side->cluster)->serverless ? -1 : (int32_t)part,
		.query = side->query,
	};
	struct part_documents *documents = mem_zalloc(sizeof(*documents));
	int rc = cluster_clone(side->cluster, &documents->cluster, err);

	documents->base.ops = &part_ops;
	if (rc == 0)
		rc = live_documents_open(documents->cluster, &options, &documents->live, err);
	if (rc < 0) {
		part_close(&documents->base);
		return rc;
	}
	*out = &documents->base;
	return 0;
}

static int list(struct verify_side *base, struct arena *mem, struct str **names, size_t *count,
		struct err *err)
{
	struct json *answer = NULL;
	int status, rc;

	rc = cluster_request(side_of(base)->cluster, "GET", "/_cat/indices?format=json&h=index",
			     STR_NONE, true, mem, &status, &answer, err);
	if (rc < 0)
		return rc;
	if (status != 200 || !answer || answer->type != JSON_ARRAY)
		return failed(base, STR("*"), status, answer, mem, err);
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
	free(side);
}

static const struct verify_side_ops ops = {look, open_part, list, close_side};

struct verify_side *verify_side_of_cluster(struct cluster *cluster, const char *what,
					   struct str query)
{
	struct cluster_side *side = mem_zalloc(sizeof(*side));

	side->base = (struct verify_side){&ops, what};
	side->cluster = cluster;
	side->query = query;
	return &side->base;
}
