#include "verify/queries.h"

#include <inttypes.h>
#include <stdlib.h>

#define WINDOW 10000 /* hits of one answer: index.max_result_window's default */
#define IDS_SHOWN 3
#define BODY_MAX MIB(16)
#define BODY_SHOWN 300

/* What one side found. */
struct found {
	bool answered;
	struct str refusal; /* why not */
	int64_t total;
	struct str *ids; /* sorted; at most WINDOW */
	size_t count;
};

void verify_queries_init(struct verify_query_list *list)
{
	*list = (struct verify_query_list){.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
}

void verify_queries_release(struct verify_query_list *list)
{
	arena_release(&list->mem);
	free(list->items);
	*list = (struct verify_query_list){0};
}

void verify_queries_add(struct verify_query_list *list, const struct verify_query *query)
{
	struct arena *mem = &list->mem;

	if (list->count == list->capacity) {
		list->capacity = MAX(list->capacity * 2, (size_t)16);
		list->items = mem_realloc(list->items, list->capacity * sizeof(*list->items));
	}
	list->items[list->count++] = (struct verify_query){
		.source_index = arena_str(mem, query->source_index),
		.target_index = arena_str(mem, query->target_index),
		.body = arena_str(mem, query->body),
		.id = query->id.ptr ? arena_str(mem, query->id) : STR_NONE,
	};
}

int verify_queries_read(struct verify_query_list *list, struct str text,
			struct str (*target_name)(const void *user, struct str index),
			const void *user, struct err *err)
{
	struct str line, rest = text;

	for (size_t number = 1; rest.len > 0; number++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(BODY_MAX);
		cleanup(buf_release) struct buf body = BUF_INIT(BODY_MAX);
		struct json *root, *given;
		struct str index;

		str_split(rest, '\n', &line, &rest);
		if (str_trim(line).len == 0)
			continue;
		if (json_parse(line, &mem, &root, err) < 0) {
			err->kind = ERR_USAGE;
			return err_wrap(err, "--queries: line %zu", number);
		}
		index = json_string(json_get(root, "index"));
		given = json_get(root, "body");
		if (!index.len || !given || given->type != JSON_OBJECT)
			return err_set(err, ERR_USAGE,
				       "--queries: line %zu is no {\"index\": NAME, \"body\": {…}}",
				       number);
		json_write(&body, given);
		verify_queries_add(list, &(struct verify_query){index, target_name(user, index),
								buf_str(&body), STR_NONE});
	}
	return list->mem.failed ? arena_fail(&list->mem, "the queries", err) : 0;
}

/* The search that tells what a query finds, and nothing else. */
static int make_search(const struct verify_query *query, const struct cluster_version *version,
		       bool of_id, struct buf *out, struct err *err)
{
	static const char *const left_out[] = {
		"from",          "sort",         "aggs",    "aggregations",  "highlight",
		"suggest",       "search_after", "fields",  "stored_fields", "docvalue_fields",
		"script_fields", "explain",      "profile",
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(BODY_MAX);
	struct json *body;

	if (json_parse(query->body, &mem, &body, err) < 0)
		return -(int)err->kind;
	if (query->id.ptr) {
		cleanup(buf_release) struct buf whole = BUF_INIT(BODY_MAX);

		buf_append_str(&whole, STR("{\"query\":{\"bool\":{\"filter\":["));
		buf_append_str(&whole, query->body);
		if (of_id) {
			buf_append_str(&whole, STR(",{\"ids\":{\"values\":["));
			json_write_string(&whole, query->id);
			buf_append_str(&whole, STR("]}}"));
		}
		buf_append_str(&whole, STR("]}}}"));
		if (whole.failed || json_parse(buf_str(&whole), &mem, &body, err) < 0)
			return -ERR_LIMIT;
		body = json_copy(&mem, body);
	}
	for (size_t i = 0; i < COUNT_OF(left_out); i++)
		json_remove(body, str_from(left_out[i]));
	json_set(body, STR("size"), json_new_i64(&mem, WINDOW));
	json_set(body, STR("_source"), json_new_bool(&mem, false));
	if (version->flavour == CLUSTER_OPENSEARCH || version->major >= 7)
		json_set(body, STR("track_total_hits"), json_new_bool(&mem, true));
	if (mem.failed)
		return arena_fail(&mem, "a query", err);
	json_write(out, body);
	return buf_check(out, "a query", err);
}

static int64_t total_of(const struct json *hits)
{
	const struct json *total = json_get(hits, "total");

	return json_i64_or(total && total->type == JSON_OBJECT ? json_get(total, "value") : total,
			   -1);
}

static int by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int take_hits(struct found *out, const struct json *answer, struct arena *mem,
		     struct err *err)
{
	const struct json *hits = json_get(answer, "hits"), *shards = json_get(answer, "_shards");
	int64_t whole = json_i64_or(json_get(shards, "total"), 0);

	out->total = total_of(hits);
	if (json_bool_or(json_get(answer, "timed_out"), false)) {
		out->refusal = STR("it timed out");
		return 0;
	}
	/* A shard without a copy is not counted as failed. */
	if (json_i64_or(json_get(shards, "failed"), 0) > 0 ||
	    json_i64_or(json_get(shards, "successful"), whole) < whole || out->total < 0) {
		out->refusal = STR("shards failed");
		return 0;
	}
	out->answered = true;
	out->ids = arena_zalloc(mem, WINDOW + 1, sizeof(*out->ids));
	if (!out->ids)
		return arena_fail(mem, "the hits of a query", err);
	json_each (hit, json_get(hits, "hits"))
		if (out->count < WINDOW)
			out->ids[out->count++] = json_string(json_get(hit, "_id"));
	qsort(out->ids, out->count, sizeof(*out->ids), by_bytes);
	return 0;
}

static int search(struct cluster *cluster, struct str index, const struct verify_query *query,
		  bool of_id, struct arena *mem, struct found *out, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH), body = BUF_INIT(BODY_MAX);
	struct json *answer = NULL;
	int status, rc;

	*out = (struct found){0};
	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, STR("/_search"));
	if (make_search(query, cluster_version(cluster), of_id, &body, err) < 0)
		return -(int)err->kind;
	rc = cluster_request(cluster, "POST", buf_cstr(&path), buf_str(&body), true, mem, &status,
			     &answer, err);
	if (rc < 0)
		return rc;
	if (status != 200) {
		out->refusal = cluster_error_reason(answer, status, mem);
		return 0;
	}
	return take_hits(out, answer, mem, err);
}

/* Ids of a that b lacks: how many, and the first of them. */
static size_t append_lacking(struct buf *out, const struct found *a, const struct found *b,
			     const char *what)
{
	size_t lacking = 0, j = 0;

	for (size_t i = 0; i < a->count; i++) {
		while (j < b->count && str_cmp(b->ids[j], a->ids[i]) < 0)
			j++;
		if (j < b->count && str_eq(b->ids[j], a->ids[i]))
			continue;
		if (lacking++ < IDS_SHOWN)
			buf_printf(out, "%s" STR_FMT, lacking == 1 ? what : ", ",
				   STR_ARG(a->ids[i]));
	}
	if (lacking > IDS_SHOWN)
		buf_printf(out, " and %zu more", lacking - IDS_SHOWN);
	return lacking;
}

static struct str shown(struct str body)
{
	size_t length = MIN(body.len, (size_t)BODY_SHOWN);

	while (length < body.len && length > 0 && ((uint8_t)body.ptr[length] & 0xc0) == 0x80)
		length--;
	return str_of(body.ptr, length);
}

static void tell(struct verify_findings *out, const struct verify_query *query,
		 const struct buf *expected, const struct buf *found, bool unclear)
{
	if (unclear)
		out->unclear++;
	else
		out->different++;
	verify_findings_add(out, &(struct verify_finding){.index = query->target_index,
							  .where = shown(query->body),
							  .expected = buf_str(expected),
							  .found = buf_str(found),
							  .not_compared = unclear});
}

static void describe(struct buf *out, const struct found *found)
{
	if (found->answered)
		buf_printf(out, "%" PRId64 " hits", found->total);
	else
		buf_append_str(out, found->refusal);
}

static void judge(struct verify_findings *out, const struct verify_query *query,
		  const struct found *source, const struct found *target)
{
	cleanup(buf_release) struct buf expected = BUF_INIT(KIB(64)), found = BUF_INIT(KIB(64));
	size_t lacking;

	describe(&expected, source);
	describe(&found, target);
	if (!source->answered && !target->answered) {
		tell(out, query, &expected, &found, true);
		return;
	}
	lacking = 0;
	if (source->answered && target->answered && MAX(source->total, target->total) <= WINDOW) {
		lacking += append_lacking(&found, source, target, "; missing ");
		lacking += append_lacking(&found, target, source, "; extra ");
	}
	if (lacking > 0 || source->answered != target->answered || source->total != target->total)
		tell(out, query, &expected, &found, false);
}

static int compare_one(const struct verify_query *query, struct cluster *source,
		       struct cluster *target, struct verify_findings *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct found a = {.answered = true, .total = 1}, b;

	out->compared++;
	if (source && search(source, query->source_index, query, false, &mem, &a, err) < 0)
		return -(int)err->kind;
	if (search(target, query->target_index, query, !source, &mem, &b, err) < 0)
		return -(int)err->kind;
	if (!source) {
		a.ids = arena_zalloc(&mem, 1, sizeof(*a.ids));
		if (!a.ids)
			return arena_fail(&mem, "an id", err);
		a.ids[0] = query->id;
		a.count = 1;
	}
	judge(out, query, &a, &b);
	return 0;
}

int verify_queries_compare(const struct verify_query_list *list, struct cluster *source,
			   struct cluster *target, const atomic_bool *cancel,
			   struct verify_findings *out, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		if (atomic_load(cancel))
			return err_set(err, ERR_CANCELLED, "interrupted");
		if (compare_one(&list->items[i], source, target, out, err) < 0)
			return -(int)err->kind;
	}
	return out->mem.failed ? arena_fail(&out->mem, "the differences of queries", err) : 0;
}
