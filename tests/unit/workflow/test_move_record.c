#include "workflow/routes/move_record.h"

#include "../backfill/temporary_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PAIR STR("http://old:9200 to http://new:9200")

static struct err err;

static void open_record(const char *path, struct move_record *record)
{
	if (move_record_open(path, PAIR, true, record, &err) < 0)
		fail_msg("%s", err.message);
}

static void what_was_done_is_known_to_the_next_run(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *holders = json_new(&mem, JSON_ARRAY);
	const struct json *before;
	struct move_record record;
	char path[200];
	bool known;

	(void)state;
	snprintf(path, sizeof(path), "%s/moves/m.json", folder);
	json_append(holders, json_new_string(&mem, STR("older")));
	open_record(path, &record);
	assert_int_equal(move_record_step_of(&record, STR("books")), MOVE_NONE);
	assert_int_equal(move_record_new_group(&record), 1);
	assert_int_equal(move_record_add(&record, STR("books"), STR("volumes"), 1, &err), 0);
	assert_false(move_record_is_blocked(&record, STR("books"), &known));
	assert_false(known);
	assert_int_equal(move_record_block(&record, STR("books"), false, &err), 0);
	assert_int_equal(move_record_alias(&record, STR("books"), STR("shelf"), holders, &err), 0);
	assert_int_equal(move_record_step(&record, STR("books"), MOVE_SWAPPED, &err), 0);
	move_record_release(&record);

	open_record(path, &record);
	assert_int_equal(move_record_step_of(&record, STR("books")), MOVE_SWAPPED);
	assert_true(str_is(move_record_target(&record, STR("books")), "volumes"));
	assert_true(move_record_is_blocked(&record, STR("books"), &known) && known);
	assert_true(str_is(move_record_alias_of(&record, STR("books"), &before), "shelf"));
	assert_true(str_is(json_string(before->first), "older"));
	assert_int_equal(move_record_back_out(&record, STR("books"), &err), 0);
	assert_true(move_record_is_backing_out(&record, STR("books")));
	assert_int_equal(move_record_forget(&record, STR("books"), &err), 0);
	assert_int_equal(move_record_step_of(&record, STR("books")), MOVE_NONE);
	move_record_release(&record);

	open_record(path, &record);
	assert_int_equal(move_record_new_group(&record), 2);
	move_record_release(&record);
}

static void two_runs_at_once_and_another_pair_of_clusters_are_refused(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct move_record record, other;
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/moves/m.json", folder);
	open_record(path, &record);
	assert_int_equal(move_record_open(path, PAIR, true, &other, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, "another process"));
	assert_int_equal(move_record_add(&record, STR("a"), STR("a"), 1, &err), 0);
	assert_int_equal(move_record_open(path, STR("x to y"), false, &other, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, "http://old:9200"));
	move_record_release(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_is_known_to_the_next_run),
		cmocka_unit_test(two_runs_at_once_and_another_pair_of_clusters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
