#include "metadata/index_renames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ENTRIES(...)              \
	(const char *[])          \
	{                         \
		__VA_ARGS__, NULL \
	}

#define NAMES 3

static void fill(struct str names[static NAMES])
{
	names[0] = STR("books");
	names[1] = STR("logs-2024.01");
	names[2] = STR("logs-2024.02");
}

static struct opt_list list_of(const char **entries)
{
	struct opt_list list = {.items = entries};

	while (entries[list.count])
		list.count++;
	return list;
}

static void becomes(const char **entries, const char *const *expected)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct opt_list list = list_of(entries);
	struct index_renames *renames = NULL;
	struct str names[NAMES], *targets;
	struct err err = {0};

	fill(names);
	if (index_renames_new(&list, &renames, &err) < 0 ||
	    index_renames_apply(renames, names, NAMES, &mem, &targets, &err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < NAMES; i++)
		assert_true(str_is(targets[i], expected[i]));
	index_renames_free(renames);
}

static void refuses(const char **entries, const char *message)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct opt_list list = list_of(entries);
	struct index_renames *renames = NULL;
	struct str names[NAMES], *targets;
	struct err err = {0};
	int rc = index_renames_new(&list, &renames, &err);

	fill(names);
	if (rc == 0)
		rc = index_renames_apply(renames, names, NAMES, &mem, &targets, &err);
	assert_int_equal(rc, -ERR_USAGE);
	assert_string_equal(err.message, message);
	index_renames_free(renames);
}

static void exact_names_and_patterns_with_groups(void **state)
{
	(void)state;
	becomes(ENTRIES("books=volumes", "regex:logs-(\\d+)\\.(\\d+)=old-$1-$2-$0$$"),
		(const char *const[]){"volumes", "old-2024-01-logs-2024.01$",
				      "old-2024-02-logs-2024.02$"});
	becomes(ENTRIES("books=$1"), (const char *const[]){"$1", "logs-2024.01", "logs-2024.02"});
}

static void the_first_entry_that_accepts_a_name_renames_it(void **state)
{
	(void)state;
	becomes(ENTRIES("logs-2024.01=first", "regex:(.*)=x-$1"),
		(const char *const[]){"x-books", "first", "x-logs-2024.02"});
}

static void patterns_are_for_whole_names(void **state)
{
	(void)state;
	refuses(ENTRIES("regex:ook=x"), "--rename 'regex:ook=x': none of the 3 selected indices of "
					"the source is called that");
}

static void names_that_are_not_there_are_slips(void **state)
{
	(void)state;
	refuses(ENTRIES("boks=x"),
		"--rename 'boks=x': none of the 3 selected indices of the source is called that");
}

static void two_indices_never_become_one(void **state)
{
	(void)state;
	refuses(ENTRIES("regex:logs-.*=logs"),
		"--rename: indices 'logs-2024.01' and 'logs-2024.02' would both be 'logs' on the "
		"target; give them different names");
	refuses(ENTRIES("logs-2024.01=books"),
		"--rename: indices 'books' and 'logs-2024.01' would both be 'books' on the target; "
		"give them different names");
}

static void entries_that_are_not_well_said(void **state)
{
	(void)state;
	refuses(ENTRIES("books"), "--rename 'books': write FROM=TO");
	refuses(ENTRIES("=x"), "--rename '=x': write FROM=TO");
	refuses(ENTRIES("books="), "--rename 'books=': write FROM=TO");
	refuses(ENTRIES("regex:=x"), "--rename 'regex:=x': no pattern after 'regex:'");
	refuses(ENTRIES("regex:logs-(.*)=$2"),
		"--rename 'regex:logs-(.*)=$2': the pattern has 1 groups, and no $2");
	refuses(ENTRIES("regex:logs=$x"),
		"--rename 'regex:logs=$x': after '$' comes the number of a group, or '$' for "
		"itself");
	refuses(ENTRIES("regex:books()=$1"),
		"--rename: index 'books' would have no name, or one too long, on the target");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_names_and_patterns_with_groups),
		cmocka_unit_test(the_first_entry_that_accepts_a_name_renames_it),
		cmocka_unit_test(patterns_are_for_whole_names),
		cmocka_unit_test(names_that_are_not_there_are_slips),
		cmocka_unit_test(two_indices_never_become_one),
		cmocka_unit_test(entries_that_are_not_well_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
