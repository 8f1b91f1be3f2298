#include "net/event_loop.h"

#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* As many files as this may be open from now on, beside those that are. */
static void leave_files(int count)
{
	int lowest_free = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct rlimit limit;

	assert_true(lowest_free >= 0);
	close(lowest_free);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)(lowest_free + count);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int lift_limit(void **state)
{
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static void a_loop_is_set_up_with_as_many_files_as_it_needs(void **state)
{
	struct event_base *base;
	struct err err = {0};

	(void)state;
	leave_files(3);
	assert_int_equal(event_loop_new(&base, &err), 0);
	event_base_free(base);
}

static void without_files_there_is_no_loop_and_the_error_says_how_many_it_needs(void **state)
{
	struct event_base *base;

	(void)state;
	for (int left = 0; left < 3; left++) {
		struct err err = {0};

		leave_files(left);
		assert_int_equal(event_loop_new(&base, &err), -ERR_IO);
		assert_null(base);
		assert_non_null(strstr(err.message, "needs 3 files more (ulimit -n)"));
		assert_non_null(strstr(err.message, "Too many open files"));
		lift_limit(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_loop_is_set_up_with_as_many_files_as_it_needs,
					  lift_limit),
		cmocka_unit_test_teardown(
			without_files_there_is_no_loop_and_the_error_says_how_many_it_needs,
			lift_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
