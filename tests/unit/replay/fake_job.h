/* A job without a connection: what it sends, and what becomes of the answers it is given. */
#ifndef TEST_REPLAY_FAKE_JOB_H
#define TEST_REPLAY_FAKE_JOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay/job.h"

struct fake_job {
	struct arena mem;
	struct job_rules rules;
	struct job_counts counts;
	struct job job;
	const char *why;
};

static inline struct str request_text(struct arena *mem, const char *first_line, const char *body)
{
	return arena_printf(mem, "%s HTTP/1.1\r\nHost: source\r\nContent-Length: %zu\r\n\r\n%s",
			    first_line, strlen(body), body);
}

static inline struct str answer_text(struct arena *mem, int status, const char *body)
{
	return arena_printf(mem, "HTTP/1.1 %d Reason\r\nContent-Length: %zu\r\n\r\n%s", status,
			    strlen(body), body);
}

static inline int fake_job_begin(struct fake_job *f, const char *first_line, const char *body,
				 int status, const char *source)
{
	struct err err = {0};
	struct str answer;

	assert_int_equal(job_open(&f->job, &f->rules, &f->counts,
				  request_text(&f->mem, first_line, body), STR("n/c.1"), &f->mem,
				  &err),
			 0);
	f->job.may_wait = true;
	if (source) {
		answer = answer_text(&f->mem, status, source);
		job_source(&f->job, answer);
	}
	return job_plan(&f->job, &f->why, &err);
}

/* `source`: the body of the captured answer; NULL: there is none. What job_plan returns. */
static inline int fake_job_open(struct fake_job *f, bool versions, const char *first_line,
				const char *body, int status, const char *source)
{
	*f = (struct fake_job){.mem = ARENA_INIT(MIB(16)),
			       .rules.source_versions = versions,
			       .rules.outgoing.host = "target"};
	return fake_job_begin(f, first_line, body, status, source);
}

static inline int fake_job_open_watching(struct fake_job *f, struct deletes *deletes,
					 const char *first_line, const char *body,
					 const char *source)
{
	*f = (struct fake_job){.mem = ARENA_INIT(MIB(16)),
			       .rules.source_versions = true,
			       .rules.deletes = deletes,
			       .rules.outgoing.host = "target"};
	return fake_job_begin(f, first_line, body, 200, source);
}

static inline void fake_job_close(struct fake_job *f)
{
	arena_release(&f->mem);
}

/* The request that goes out now: its first line without the version, a line end, its body. */
static inline const char *fake_job_sends(struct fake_job *f)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(16));
	struct http_message m;
	struct err err = {0};

	assert_int_equal(job_write(&f->job, &out, &err), 0);
	assert_int_equal(http_request_parse(arena_str(&f->mem, buf_str(&out)), &f->mem, &m, &err),
			 0);
	assert_true(str_is(http_message_field(&m, "host"), "target"));
	return arena_printf(&f->mem, STR_FMT " " STR_FMT "\n" STR_FMT, STR_ARG(m.method),
			    STR_ARG(m.target), STR_ARG(m.body))
		.ptr;
}

static inline enum job_verdict fake_job_answer(struct fake_job *f, int status, const char *body)
{
	return job_decide(&f->job, status, answer_text(&f->mem, status, body), true);
}

/* The body of the answer that stands for all; NULL: the last one does. */
static inline const char *fake_job_stitched(struct fake_job *f)
{
	struct str whole = job_stitched(&f->job, STR("")), head, body;

	if (!whole.ptr)
		return NULL;
	body = str_from_offset(
		whole,
		(size_t)((const char *)memmem(whole.ptr, whole.len, "\r\n\r\n", 4) - whole.ptr) +
			4);
	head = arena_str(&f->mem, body);
	return head.ptr;
}

#endif
