#include "capture/access_log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { CEILING_MS = 60000 };

static void count_warning(void *user, const char *message)
{
	assert_non_null(strstr(message, "cannot be written, lines are lost"));
	atomic_fetch_add((atomic_int *)user, 1);
}

static void wait_until_lost(struct access_log *log, uint64_t count)
{
	int64_t until = clock_monotonic_ms() + CEILING_MS;

	while (access_log_lost(log) < count) {
		if (clock_monotonic_ms() > until)
			fail_msg("waited in vain for %d lost lines", (int)count);
		usleep(1000);
	}
	assert_int_equal(access_log_lost(log), count);
}

static void test_lines_that_find_no_room_are_counted_and_told_once(void **state)
{
	atomic_int warnings = 0;
	struct access_log *log;
	struct err err = {0};

	(void)state;
	assert_int_equal(access_log_open("/dev/full", count_warning, &warnings, &log, &err), 0);
	access_log_put(log, STR("one\ntwo\n"));
	wait_until_lost(log, 2);
	access_log_put(log, STR("three\n"));
	wait_until_lost(log, 3);
	access_log_put(log, STR_NONE);
	wait_until_lost(log, 4);
	access_log_close(log);
	assert_int_equal(warnings, 1);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_torn_line_ends_before_the_next(void **state)
{
	char path[] = "/tmp/access-log-XXXXXX", text[100] = "";
	atomic_int warnings = 0;
	struct access_log *log;
	struct err err = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(access_log_open(path, count_warning, &warnings, &log, &err), 0);
	limit_files(9);
	access_log_put(log, STR("first\nsecond\nthird\n"));
	wait_until_lost(log, 2);
	limit_files(RLIM_INFINITY);
	access_log_put(log, STR("fourth\n"));
	access_log_close(log);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "first\nsec\nfourth\n");
	assert_int_equal(warnings, 1);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_that_find_no_room_are_counted_and_told_once),
		cmocka_unit_test(test_a_torn_line_ends_before_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
