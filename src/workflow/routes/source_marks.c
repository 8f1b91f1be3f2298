#include "workflow/routes/source_marks.h"

#include "base/small_file.h"
#include "cluster/document_count.h"

#include <inttypes.h>

#define ANSWER_MAX MIB(64)
#define FILE_MAX MIB(64)

int source_marks_open(struct cluster *source, const char *path, struct source_marks *out,
		      struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	int rc;

	*out = (struct source_marks){
		.source = source, .path = path, .mem = ARENA_INIT(4 * FILE_MAX)};
	out->before = json_new(&out->mem, JSON_OBJECT);
	rc = path ? small_file_read(path, &text, err) : 0;
	if (rc <= 0)
		return rc;
	rc = json_parse(arena_str(&out->mem, buf_str(&text)), &out->mem, &out->before, err);
	return rc < 0 ? err_wrap(err, "'%s' (--restart begins anew)", path) : 0;
}

void source_marks_release(struct source_marks *marks)
{
	arena_release(&marks->mem);
	*marks = (struct source_marks){0};
}

/* NULL: the source does not tell, for want of a privilege or of statistics. */
static struct json *statistics(const struct source_marks *marks, struct str index,
			       struct arena *mem)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer = NULL;
	int status;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, STR("/_stats?level=shards"));
	if (buf_check(&path, "a path", NULL) < 0 ||
	    cluster_request(marks->source, "GET", buf_cstr(&path), STR_NONE, true, mem, &status,
			    &answer, NULL) < 0 ||
	    status != 200)
		return NULL;
	return json_get_str(json_get(answer, "indices"), index);
}

/* -1: not known. */
static int64_t sequence_of(const struct json *copies)
{
	json_each (copy, copies)
		if (json_bool_or(json_path(copy, "routing", "primary", NULL), false))
			return json_i64_or(json_path(copy, "seq_no", "max_seq_no", NULL), -2);
	return -2;
}

/* {"0": 41, "1": -1} by shard; NULL: a shard has none, as on early versions. */
static struct json *sequences(const struct json *stats, struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT);
	const struct json *shards = json_get(stats, "shards");

	json_each (copies, shards) {
		int64_t sequence = sequence_of(copies);

		if (sequence < -1)
			return NULL;
		json_set(out, copies->key, json_new_i64(mem, sequence));
	}
	return shards && shards->count ? out : NULL;
}

/* Index requests and deletes since the node started, of primaries. */
static int64_t operations(const struct json *stats)
{
	const struct json *indexing = json_path(stats, "primaries", "indexing", NULL);

	return json_i64_or(json_get(indexing, "index_total"), 0) +
	       json_i64_or(json_get(indexing, "delete_total"), 0);
}

static int read_mark(const struct source_marks *marks, struct str index, struct arena *mem,
		     struct json **out, struct err *err)
{
	const struct json *stats = statistics(marks, index, mem);
	struct json *by_shard = sequences(stats, mem);
	struct str reason;
	int64_t count;
	int rc;

	*out = json_new(mem, JSON_OBJECT);
	if (by_shard) {
		json_set(*out, STR("sequences"), by_shard);
		return 0;
	}
	rc = document_count(marks->source, index, mem, &count, &reason, err);
	if (rc < 0)
		return err_wrap(err, "on the source");
	json_set(*out, STR("documents"), json_new_i64(mem, count));
	json_set(*out, STR("operations"), json_new_i64(mem, operations(stats)));
	return 0;
}

int source_marks_add(struct source_marks *marks, struct str index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *mark;
	int rc;

	if (json_get_str(marks->before, index))
		return 0;
	rc = read_mark(marks, index, &mem, &mark, err);
	if (rc == 0)
		json_set(marks->before, arena_str(&marks->mem, index),
			 json_copy(&marks->mem, mark));
	if (rc == 0 && (mem.failed || marks->mem.failed))
		return err_set(err, ERR_LIMIT, "the marks of the source's indices are too large");
	return rc;
}

int source_marks_keep(const struct source_marks *marks, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);

	if (!marks->path)
		return 0;
	json_write(&text, marks->before);
	if (buf_check(&text, "the marks of the source", err) < 0)
		return -(int)err->kind;
	return small_file_replace(marks->path, buf_str(&text), err);
}

static struct str compare_sequences(const struct json *before, const struct json *after,
				    struct arena *mem)
{
	int64_t written = 0;
	size_t shards = 0;

	json_each (shard, after) {
		int64_t was = json_i64_or(json_get_str(before, shard->key), -1);
		int64_t is = json_i64_or(shard, -1);

		shards += is != was;
		written += MAX(is - was, INT64_C(0));
	}
	if (shards == 0)
		return STR_NONE;
	return arena_printf(mem, "%" PRId64 " operations on %zu of its shards", written, shards);
}

/* Totals of operations begin at 0 again when a node starts: less than before says nothing. */
static struct str compare_counts(const struct json *before, const struct json *after,
				 struct arena *mem)
{
	int64_t was = json_i64_or(json_get(before, "documents"), -1);
	int64_t is = json_i64_or(json_get(after, "documents"), -1);
	int64_t more = json_i64_or(json_get(after, "operations"), 0) -
		       json_i64_or(json_get(before, "operations"), 0);

	if (is != was)
		return arena_printf(mem, "%" PRId64 " documents before, %" PRId64 " now", was, is);
	return more > 0 ? arena_printf(mem, "%" PRId64 " operations", more) : STR_NONE;
}

int source_marks_compare(const struct source_marks *marks, struct str index, struct arena *mem,
			 struct str *words, struct err *err)
{
	const struct json *before = json_get_str(marks->before, index);
	const struct json *by_shard = json_get(before, "sequences");
	struct json *after;

	*words = STR_NONE;
	if (!before)
		return 0;
	if (read_mark(marks, index, mem, &after, err) < 0)
		return -(int)err->kind;
	if (by_shard && !json_get(after, "sequences")) {
		*words = STR("its sequence numbers cannot be read any more");
		return 0;
	}
	*words = by_shard ? compare_sequences(by_shard, json_get(after, "sequences"), mem)
			  : compare_counts(before, after, mem);
	return mem->failed ? arena_fail(mem, "the marks of the source", err) : 0;
}
