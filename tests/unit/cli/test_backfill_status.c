/* `backfill status` over a session that some process left in the state directory. */
#include "../backfill/temporary_folder.h"
#include "backfill/coordinator.h"
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct ran {
	int code;
	char *out, *err;
};

static void ran_release(struct ran *ran)
{
	free(ran->out);
	free(ran->err);
}

static struct ran run(const char *state_dir, const char *more, const char *value)
{
	const char *words[] = {"shardlift", "backfill", "status", "--state-dir", state_dir,
			       "--pace",    "0",        more,     value};
	FILE *real_out = stdout, *real_err = stderr;
	char *argv[COUNT_OF(words)];
	size_t out_size, err_size;
	struct ran ran = {0};
	int count = 7 + (more != NULL) + (value != NULL);

	for (int i = 0; i < count; i++)
		argv[i] = mem_strdup(words[i]);
	stdout = open_memstream(&ran.out, &out_size);
	stderr = open_memstream(&ran.err, &err_size);
	ran.code = cli_main(count, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = real_out;
	stderr = real_err;
	for (int i = 0; i < count; i++)
		free(argv[i]);
	return ran;
}

/* Two items, one of them completed. */
static void make_session(const char *state_dir, const char *session)
{
	const struct coordinator_options options = {
		.session = session, .lease_ms = 60000, .max_lease_ms = 60000, .max_failures = 1};
	const struct work_item items[] = {{STR("books"), 0, 0, 10, 100},
					  {STR("books"), 1, 0, 10, 50}};
	const struct work_progress progress = {.next_doc = 10, .documents = 9, .sent = 9};
	struct coordinator *c = NULL;
	enum claim_outcome outcome;
	struct work_claim claim;
	struct err err = {0};
	int64_t wait_ms;
	bool created;

	assert_int_equal(coordinator_local_open(state_dir, &options, &c, &err), 0);
	assert_int_equal(c->ops->create(c, STR("f"), items, COUNT_OF(items), &created, &err), 0);
	work_claim_init(&claim);
	assert_int_equal(c->ops->claim(c, &claim, &outcome, &wait_ms, &err), 0);
	assert_int_equal(outcome, CLAIM_TAKEN);
	assert_int_equal(c->ops->complete(c, &claim, &progress, &err), 0);
	assert_int_equal(c->ops->claim(c, &claim, &outcome, &wait_ms, &err), 0);
	if (strcmp(session, "stuck") == 0)
		assert_int_equal((c->ops->fail)(c, &claim, "a blob is missing", true, &err), 0);
	else
		assert_int_equal(c->ops->release(c, &claim, &err), 0);
	work_claim_release(&claim);
	c->ops->close(c);
}

static void a_session_is_told_after_its_process_ended(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();

	(void)state;
	make_session(folder, "nightly");
	cleanup(ran_release) struct ran ran = run(folder, NULL, NULL);
	assert_int_equal(ran.code, EXIT_CODE_OK);
	assert_string_equal(
		ran.out, "session nightly: 66%, 100 B of 150 B, nobody works on it\n"
			 "INDEX  READ  DONE  LEASED  WAITING  PARKED  DOCUMENTS  SENT  FAILED\n"
			 "books   66%     1       0        1       0          9     9       0\n");
}

static void parked_items_are_no_good_end(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();

	(void)state;
	make_session(folder, "nightly");
	make_session(folder, "stuck");
	cleanup(ran_release) struct ran ran = run(folder, "--session-name", "stuck");
	assert_int_equal(ran.code, EXIT_CODE_COMPLETED_WITH_ERRORS);
	assert_non_null(strstr(ran.out, "parked: books[1] from document 0 on: a blob is missing"));
	assert_null(strstr(ran.out, "nightly"));
	cleanup(ran_release) struct ran both = run(folder, "--json", NULL);
	assert_non_null(strstr(both.out, "\"session\": \"nightly\""));
	assert_non_null(strstr(both.out, "\"session\": \"stuck\""));
}

static void a_session_that_is_not_there_is_told_with_those_that_are(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();

	(void)state;
	cleanup(ran_release) struct ran empty = run(folder, NULL, NULL);
	assert_int_equal(empty.code, EXIT_CODE_OK);
	assert_non_null(strstr(empty.out, "no backfill is known"));
	make_session(folder, "nightly");
	cleanup(ran_release) struct ran ran = run(folder, "--session-name", "weekly");
	assert_int_equal(ran.code, EXIT_CODE_SOURCE_UNREADABLE);
	assert_non_null(strstr(ran.err, "'weekly'"));
	assert_non_null(strstr(ran.err, "nightly"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_told_after_its_process_ended),
		cmocka_unit_test(parked_items_are_no_good_end),
		cmocka_unit_test(a_session_that_is_not_there_is_told_with_those_that_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
