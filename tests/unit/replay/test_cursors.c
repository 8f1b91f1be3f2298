#include "fake_job.h"

#include "replay/cursors.h"

/* Opens, plans and gives back what is sent; NULL: nothing. */
static const char *sends(struct fake_job *f, struct cursors *cursors, const char *first_line,
			 const char *body, const char *source)
{
	struct err err = {0};

	*f = (struct fake_job){.mem = ARENA_INIT(MIB(16)),
			       .rules.cursors = cursors,
			       .rules.outgoing.host = "target"};
	assert_int_equal(job_open(&f->job, &f->rules, &f->counts,
				  request_text(&f->mem, first_line, body), STR("n/c.1"), &f->mem,
				  &err),
			 0);
	job_source(&f->job, answer_text(&f->mem, 200, source));
	return job_plan(&f->job, &f->why, &err) == 1 ? fake_job_sends(f) : NULL;
}

static void is_sent(struct cursors *cursors, const char *first_line, const char *body,
		    const char *expected, const char *source, const char *target)
{
	struct fake_job f;
	const char *sent = sends(&f, cursors, first_line, body, source);

	if (expected)
		assert_string_equal(sent, expected);
	else
		assert_null(sent);
	cursors_learn(cursors, &f.job, answer_text(&f.mem, 200, target));
	fake_job_close(&f);
}

static void a_scroll_goes_on_with_the_id_of_the_target(void **state)
{
	struct cursors *cursors = cursors_new();

	(void)state;
	is_sent(cursors, "POST /_search/scroll", "{\"scroll_id\":\"a\"}", NULL, "{}", "{}");
	is_sent(cursors, "POST /i/_search?scroll=1m", "{}", "POST /i/_search?scroll=1m\n{}",
		"{\"_scroll_id\":\"a\",\"hits\":{}}", "{\"_scroll_id\":\"A\"}");
	is_sent(cursors, "POST /_search/scroll", "{\"scroll\":\"1m\",\"scroll_id\":\"a\"}",
		"POST /_search/scroll\n{\"scroll\":\"1m\",\"scroll_id\":\"A\"}",
		"{\"_scroll_id\":\"b\"}", "{\"_scroll_id\":\"B\"}");
	is_sent(cursors, "GET /_search/scroll?scroll=1m&scroll_id=b&pretty", "",
		"GET /_search/scroll?scroll=1m&scroll_id=B&pretty\n", "{}", "{}");
	is_sent(cursors, "GET /_search/scroll/b?scroll=1m", "", "GET /_search/scroll/B?scroll=1m\n",
		"{}", "{}");
	is_sent(cursors, "POST /_search/scroll?scroll=1m", "b", "POST /_search/scroll?scroll=1m\nB",
		"{}", "{}");
	is_sent(cursors, "DELETE /_search/scroll", "{\"scroll_id\":[\"a\",\"b\"]}",
		"DELETE /_search/scroll\n{\"scroll_id\":[\"A\",\"B\"]}", "{}", "{}");
	is_sent(cursors, "DELETE /_search/scroll", "{\"scroll_id\":[\"a\",\"x\"]}", NULL, "{}",
		"{}");
	is_sent(cursors, "DELETE /_search/scroll/_all", "", NULL, "{}", "{}");
	cursors_free(cursors);
}

static void a_point_in_time_is_that_of_the_target(void **state)
{
	struct cursors *cursors = cursors_new();

	(void)state;
	is_sent(cursors, "POST /_search", "{\"pit\":{\"id\":\"p\"}}", NULL, "{}", "{}");
	is_sent(cursors, "POST /i/_pit?keep_alive=1m", "", "POST /i/_pit?keep_alive=1m\n",
		"{\"id\":\"p\"}", "{\"pit_id\":\"P\"}");
	is_sent(cursors, "POST /_search", "{\"pit\":{\"id\":\"p\",\"keep_alive\":\"1m\"}}",
		"POST /_search\n{\"pit\":{\"id\":\"P\",\"keep_alive\":\"1m\"}}",
		"{\"pit_id\":\"q\"}", "{\"pit_id\":\"Q\"}");
	is_sent(cursors, "DELETE /_pit", "{\"id\":\"q\"}", "DELETE /_pit\n{\"id\":\"Q\"}", "{}",
		"{}");
	is_sent(cursors, "DELETE /_search/point_in_time", "{\"pit_id\":[\"p\"]}",
		"DELETE /_search/point_in_time\n{\"pit_id\":[\"P\"]}", "{}", "{}");
	/* The answer of no cursor has ids of its own. */
	is_sent(cursors, "GET /i/_doc/1", "", "GET /i/_doc/1\n", "{\"id\":\"z\"}",
		"{\"id\":\"Z\"}");
	assert_int_equal(cursors_count(cursors), 2);
	cursors_free(cursors);
}

static void the_oldest_are_forgotten(void **state)
{
	struct cursors *cursors = cursors_new();
	char source[64], target[64], body[64];

	(void)state;
	for (int i = 0; i < CURSORS_MOST + 10; i++) {
		snprintf(source, sizeof(source), "{\"_scroll_id\":\"s%d\"}", i);
		snprintf(target, sizeof(target), "{\"_scroll_id\":\"t%d\"}", i);
		is_sent(cursors, "GET /i/_search?scroll=1m", "", "GET /i/_search?scroll=1m\n",
			source, target);
	}
	assert_int_equal(cursors_count(cursors), CURSORS_MOST);
	is_sent(cursors, "POST /_search/scroll", "{\"scroll_id\":\"s1\"}", NULL, "{}", "{}");
	snprintf(body, sizeof(body), "{\"scroll_id\":\"s%d\"}", CURSORS_MOST);
	snprintf(target, sizeof(target), "POST /_search/scroll\n{\"scroll_id\":\"t%d\"}",
		 CURSORS_MOST);
	is_sent(cursors, "POST /_search/scroll", body, target, "{}", "{}");
	cursors_free(cursors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scroll_goes_on_with_the_id_of_the_target),
		cmocka_unit_test(a_point_in_time_is_that_of_the_target),
		cmocka_unit_test(the_oldest_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
