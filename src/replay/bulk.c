#include "replay/bulk.h"

#include "replay/updates.h"

#include "base/json.h"

static bool is_verb(struct str verb)
{
	return str_is(verb, "index") || str_is(verb, "create") || str_is(verb, "update") ||
	       str_is(verb, "delete");
}

static size_t count_lines(struct str body)
{
	size_t lines = 1;

	for (size_t i = 0; i < body.len; i++)
		lines += body.ptr[i] == '\n';
	return lines;
}

/* False: no bulk, or one with a line that the target should judge. */
static bool take_items(struct bulk *bulk, struct str body, struct arena *mem)
{
	struct str line, rest = body;
	struct json *action;
	struct err err;

	while (rest.len > 0) {
		struct bulk_item *item = &bulk->items[bulk->count];

		if (!str_split(rest, '\n', &line, &rest))
			rest = STR_NONE;
		if (str_trim(line).len == 0)
			continue;
		if (json_parse(str_trim(line), mem, &action, &err) < 0 ||
		    action->type != JSON_OBJECT || action->count != 1 ||
		    action->first->type != JSON_OBJECT || !is_verb(action->first->key))
			return false;
		*item = (struct bulk_item){.verb = action->first->key, .meta = action->first};
		if (!str_is(item->verb, "delete")) {
			if (rest.len == 0)
				return false;
			if (!str_split(rest, '\n', &item->source, &rest))
				rest = STR_NONE;
		}
		bulk->count++;
	}
	return bulk->count > 0;
}

int bulk_open(struct job *job, struct err *err)
{
	struct str body;
	struct bulk *bulk;
	size_t lines;

	if (outgoing_decoded_body(&job->out, job->mem, &body, err) < 0)
		return 0; /* the target says what it thinks of it */
	lines = count_lines(body);
	bulk = arena_zalloc(job->mem, 1, sizeof(*bulk));
	if (bulk)
		bulk->items = arena_zalloc(job->mem, lines, sizeof(*bulk->items));
	if (bulk)
		bulk->sent = arena_zalloc(job->mem, lines, sizeof(*bulk->sent));
	if (!bulk || !bulk->items || !bulk->sent)
		return arena_fail(job->mem, "a bulk request", err);
	if (take_items(bulk, body, job->mem))
		job->bulk = bulk;
	return 0;
}

bool bulk_item_is_ready(const struct bulk_item *item)
{
	return !item->done && !(item->update && item->update->open);
}

static void choose_items(struct bulk *bulk)
{
	size_t count = 0, before = bulk->sent_count;

	for (size_t i = 0; i < bulk->count; i++) {
		if (!bulk_item_is_ready(&bulk->items[i]))
			continue;
		bulk->is_written &= count < before && bulk->sent[count] == i;
		bulk->sent[count++] = i;
	}
	bulk->is_written &= count == before;
	bulk->sent_count = count;
}

int bulk_prepare(struct job *job, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(OUTGOING_BODY_MAX);
	struct bulk *bulk = job->bulk;

	choose_items(bulk);
	if (!bulk->changed && bulk->sent_count == bulk->count)
		return 0;
	if (bulk->answers > 0)
		job->counts->bulk_items_resent += bulk->sent_count;
	/* A target that is busy for long must not fill the memory with the same body. */
	if (bulk->is_written)
		return 0;
	for (size_t i = 0; i < bulk->sent_count; i++) {
		const struct bulk_item *item = &bulk->items[bulk->sent[i]];

		buf_append_byte(&body, '{');
		json_write_string(&body, item->verb);
		buf_append_byte(&body, ':');
		json_write(&body, item->meta);
		buf_append_str(&body, STR("}\n"));
		if (!str_is(item->verb, "delete")) {
			buf_append_str(&body, item->source);
			buf_append_byte(&body, '\n');
		}
	}
	if (buf_check(&body, "a bulk request", err) < 0)
		return -(int)err->kind;
	job->out.body = arena_str(job->mem, buf_str(&body));
	job->out.body_changed = true;
	bulk->is_written = true;
	return job->out.body.ptr ? 0 : arena_fail(job->mem, "a bulk request", err);
}

struct json *answer_json(struct str answer, struct arena *mem)
{
	struct http_message message;
	struct json *tree;
	struct err err;

	if (http_response_parse(answer, false, mem, &message, &err) < 0 ||
	    http_message_decode(&message, OUTGOING_BODY_MAX, mem, &err) < 0 ||
	    json_parse(message.body, mem, &tree, &err) < 0)
		return NULL;
	return tree;
}

struct json *bulk_result(struct json *item)
{
	return item && item->type == JSON_OBJECT && item->count == 1 ? item->first : NULL;
}

static bool is_final_type(const struct job *job, struct str type)
{
	for (size_t i = 0; i < job->rules->final_type_count; i++)
		if (str_is(type, job->rules->final_types[i]))
			return true;
	return false;
}

/* Busy, away, or an error of its own, which may come of being stopped and is not waited out for
 * ever. */
static bool is_of_the_target(struct bulk_item *item, int64_t status)
{
	return status == 429 || (status >= 502 && status <= 504) ||
	       (status == 500 && ++item->broken < JOB_ATTEMPTS_MOST);
}

static void take_result(struct job *job, struct bulk_item *item, struct json *outer)
{
	cleanup(buf_release) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);
	const struct json *result = bulk_result(outer);
	int64_t status = json_i64_or(json_get(result, "status"), 500);
	struct str type = json_string(json_path(result, "error", "type", NULL));
	bool again = item->refused;

	item->failed = json_get(result, "error") != NULL;
	item->done = true;
	item->refused = item->failed && is_of_the_target(item, status);
	/* One refusal is kept, not hundreds of them. */
	if (!item->refused || !again) {
		json_write(&text, outer);
		item->result = arena_str(job->mem, buf_str(&text));
	}
	if (!item->failed)
		return;
	if (status == 409 && item->versioned) {
		job->counts->conflicts_newer++;
	} else if (item->update &&
		   updates_take_answer(job, item->update, (int)status, &(bool){false})) {
		item->done = false;
	} else {
		item->done = type.ptr && is_final_type(job, type);
	}
}

bool bulk_take_answer(struct job *job, struct str answer)
{
	cleanup(arena_release) struct arena scratch = ARENA_INIT(ANSWER_TREE_MAX);
	struct bulk *bulk = job->bulk;
	struct json *tree = answer_json(answer, &scratch);
	struct json *items = json_get(tree, "items"), *item;
	bool left = false;
	size_t i = 0;

	bulk->failing = 0;
	bulk->answers++;
	if (!items || items->count != bulk->sent_count) {
		/* Nothing says which item is which: it stands as it is. */
		for (i = 0; i < bulk->count; i++)
			bulk->items[i].done = true;
		bulk->answers = 0;
		return false;
	}
	for (item = items->first; item; item = item->next, i++)
		take_result(job, &bulk->items[bulk->sent[i]], item);
	for (i = 0; i < bulk->count; i++) {
		left |= !bulk->items[i].done;
		bulk->failing += bulk_item_is_ready(&bulk->items[i]);
	}
	return left;
}

bool bulk_keep_refused(struct bulk *bulk)
{
	size_t refused = 0;

	for (size_t i = 0; i < bulk->count; i++) {
		struct bulk_item *item = &bulk->items[i];

		if (!bulk_item_is_ready(item))
			continue;
		item->done = !item->refused;
		refused += item->refused;
	}
	return refused > 0;
}

bool bulk_give_up(struct bulk *bulk)
{
	bool left = false;

	for (size_t i = 0; i < bulk->count; i++) {
		bulk->items[i].done |= bulk_item_is_ready(&bulk->items[i]);
		left |= !bulk->items[i].done;
	}
	return left;
}

struct str bulk_stitched(struct job *job, struct str last)
{
	cleanup(buf_release) struct buf body = BUF_INIT(OUTGOING_BODY_MAX);
	struct bulk *bulk = job->bulk;
	bool errors = false;
	struct str out;

	(void)last;
	if (bulk->answers == 0 || (bulk->answers == 1 && bulk->sent_count == bulk->count))
		return STR_NONE;
	for (size_t i = 0; i < bulk->count; i++) {
		errors |= bulk->items[i].failed;
		if (!bulk->items[i].result.ptr)
			return STR_NONE;
	}
	buf_printf(&body, "{\"took\":0,\"errors\":%s,\"items\":[", errors ? "true" : "false");
	for (size_t i = 0; i < bulk->count; i++) {
		if (i > 0)
			buf_append_byte(&body, ',');
		buf_append_str(&body, bulk->items[i].result);
	}
	buf_append_str(&body, STR("]}"));
	if (body.failed)
		return STR_NONE;
	out = arena_printf(job->mem,
			   "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
			   "content-length: %zu\r\n\r\n" STR_FMT,
			   body.len, STR_ARG(buf_str(&body)));
	return out;
}
