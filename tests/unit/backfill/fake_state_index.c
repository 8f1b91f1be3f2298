#include "fake_state_index.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define OPENSEARCH "{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.6\"}}"

static struct fake_document *find(struct fake_state_index *index, struct str id)
{
	for (size_t i = 0; i < index->count; i++)
		if (str_is(id, index->documents[i].id))
			return &index->documents[i];
	return NULL;
}

static void write_document(struct fake_state_index *index, struct str id, struct str source)
{
	struct fake_document *document = find(index, id);

	if (!document && index->count < FAKE_DOCUMENTS) {
		document = &index->documents[index->count++];
		snprintf(document->id, sizeof(document->id), STR_FMT, STR_ARG(id));
		document->source = BUF_INIT(MIB(4));
	}
	buf_reset(&document->source);
	buf_append_str(&document->source, source);
	document->seq_no = ++index->writes;
}

static void answer_text(struct fake_reply *reply, int status, struct buf *text)
{
	fake_reply_json(reply, status, buf_cstr(text));
	buf_release(text);
}

static void get_document(struct fake_state_index *index, struct str id, struct fake_reply *reply)
{
	struct fake_document *document = find(index, id);
	struct buf text = BUF_INIT(MIB(4));

	if (!document) {
		fake_reply_json(reply, 404, "{\"found\":false}");
		return;
	}
	buf_printf(&text, "{\"_seq_no\":%" PRId64 ",\"_primary_term\":1,\"_source\":" STR_FMT "}",
		   document->seq_no, STR_ARG(buf_str(&document->source)));
	answer_text(reply, 200, &text);
}

static void put_document(struct fake_state_index *index, struct str id, struct str query,
			 struct str body, struct fake_reply *reply)
{
	struct fake_document *document = find(index, id);
	struct buf text = BUF_INIT(KIB(4));
	char condition[64] = "";

	if (document)
		snprintf(condition, sizeof(condition), "if_seq_no=%" PRId64 "&", document->seq_no);
	if (document ? !str_starts(query, str_from(condition))
		     : !str_starts(query, STR("op_type=create"))) {
		fake_reply_json(reply, 409, "{\"error\":{\"type\":\"conflict\"}}");
		return;
	}
	write_document(index, id, body);
	buf_printf(&text, "{\"_seq_no\":%" PRId64 ",\"_primary_term\":1}", index->writes);
	answer_text(reply, document ? 200 : 201, &text);
}

static int create_status(struct fake_state_index *index, struct str id, struct str source)
{
	if (find(index, id))
		return 409;
	if (index->turn_down) {
		index->turn_down--;
		return 429;
	}
	write_document(index, id, source);
	return 201;
}

static void bulk(struct fake_state_index *index, struct str body, struct fake_reply *reply)
{
	struct buf text = BUF_INIT(MIB(1));
	struct str action, source;

	buf_append_str(&text, STR("{\"items\":["));
	while (str_split(body, '\n', &action, &body) && str_split(body, '\n', &source, &body)) {
		struct str id = str_from_offset(action, sizeof("{\"create\":{\"_id\":\"") - 1);

		id.len -= sizeof("\"}}") - 1;
		buf_printf(&text, "%s{\"create\":{\"status\":%d}}",
			   text.ptr[text.len - 1] == '[' ? "" : ",",
			   create_status(index, id, source));
	}
	buf_append_str(&text, STR("]}"));
	answer_text(reply, 200, &text);
}

/* What the coordinator's queries ask for. */
static bool matches(const struct json *query, const char *id, const struct json *source)
{
	const struct json *range = json_path(query, "query", "bool", "filter", NULL), *most;
	int64_t expiration = json_i64_or(json_get(source, "expiration"), -1);

	if (json_path(query, "query", "term", NULL))
		return json_bool_or(json_get(source, "parked"), false);
	if (!range)
		return true;
	if (json_get(range->first, "exists"))
		return json_string(json_get(source, "leaseHolderId")).ptr &&
		       !json_get(source, "completedAt");
	range = json_path(range->first, "range", "expiration", NULL);
	if (expiration < 0 || strcmp(id, "shard_setup") == 0 || json_get(source, "completedAt"))
		return false;
	most = json_get(range, "lte");
	return most ? expiration <= json_i64_or(most, 0)
		    : expiration < json_i64_or(json_get(range, "lt"), 0);
}

struct found {
	const struct fake_document *document;
	int64_t bytes;
};

static int by_bytes(const void *a, const void *b)
{
	int64_t left = ((const struct found *)a)->bytes, right = ((const struct found *)b)->bytes;

	return (left < right) - (left > right);
}

static void search(struct fake_state_index *index, struct str body, struct fake_reply *reply)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct found found[FAKE_DOCUMENTS];
	struct buf text = BUF_INIT(MIB(16));
	struct json *query = NULL, *source;
	size_t count = 0;

	json_parse(body, &mem, &query, NULL);
	for (size_t i = 0; i < index->count; i++) {
		const struct fake_document *document = &index->documents[i];

		json_parse(buf_str(&document->source), &mem, &source, NULL);
		if (matches(query, document->id, source))
			found[count++] =
				(struct found){document, json_i64_or(json_get(source, "bytes"), 0)};
	}
	qsort(found, count, sizeof(found[0]), by_bytes);
	buf_append_str(&text, STR("{\"_scroll_id\":\"s\",\"hits\":{\"hits\":["));
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s{\"_id\":\"%s\",\"_source\":" STR_FMT "}", i ? "," : "",
			   found[i].document->id, STR_ARG(buf_str(&found[i].document->source)));
	buf_append_str(&text, STR("]}}"));
	answer_text(reply, 200, &text);
}

static void make_index(struct fake_state_index *index, struct str method, struct fake_reply *reply)
{
	static const char there[] =
		"{\"error\":{\"type\":\"resource_already_exists_exception\"},\"status\":400}";
	bool is_put = str_is(method, "PUT");

	if (is_put && index->exists)
		fake_reply_json(reply, 400, there);
	else if (!is_put && !index->exists)
		fake_reply_json(reply, 404, "{\"error\":{\"type\":\"index_not_found_exception\"}}");
	else
		fake_reply_json(reply, 200, "{}");
	index->exists = index->exists || is_put;
}

static void health(const struct fake_state_index *index, struct fake_reply *reply)
{
	char text[64];

	snprintf(text, sizeof(text), "[{\"epoch\":\"%" PRId64 "\"}]",
		 (clock_wall_ms() + index->ahead_ms) / 1000);
	fake_reply_json(reply, 200, text);
}

static void route(struct fake_state_index *index, struct str method, struct str path,
		  struct str query, struct str body, struct fake_reply *reply)
{
	struct str name, rest = STR_NONE;

	str_split(str_from_offset(path, 1), '/', &name, &rest);
	if (str_is(path, "/") && index->root && !*index->root)
		fake_reply_json(reply, 404, "{}");
	else if (str_is(path, "/_cat/indices"))
		fake_reply_json(reply, 200, "[]");
	else if (str_is(path, "/"))
		fake_reply_json(reply, 200, index->root ? index->root : OPENSEARCH);
	else if (str_is(path, "/_cat/health"))
		health(index, reply);
	else if (str_is(path, "/_search/scroll"))
		fake_reply_json(reply, 200, "{\"hits\":{\"hits\":[]}}");
	else if (!rest.len)
		make_index(index, method, reply);
	else if (str_is(rest, "_bulk"))
		bulk(index, body, reply);
	else if (str_is(rest, "_search"))
		search(index, body, reply);
	else if (!str_starts(rest, STR("_doc/")))
		fake_reply_json(reply, 200, "{}");
	else if (str_is(method, "GET"))
		get_document(index, str_from_offset(rest, 5), reply);
	else
		put_document(index, str_from_offset(rest, 5), query, body, reply);
}

static bool lose_page(struct fake_state_index *index, struct str method, struct str path)
{
	if (!index->lose_pages || !str_is(path, "/_search/scroll") || !str_is(method, "POST"))
		return false;
	index->lose_pages--;
	return true;
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fake_state_index *index = user;
	struct str method, target, path, query = STR_NONE, rest;

	if (index->cut && index->requests + 1 >= index->cut) {
		fake_reply_json(reply, 500, "{\"error\":{\"type\":\"cut\",\"reason\":\"cut\"}}");
		return;
	}
	str_split(request->head, ' ', &method, &rest);
	str_split(rest, ' ', &target, &rest);
	str_split(target, '?', &path, &query);
	route(index, method, path, query, request->body, reply);
	if (++index->requests == index->lose || lose_page(index, method, path)) {
		buf_reset(&reply->bytes);
		reply->end = FAKE_RESET;
	}
}

void fake_state_index_start(struct fake_state_index *index)
{
	index->server = fake_server_start(handle, index);
}

void fake_state_index_stop(struct fake_state_index *index)
{
	fake_server_free(index->server);
	for (size_t i = 0; i < index->count; i++)
		buf_release(&index->documents[i].source);
	*index = (struct fake_state_index){0};
}
