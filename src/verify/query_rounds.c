#include "verify/query_rounds.h"

#include "base/clock.h"

#include <time.h>

#define ANSWER_MAX MIB(1024)
#define WAIT_STEP_US 100000

struct side_answer {
	struct tuple_message message;
	bool given;
	struct err err;
};

static int ask(struct cluster *cluster, struct str index, struct str body, struct arena *mem,
	       struct side_answer *out)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	int64_t began = clock_monotonic_us();
	struct json *value;
	struct str text;
	int status, rc;

	*out = (struct side_answer){0};
	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, STR("/_search"));
	if ((rc = buf_check(&path, "the path of a query", &out->err)) < 0)
		return rc;
	rc = cluster_request_text(cluster, "POST", buf_cstr(&path), body, true, &status, &text,
				  &out->err);
	if (rc < 0)
		return rc;
	out->given = true;
	out->message = (struct tuple_message){
		.status = status,
		.has_spans = true,
		.first_us = -1,
		.last_us = clock_monotonic_us() - began,
		.body = text.len ? TUPLE_BODY_BYTES : TUPLE_BODY_NONE,
		.bytes = text,
	};
	if (json_parse(text, mem, &value, NULL) == 0) {
		out->message.json = value;
		out->message.body = TUPLE_BODY_JSON;
	}
	return 0;
}

static int ask_both(const struct verify_query *query, struct cluster *const clusters[2],
		    struct str name, size_t first, struct arena *mem, struct tuple_tally *tally,
		    struct err *err)
{
	struct side_answer answers[2];
	struct tuple_message request = {
		.method = STR("POST"),
		.uri = arena_printf(mem, "/" STR_FMT "/_search", STR_ARG(query->source_index))};
	struct tuple_pair pair = {.request = &request, .connection_id = name};

	for (size_t i = 0; i < 2; i++) {
		size_t side = i ^ first;
		int rc = ask(clusters[side],
			     side == TUPLE_SOURCE ? query->source_index : query->target_index,
			     query->body, mem, &answers[side]);

		if (rc == -ERR_AUTH || rc == -ERR_CANCELLED) {
			*err = answers[side].err;
			return rc;
		}
	}
	pair.source = answers[TUPLE_SOURCE].given ? &answers[TUPLE_SOURCE].message : NULL;
	pair.target = answers[TUPLE_TARGET].given ? &answers[TUPLE_TARGET].message : NULL;
	pair.error = str_from(answers[TUPLE_TARGET].err.message);
	return tuple_tally_add(tally, &pair, mem, err);
}

/* False: cancelled meanwhile. */
static bool wait_until(int64_t due_us, const atomic_bool *cancel)
{
	int64_t left;

	while (!atomic_load(cancel) && (left = due_us - clock_monotonic_us()) > 0) {
		int64_t step = MIN(left, (int64_t)WAIT_STEP_US);
		struct timespec pause = {.tv_nsec = step * 1000};

		nanosleep(&pause, NULL);
	}
	return !atomic_load(cancel);
}

int query_rounds_run(const struct verify_query_list *list, struct cluster *const clusters[2],
		     const struct query_rounds *how, const atomic_bool *cancel,
		     struct tuple_tally *tally, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	int64_t began = clock_monotonic_us(), asked = 0;

	for (int64_t round = 0; round < how->rounds; round++)
		for (size_t i = 0; i < list->count; i++, asked++) {
			int64_t due = how->rate > 0 ? began + asked * 1000000 / how->rate : began;
			struct str name;

			if (!wait_until(due, cancel))
				return err_set(err, ERR_CANCELLED, "interrupted");
			arena_reset(&mem);
			name = arena_printf(&mem, "query %zu, round %lld", i + 1,
					    (long long)round + 1);
			if (ask_both(&list->items[i], clusters, name, (size_t)asked & 1, &mem,
				     tally, err) < 0)
				return -(int)err->kind;
		}
	return 0;
}
