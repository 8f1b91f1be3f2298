/* Random histories: connections that write the same few ids of two indices at the same time, some
 * of them before a snapshot that the target begins with, replayed into a model of a target that is
 * busy or hangs up now and then. It ends with the source's documents, and nothing waits for ever.
 */
#include "fake_source.h"

#include "base/json.h"

#include <stdatomic.h>
#include <string.h>

enum { CONNECTIONS = 6, REQUESTS = 60, ITEMS = 6, IDS = 6, INDICES = 2 };
enum { HELD_UP_MS = 240000 };

enum verb { VERB_INDEX, VERB_CREATE, VERB_DELETE, VERB_UPDATE, VERB_UPSERT };

struct document {
	bool exists;
	int64_t version;  /* 0: never heard of; that of its delete, where it does not exist */
	uint64_t content; /* what its writes made of it, in their order */
	int64_t seq_no;
};

struct item {
	enum verb verb;
	int index, id, mark; /* mark: what it writes */
	int us;              /* when it is done at the source */
	int status;
	int64_t version;
	const char *result;
};

struct request {
	struct item items[ITEMS];
	size_t item_count;
	bool bulk;
	int began_us, ended_us;
};

struct history {
	unsigned seed;
	struct request requests[CONNECTIONS][REQUESTS];
	struct document source[INDICES][IDS], target[INDICES][IDS];
	struct buf trace; /* what the target was asked, and said */
	char held_up[600];
	atomic_bool stop;
};

static int draw(struct history *h, int below)
{
	h->seed = h->seed * 1103515245 + 12345;
	return (int)(h->seed >> 16) % below;
}

/* --- The source --- */

static uint64_t changed_by(uint64_t content, int mark)
{
	return content * 1000003 + (uint64_t)mark;
}

static void write_whole(struct document *d, int mark, int64_t version)
{
	*d = (struct document){true, version, changed_by(7, mark), d->seq_no + 1};
}

static void apply(struct document *d, struct item *item)
{
	bool existed = d->exists;

	item->status = 200;
	item->result = "updated";
	if (item->verb == VERB_DELETE) {
		d->exists = false;
		d->version++;
		item->status = existed ? 200 : 404;
		item->result = existed ? "deleted" : "not_found";
	} else if ((item->verb == VERB_CREATE && existed) ||
		   (item->verb == VERB_UPDATE && !existed)) {
		item->status = existed ? 409 : 404;
		return;
	} else if (item->verb >= VERB_UPDATE && existed) {
		d->content = changed_by(d->content, item->mark);
		d->version++;
	} else {
		write_whole(d, item->mark, d->version + 1);
		item->status = existed ? 200 : 201;
		item->result = existed ? "updated" : "created";
	}
	item->version = d->version;
}

static int by_time(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;

	return x->us != y->us ? (x->us < y->us ? -1 : 1) : (x < y ? -1 : 1);
}

/* Items of a bulk are done in their order, with others between. */
static void draw_item(struct history *h, struct request *r, struct item *item)
{
	int from_us = item > r->items ? item[-1].us : r->began_us;

	static const enum verb verbs[] = {VERB_INDEX,  VERB_CREATE, VERB_DELETE, VERB_DELETE,
					  VERB_UPDATE, VERB_UPDATE, VERB_UPDATE, VERB_UPSERT};

	*item = (struct item){.verb = verbs[draw(h, COUNT_OF(verbs))],
			      .index = draw(h, INDICES),
			      .id = draw(h, IDS),
			      .mark = draw(h, 30000) + 1,
			      .us = from_us + draw(h, r->ended_us - from_us)};
}

/* All that happens at the source; the target gets what is there at `snapshot_us`, without what it
 * knows of documents that were deleted. */
static void draw_history(struct history *h)
{
	struct item *all[CONNECTIONS * REQUESTS * ITEMS];
	size_t count = 0;
	int snapshot_us = 40000;

	for (int c = 0; c < CONNECTIONS; c++) {
		int us = 1000;

		for (int n = 0; n < REQUESTS; n++) {
			struct request *r = &h->requests[c][n];

			r->began_us = us + draw(h, 2000);
			us = r->ended_us = r->began_us + 200 + draw(h, 4000);
			r->bulk = draw(h, 3) == 0;
			r->item_count = r->bulk ? (size_t)draw(h, ITEMS) + 1 : 1;
			for (size_t i = 0; i < r->item_count; i++) {
				draw_item(h, r, &r->items[i]);
				all[count++] = &r->items[i];
			}
		}
	}
	qsort(all, count, sizeof(struct item *), by_time);
	for (size_t i = 0; i < count; i++) {
		if (snapshot_us && all[i]->us > snapshot_us) {
			memcpy(h->target, h->source, sizeof(h->target));
			snapshot_us = 0;
		}
		apply(&h->source[all[i]->index][all[i]->id], all[i]);
	}
	for (int i = 0; i < INDICES * IDS; i++)
		if (!h->target[i / IDS][i % IDS].exists)
			h->target[i / IDS][i % IDS] = (struct document){0};
}

/* --- What is captured of it --- */

static struct record_time at(int us)
{
	return (struct record_time){1700000000 + us / 1000000, us % 1000000 * 1000};
}

static void append_body(struct buf *out, const struct item *item)
{
	if (item->verb == VERB_UPDATE)
		buf_printf(out, "{\"doc\":{\"n\":%d}}", item->mark);
	else if (item->verb == VERB_UPSERT)
		buf_printf(out, "{\"doc\":{\"n\":%d},\"doc_as_upsert\":true}", item->mark);
	else
		buf_printf(out, "{\"n\":%d}", item->mark);
}

static void append_result(struct buf *out, const struct item *item)
{
	if (item->result && item->version)
		buf_printf(out,
			   "{\"_index\":\"i%d\",\"_id\":\"%d\",\"_version\":%d,\"result\":\"%s\","
			   "\"status\":%d}",
			   item->index, item->id, (int)item->version, item->result, item->status);
	else
		buf_printf(out,
			   "{\"_index\":\"i%d\",\"_id\":\"%d\",\"error\":{\"type\":\"x\"},"
			   "\"status\":%d}",
			   item->index, item->id, item->status);
}

static void append_bulk(const struct request *r, struct buf *body, struct buf *answer)
{
	static const char *const verbs[] = {"index", "create", "delete", "update", "update"};

	buf_printf(answer, "{\"items\":[");
	for (size_t i = 0; i < r->item_count; i++) {
		const struct item *item = &r->items[i];

		buf_printf(body, "{\"%s\":{\"_index\":\"i%d\",\"_id\":\"%d\"}}\n",
			   verbs[item->verb], item->index, item->id);
		if (item->verb != VERB_DELETE) {
			append_body(body, item);
			buf_append_byte(body, '\n');
		}
		buf_printf(answer, "%s{\"%s\":", i ? "," : "", verbs[item->verb]);
		append_result(answer, item);
		buf_append_byte(answer, '}');
	}
	buf_printf(answer, "]}");
}

static void append_single(const struct item *item, struct buf *line, struct buf *body,
			  struct buf *answer)
{
	switch (item->verb) {
	case VERB_INDEX:
		buf_printf(line, "PUT /i%d/_doc/%d", item->index, item->id);
		break;
	case VERB_CREATE:
		buf_printf(line, "PUT /i%d/_create/%d", item->index, item->id);
		break;
	case VERB_DELETE:
		buf_printf(line, "DELETE /i%d/_doc/%d", item->index, item->id);
		break;
	case VERB_UPDATE:
	case VERB_UPSERT:
		buf_printf(line, "POST /i%d/_update/%d", item->index, item->id);
		break;
	}
	if (item->verb != VERB_DELETE)
		append_body(body, item);
	append_result(answer, item);
}

static void record_request(struct record_writer *w, const struct request *r)
{
	cleanup(buf_release) struct buf line = BUF_INIT(MIB(1)), body = BUF_INIT(MIB(1)),
					answer = BUF_INIT(MIB(1)), text = BUF_INIT(MIB(1));
	int status = 200;

	if (r->bulk) {
		buf_printf(&line, "POST /_bulk");
		append_bulk(r, &body, &answer);
	} else {
		append_single(&r->items[0], &line, &body, &answer);
		status = r->items[0].status;
	}
	buf_printf(&text, STR_FMT " HTTP/1.1\r\nContent-Length: %zu\r\n\r\n" STR_FMT,
		   STR_ARG(buf_str(&line)), body.len, STR_ARG(buf_str(&body)));
	record_writer_read(w, at(r->began_us), buf_str(&text));
	record_writer_end_of_message(w, at(r->began_us), RECORD_UNKNOWN, RECORD_UNKNOWN);
	buf_reset(&text);
	buf_printf(&text, "HTTP/1.1 %d Reason\r\nContent-Length: %zu\r\n\r\n" STR_FMT, status,
		   answer.len, STR_ARG(buf_str(&answer)));
	record_writer_write(w, at(r->ended_us), buf_str(&text));
}

/* --- The target --- */

static struct document *document_of(struct history *h, struct str index, struct str id)
{
	int i = index.len == 2 ? index.ptr[1] - '0' : -1, n = id.len == 1 ? id.ptr[0] - '0' : -1;

	if (i < 0 || i >= INDICES || n < 0 || n >= IDS)
		fail_msg("no document of the history: " STR_FMT "/" STR_FMT, STR_ARG(index),
			 STR_ARG(id));
	return &h->target[i][n];
}

struct change {
	struct str verb;
	int64_t version; /* external_gte; -1: none */
	int64_t seq_no;  /* -1: none */
	const struct json *body;
};

static int conflict(const struct document *d, const struct change *change, struct buf *out)
{
	buf_printf(out,
		   "{\"status\":409,\"error\":{\"type\":\"version_conflict_engine_exception\","
		   "\"reason\":\"[1]: version conflict, current version [%d] is higher than the "
		   "one provided [%d]\"}}",
		   (int)d->version, (int)change->version);
	return 409;
}

static int change(struct document *d, const struct change *change, struct buf *out)
{
	bool removal = str_is(change->verb, "delete"), update = str_is(change->verb, "update");
	const struct json *doc = update ? json_get(change->body, "doc") : change->body;
	int mark = (int)json_i64_or(json_get(doc, "n"), 0), status = 200;

	if (update && !d->exists) {
		buf_printf(out, "{\"status\":404,\"error\":{\"type\":\"document_missing\"}}");
		return 404;
	}
	if ((update && change->seq_no >= 0 && change->seq_no != d->seq_no) ||
	    (!update && change->version < d->version) ||
	    (str_is(change->verb, "create") && d->exists))
		return conflict(d, change, out);
	if (update) {
		d->content = changed_by(d->content, mark);
		d->version++;
		d->seq_no++;
	} else if (removal) {
		status = d->exists ? 200 : 404;
		*d = (struct document){.version = change->version, .seq_no = d->seq_no + 1};
	} else {
		write_whole(d, mark, change->version);
	}
	buf_printf(out, "{\"status\":%d,\"_version\":%d,\"result\":\"%s\"}", status,
		   (int)d->version, status == 404 ? "not_found" : "updated");
	return status;
}

static void answer_bulk(struct history *h, struct str body, struct arena *mem, struct buf *out)
{
	struct json *action, *tree = NULL;
	struct str line, rest = body;
	struct err err;

	buf_printf(out, "{\"items\":[");
	while (rest.len > 0) {
		struct change one;
		const struct json *meta;

		str_split(rest, '\n', &line, &rest);
		assert_int_equal(json_parse(line, mem, &action, &err), 0);
		meta = action->first;
		one = (struct change){meta->key, json_i64_or(json_get(meta, "version"), -1),
				      json_i64_or(json_get(meta, "if_seq_no"), -1), NULL};
		if (!str_is(one.verb, "delete")) {
			str_split(rest, '\n', &line, &rest);
			assert_int_equal(json_parse(line, mem, &tree, &err), 0);
			one.body = tree;
		}
		buf_printf(out, "%s{\"" STR_FMT "\":", out->ptr[out->len - 1] == '[' ? "" : ",",
			   STR_ARG(one.verb));
		if (draw(h, 20) == 0)
			buf_printf(out, "{\"status\":429,\"error\":{\"type\":\"rejected\"}}");
		else
			change(document_of(h, json_string(json_get(meta, "_index")),
					   json_string(json_get(meta, "_id"))),
			       &one, out);
		buf_append_byte(out, '}');
	}
	buf_printf(out, "]}");
}

static void answer_versions(struct history *h, struct str body, struct arena *mem, struct buf *out)
{
	struct json *tree;
	struct err err;

	assert_int_equal(json_parse(body, mem, &tree, &err), 0);
	buf_printf(out, "{\"docs\":[");
	json_each (doc, json_get(tree, "docs")) {
		const struct document *d = document_of(h, json_string(json_get(doc, "_index")),
						       json_string(json_get(doc, "_id")));

		buf_printf(out, doc == json_get(tree, "docs")->first ? "" : ",");
		if (d->exists)
			buf_printf(out,
				   "{\"found\":true,\"_version\":%d,\"_seq_no\":%d,"
				   "\"_primary_term\":1}",
				   (int)d->version, (int)d->seq_no);
		else
			buf_printf(out, "{\"found\":false}");
	}
	buf_printf(out, "]}");
}

/* METHOD /INDEX/ENDPOINT/ID?… */
static int answer_single(struct history *h, const struct fake_request *request, struct arena *mem,
			 struct buf *out)
{
	struct change one = {.verb = STR("index"), .version = -1, .seq_no = -1};
	struct json *tree = NULL;
	char method[8], path[32];
	const char *at;
	struct err err;

	assert_int_equal(sscanf(request->head.ptr, "%7s %31[^? ]", method, path), 2);
	if (request->body.len > 0)
		assert_int_equal(json_parse(request->body, mem, &tree, &err), 0);
	one.body = tree;
	if ((at = strstr(request->head.ptr, "?version=")))
		one.version = strtoll(at + 9, NULL, 10);
	if ((at = strstr(request->head.ptr, "if_seq_no=")))
		one.seq_no = strtoll(at + 10, NULL, 10);
	if (strcmp(method, "DELETE") == 0)
		one.verb = STR("delete");
	else if (strstr(path, "/_update/"))
		one.verb = STR("update");
	return change(document_of(h, str_of(path + 1, 2), str_from(strrchr(path, '/') + 1)), &one,
		      out);
}

static void serve(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(16));
	struct history *h = user;
	int status = 200, chance = draw(h, 40);
	struct str first, rest;

	str_split(request->head, '\r', &first, &rest);

	if (chance == 0)
		return fake_reply_json(reply, 503, "{}");
	if (chance == 1) {
		reply->end = FAKE_CLOSE;
		return;
	}
	if (str_starts(request->head, STR("POST /_mget ")))
		answer_versions(h, request->body, &mem, &out);
	else if (str_starts(request->head, STR("POST /_bulk ")))
		answer_bulk(h, request->body, &mem, &out);
	else
		status = answer_single(h, request, &mem, &out);
	buf_printf(&h->trace, "%zu " STR_FMT "\n" STR_FMT "\n-> %d " STR_FMT "%s\n",
		   request->client, STR_ARG(first), STR_ARG(request->body), status,
		   STR_ARG(buf_str(&out)), chance == 2 ? " (untold)" : "");
	/* Done, and nobody is told. */
	if (chance == 2)
		reply->end = FAKE_CLOSE;
	else
		fake_reply_json(reply, status, buf_cstr(&out));
}

/* --- The replay --- */

static void watch(void *user, const struct replay_counts *counts)
{
	struct history *h = user;

	if (!counts->waits_for[0])
		return;
	memcpy(h->held_up, counts->waits_for, sizeof(h->held_up));
	atomic_store(&h->stop, true);
}

/* For who looks into it. */
static void dump(const struct history *h)
{
	for (int c = 0; c < CONNECTIONS; c++)
		for (int n = 0; n < REQUESTS; n++)
			for (size_t i = 0; i < h->requests[c][n].item_count; i++) {
				const struct item *item = &h->requests[c][n].items[i];

				print_message(
					"%d at the source: c%d.%d (%d to %d) verb %d of i%d/%d "
					"-> %d version %d %s\n",
					item->us, c, n, h->requests[c][n].began_us,
					h->requests[c][n].ended_us, (int)item->verb, item->index,
					item->id, item->status, (int)item->version,
					item->result ? item->result : "");
			}
	fwrite(h->trace.ptr, 1, h->trace.len, stderr);
}

static void assert_the_same(const struct history *h, unsigned seed)
{
	for (int i = 0; i < INDICES * IDS; i++) {
		const struct document *a = &h->source[i / IDS][i % IDS];
		const struct document *b = &h->target[i / IDS][i % IDS];

		if (a->exists == b->exists &&
		    (!a->exists || (a->version == b->version && a->content == b->content)))
			continue;
		if (getenv("SHARDLIFT_TRACE"))
			dump(h);
		fail_msg("i%d/%d is of version %d (there: %d), should be %d (%d); seed %u", i / IDS,
			 i % IDS, (int)b->version, b->exists, (int)a->version, a->exists, seed);
	}
}

static void replay_history(unsigned seed)
{
	static struct history h;
	struct fake_source source = {0};
	struct fake_server *server;
	struct replay_options options;
	struct replay_counts counts;
	struct err err = {0};

	h = (struct history){.seed = seed, .trace = BUF_INIT(MIB(64))};
	draw_history(&h);
	server = fake_server_start(serve, &h);
	options = fake_replay_options(&source, server);
	options.rules.source_versions = true;
	options.update_wait_ms = 100;
	options.held_up_ms = HELD_UP_MS;
	options.report = watch;
	options.user = &h;
	options.stop = &h.stop;
	options.grace_ms = 1;
	for (int c = 0; c < CONNECTIONS; c++) {
		char id[8];
		struct record_writer *w;

		snprintf(id, sizeof(id), "c%d", c);
		w = record_writer_new(STR("node"), str_from(id), MIB(4));
		for (int n = 0; n < REQUESTS; n++)
			record_request(w, &h.requests[c][n]);
		record_writer_close(w, at(h.requests[c][REQUESTS - 1].ended_us));
		fake_source_add(&source, w);
	}
	if (replay_run(&options, &counts, &err) < 0)
		fail_msg("%s; %s; seed %u", err.message, h.held_up, seed);
	fake_server_free(server);
	assert_the_same(&h, seed);
	fake_source_release(&source);
	buf_release(&h.trace);
}

static void random_histories_end_with_the_sources_documents(void **state)
{
	/* In the second, connections go from one request to the next within a millisecond. */
	static const unsigned seeds[] = {1, 3084};
	const char *given = getenv("SHARDLIFT_SEED"), *rounds = getenv("SHARDLIFT_ROUNDS");
	size_t count = rounds ? strtoul(rounds, NULL, 10) : given ? 1 : COUNT_OF(seeds);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		unsigned seed = given    ? (unsigned)(strtoul(given, NULL, 10) + i)
				: rounds ? (unsigned)i + 1
					 : seeds[i];

		print_message("seed %u\n", seed);
		replay_history(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories_end_with_the_sources_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
