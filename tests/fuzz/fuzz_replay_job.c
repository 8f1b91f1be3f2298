/* Any request of a capture with any answer of the source, and any answers of the target: what is
 * sent is HTTP, an error says something, and the tuple is one line of JSON. */
#include "base/json.h"
#include "fuzz.h"
#include "replay/cursors.h"
#include "replay/deletes.h"
#include "replay/job.h"
#include "traffic/tuple.h"

/* Between the request, the captured answer and the target's. */
#define MARK STR("\n%%\n")

/* To a target that is busy forever it is sent forever. */
enum { SENDS_MOST = 40, PATIENCE = 20 };

struct pieces {
	struct str all, rest; /* of the target's answers; they come round again */
};

static struct str next_piece(struct str *rest)
{
	const char *at = rest->len ? memmem(rest->ptr, rest->len, MARK.ptr, MARK.len) : NULL;
	struct str piece = *rest;

	if (!at) {
		*rest = STR_NONE;
		return piece;
	}
	piece.len = (size_t)(at - rest->ptr);
	*rest = str_from_offset(*rest, piece.len + MARK.len);
	return piece;
}

static struct str next_answer(struct pieces *pieces)
{
	if (pieces->rest.len == 0)
		pieces->rest = pieces->all;
	return next_piece(&pieces->rest);
}

/* As a connection takes it: what is no HTTP is no answer. */
static int status_of(struct str answer, bool head_only, struct arena *mem)
{
	struct http_message message;
	struct err err;

	return http_response_parse(answer, head_only, mem, &message, &err) < 0 ? 0 : message.status;
}

/* False: it cannot be sent. */
static bool send(struct job *job, struct buf *out, struct arena *mem)
{
	struct http_message message;
	struct err err = {0};

	buf_reset(out);
	if (job_write(job, out, &err) < 0) {
		if (!err.message[0])
			BUG("an error that says nothing");
		return false;
	}
	if (http_request_parse(buf_str(out), mem, &message, &err) < 0)
		BUG("what is sent is no HTTP");
	return true;
}

/* The last answer; as many sends as there may be. */
static struct str replay(struct job *job, struct pieces *answers, struct buf *out,
			 struct arena *mem)
{
	struct str answer = STR_NONE;

	for (int sends = 0; sends < SENDS_MOST && send(job, out, mem); sends++) {
		enum job_verdict verdict;
		int status;

		answer = next_answer(answers);
		status = status_of(answer, job->head_only, mem);
		job->may_wait = sends < PATIENCE;
		verdict = job_decide(job, status, answer, false);
		if (verdict == JOB_ASK_SOURCE)
			verdict = job_decide(job, status, STR_NONE, true);
		if (verdict == JOB_FINAL || verdict == JOB_ASK_SOURCE)
			break;
	}
	return answer;
}

static void check_tuple(const struct tuple *tuple, struct arena *mem)
{
	cleanup(buf_release) struct buf line = BUF_INIT(MIB(64));
	struct json *tree;
	struct err err;

	tuple_write(&line, tuple, mem);
	if (line.failed || mem->failed)
		return;
	if (line.ptr[line.len - 1] != '\n' || memchr(line.ptr, '\n', line.len - 1))
		BUG("a tuple that is not one line");
	if (json_parse(str_of(line.ptr, line.len - 1), mem, &tree, &err) < 0)
		BUG("a tuple that is no JSON");
}

static void run(struct job *job, struct str request, struct str source, struct pieces *answers,
		struct arena *mem)
{
	cleanup(buf_release) struct buf sent = BUF_INIT(MIB(64));
	struct tuple_part part = {0};
	struct tuple tuple = {.source_request.bytes = request,
			      .source_response.bytes = source,
			      .target_responses = &part,
			      .connection_id = STR("c")};
	struct err err = {0};

	job_source(job, source);
	if (job_plan(job, &tuple.error, &err) > 0) {
		struct str last = replay(job, answers, &sent, mem), stitched;

		stitched = job_stitched(job, last);
		part.bytes = stitched.ptr ? stitched : last;
		cursors_learn(job->rules->cursors, job, part.bytes);
		tuple.target_request.bytes = buf_str(&sent);
		tuple.target_response_count = part.bytes.len > 0;
	} else if (!tuple.error && !err.message[0]) {
		BUG("a request that is not sent, and nobody says why");
	}
	check_tuple(&tuple, mem);
}

/* Bytes: flags, the request, the captured answer, the target's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	static const char *const final_types[] = {"mapper_parsing_exception"};
	struct str rest = str_of(data + 1, size ? size - 1 : 0);
	struct job_rules rules = {
		.outgoing.host = "target", .final_types = final_types, .final_type_count = 1};
	struct job_counts counts = {0};
	struct str request, source;
	struct pieces answers;
	struct err err = {0};
	struct job job;

	if (size < 2)
		return 0;
	rules.source_versions = data[0] & 1;
	rules.waits_for_credentials = data[0] & 2;
	rules.cursors = cursors_new();
	rules.deletes = rules.source_versions ? deletes_new() : NULL;
	request = next_piece(&rest);
	source = next_piece(&rest);
	answers.all = answers.rest = rest;
	if (job_open(&job, &rules, &counts, request, STR("n/c.1"), &mem, &err) == 0) {
		run(&job, request, source, &answers, &mem);
		/* Twice: what was learnt is there now. */
		if (job_open(&job, &rules, &counts, request, STR("n/c.2"), &mem, &err) == 0)
			run(&job, request, source, &answers, &mem);
	} else if (!err.message[0]) {
		BUG("an error that says nothing");
	}
	cursors_free(rules.cursors);
	deletes_free(rules.deletes);
	return 0;
}
