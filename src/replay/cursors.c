#include "replay/cursors.h"

#include "replay/bulk.h"

#include "base/clock.h"
#include "base/json_hash.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { BUCKETS = 4096 };

struct cursor {
	TAILQ_ENTRY(cursor) link; /* by when it was named last */
	struct cursor *same_bucket;
	struct hash128 source; /* of its id */
	struct str target;     /* owned */
	int64_t named_ms;
};

struct cursors {
	TAILQ_HEAD(, cursor) list;
	struct cursor *buckets[BUCKETS];
	size_t count, bytes;
};

struct cursors *cursors_new(void)
{
	struct cursors *c = mem_zalloc(sizeof(*c));

	TAILQ_INIT(&c->list);
	return c;
}

static struct cursor **place_of(struct cursors *c, struct hash128 source)
{
	struct cursor **at = &c->buckets[source.low % BUCKETS];

	while (*at && ((*at)->source.low != source.low || (*at)->source.high != source.high))
		at = &(*at)->same_bucket;
	return at;
}

static void forget(struct cursors *c, struct cursor *cursor)
{
	*place_of(c, cursor->source) = cursor->same_bucket;
	TAILQ_REMOVE(&c->list, cursor, link);
	c->count--;
	c->bytes -= cursor->target.len;
	free((void *)(uintptr_t)cursor->target.ptr);
	free(cursor);
}

void cursors_free(struct cursors *c)
{
	if (!c)
		return;
	while (!TAILQ_EMPTY(&c->list))
		forget(c, TAILQ_FIRST(&c->list));
	free(c);
}

size_t cursors_count(const struct cursors *c)
{
	return c->count;
}

static void forget_old(struct cursors *c)
{
	struct cursor *oldest;

	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it does not follow TAILQ_REMOVE */
	while ((oldest = TAILQ_FIRST(&c->list)) &&
	       (c->count > CURSORS_MOST || c->bytes > CURSORS_MOST_BYTES ||
		clock_monotonic_ms() - oldest->named_ms > CURSORS_AGE_MS))
		forget(c, oldest);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

static void remember(struct cursors *c, struct str source, struct str target)
{
	struct hash128 hash = bytes_hash(source);
	struct cursor **at = place_of(c, hash), *cursor;

	if (source.len == 0 || target.len == 0)
		return;
	if (*at)
		forget(c, *at);
	cursor = mem_zalloc(sizeof(*cursor));
	cursor->source = hash;
	cursor->target = str_of(str_dup(target), target.len);
	cursor->named_ms = clock_monotonic_ms();
	*place_of(c, hash) = cursor;
	TAILQ_INSERT_TAIL(&c->list, cursor, link);
	c->count++;
	c->bytes += target.len;
	forget_old(c);
}

static struct str look_up(struct cursors *c, struct str source)
{
	struct cursor *cursor;

	forget_old(c);
	cursor = *place_of(c, bytes_hash(source));
	if (!cursor)
		return STR_NONE;
	cursor->named_ms = clock_monotonic_ms();
	TAILQ_REMOVE(&c->list, cursor, link);
	TAILQ_INSERT_TAIL(&c->list, cursor, link);
	return cursor->target;
}

/* --- Requests --- */

bool cursors_are_named(struct job *job)
{
	struct str body;
	struct err err;

	if (job->operation.kind == OPERATION_CURSOR)
		return true;
	if (job->operation.kind != OPERATION_READ || job->out.body.len == 0 ||
	    outgoing_decoded_body(&job->out, job->mem, &body, &err) < 0)
		return false;
	return memmem(body.ptr, body.len, "\"pit\"", 5) != NULL;
}

/* A string, or an array of them. */
static bool put_value(struct cursors *c, struct job *job, struct json *object, const char *key,
		      size_t *put)
{
	struct json *value = json_get(object, key), *mapped;
	struct str target;

	if (!value)
		return true;
	if (value->type == JSON_STRING) {
		target = look_up(c, json_string(value));
		if (!target.ptr)
			return false;
		json_set(object, str_from(key), json_new_string(job->mem, target));
		++*put;
		return true;
	}
	if (value->type != JSON_ARRAY)
		return false;
	mapped = json_new(job->mem, JSON_ARRAY);
	json_each (one, value) {
		target = look_up(c, json_string(one));
		if (!target.ptr)
			return false;
		json_append(mapped, json_new_string(job->mem, target));
		++*put;
	}
	json_set(object, str_from(key), mapped);
	return true;
}

static bool put_body(struct cursors *c, struct job *job, size_t *put)
{
	cleanup(buf_release) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);
	struct json *root, *pit;
	struct str body, target;
	struct err err;

	if (outgoing_decoded_body(&job->out, job->mem, &body, &err) < 0 || body.len == 0)
		return true;
	if (json_parse(body, job->mem, &root, &err) < 0) {
		/* Scrolls of old clients: the id is the body. */
		target = look_up(c, str_trim(body));
		if (!target.ptr)
			return false;
		buf_append_str(&text, target);
		++*put;
	} else {
		pit = json_get(root, "pit");
		if (!put_value(c, job, root, "scroll_id", put) ||
		    !put_value(c, job, root, "pit_id", put) ||
		    (job->operation.kind == OPERATION_CURSOR &&
		     !put_value(c, job, root, "id", put)) ||
		    (pit && !put_value(c, job, pit, "id", put)))
			return false;
		json_write(&text, root);
	}
	job->out.body = arena_str(job->mem, buf_str(&text));
	job->out.body_changed = true;
	return job->out.body.ptr != NULL;
}

/* /_search/scroll/ID, and ?scroll_id=ID. */
static bool put_target(struct cursors *c, struct job *job, size_t *put)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct request_path path;
	struct str target, id, rest;

	if (!request_path_parse(job->out.target, job->mem, &path))
		return true;
	if (request_query_get(path.query, STR("scroll_id"), &id)) {
		target = look_up(c, id);
		if (!target.ptr)
			return false;
		rest = str_of(job->out.target.ptr, (size_t)(id.ptr - job->out.target.ptr));
		buf_append_str(&text, rest);
		buf_append_str(&text, target);
		buf_append_str(&text, str_from_offset(job->out.target, rest.len + id.len));
	} else if (path.count > 2 && str_is(path.segment[path.count - 2], "scroll")) {
		target = look_up(c, path.segment[path.count - 1]);
		if (!target.ptr)
			return false;
		for (size_t i = 0; i + 1 < path.count; i++) {
			buf_append_byte(&text, '/');
			buf_append_str(&text, path.raw[i]);
		}
		buf_append_byte(&text, '/');
		buf_append_str(&text, target);
		buf_append_str(&text, path.query);
	} else {
		return true;
	}
	++*put;
	job->out.target = arena_str(job->mem, buf_str(&text));
	return job->out.target.ptr != NULL;
}

bool cursors_put(struct cursors *c, struct job *job)
{
	size_t put = 0;

	/* One that names none opens one, or is of all. */
	return put_target(c, job, &put) && put_body(c, job, &put) &&
	       (put > 0 || job->operation.opens);
}

/* --- Answers --- */

void cursors_learn(struct cursors *c, struct job *job, struct str target_answer)
{
	static const char *const names[] = {"_scroll_id", "pit_id", "id"};
	const struct json *source, *target;
	struct json *tree;
	struct str of_target = STR_NONE;
	struct err err;

	if (!job->has_source || (!job->operation.opens && !job->names_cursor) ||
	    json_parse(job->source.body, job->mem, &tree, &err) < 0)
		return;
	source = tree;
	target = answer_json(target_answer, job->mem);
	/* The two call it by names of their own. */
	for (size_t i = 0; i < COUNT_OF(names) && of_target.len == 0; i++)
		of_target = json_string(json_get(target, names[i]));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str of_source = json_string(json_get(source, names[i]));

		if (of_source.len > 0) {
			remember(c, of_source, of_target);
			return;
		}
	}
}
