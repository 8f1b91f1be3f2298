#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <cmocka.h>

static void assert_limit_told(rlim_t now, const char *wanted)
{
	struct rlimit before, limit;
	struct err err = {0};

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	if (before.rlim_max < now)
		skip();
	limit = (struct rlimit){now, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(err_set_errno(&err, ERR_IO, EMFILE, "opening 'x'"), -ERR_IO);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_string_equal(err.message, wanted);
}

static void too_many_files_say_the_limit_and_a_higher_one(void **state)
{
	(void)state;
	assert_limit_told(64, "opening 'x': Too many open files; this process may have 64 at a "
			      "time and needs more: raise the limit (ulimit -n) to 1024");
	assert_limit_told(1024, "opening 'x': Too many open files; this process may have 1024 at "
				"a time and needs more: raise the limit (ulimit -n) to 2048");
}

static void what_strangers_wrote_is_shown_as_one_line_of_utf8(void **state)
{
	struct err err = {0};

	(void)state;
	err_set(&err, ERR_FORMAT, "calls itself '%s'", "\xb1_\x1b[2J\n\xc2\x9b\xc3\xa9");
	assert_int_equal(err_wrap(&err, "'%s'", "\xff"), -ERR_FORMAT);
	assert_string_equal(err.message, "'?': calls itself '?_ [2J   \xc3\xa9'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_files_say_the_limit_and_a_higher_one),
		cmocka_unit_test(what_strangers_wrote_is_shown_as_one_line_of_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
