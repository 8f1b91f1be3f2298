#include "workflow/service.h"

#include "base/limits.h"
#include "base/small_file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct arena mem;
	char folder[64];
	struct process_identity self;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(4));
	strcpy(f->folder, "/tmp/shardlift-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	process_identity_self(&f->self);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/run", f->folder);
	rmdir(path);
	rmdir(f->folder);
	arena_release(&f->mem);
	free(f);
	return 0;
}

/* Waits for a signal, in a process of its own that the test has to end. */
static struct process_identity sleeper(void)
{
	struct process_identity out;
	int tell[2];
	pid_t pid;

	assert_int_equal(pipe(tell), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		process_identity_self(&out);
		if (write(tell[1], &out, sizeof(out)) != sizeof(out))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(tell[0], &out, sizeof(out)), sizeof(out));
	close(tell[0]);
	close(tell[1]);
	return out;
}

static void put(struct fixture *f, const char *file, const char *text)
{
	struct str path = arena_printf(&f->mem, "%s/run/%s", f->folder, file);

	assert_int_equal(small_file_replace(path.ptr, str_from(text), &f->err), 0);
}

static void what_was_started_is_found_and_ended(void **state)
{
	struct fixture *f = *state;
	struct service started = {
		.process = sleeper(), .command = STR("0123"), .log = STR("a.log")};
	struct service found;

	assert_int_equal(service_read(f->folder, STR("front"), &f->mem, &found, &f->err), 0);
	put(f, "front.exit", "{\"code\":3}");
	assert_int_equal(service_write(f->folder, STR("front"), &started, &f->mem, &f->err), 0);
	assert_null(service_file(f->folder, STR("front"), "exit", &f->mem));
	assert_int_equal(service_read(f->folder, STR("front"), &f->mem, &found, &f->err), 1);
	assert_true(str_is(found.command, "0123") && str_is(found.log, "a.log"));
	assert_false(service_is_gone(&found.process, &f->self));
	assert_int_equal(service_remove(f->folder, STR("front"), 60000, &f->err), 0);
	assert_true(service_is_gone(&found.process, &f->self));
	assert_int_equal(waitpid((pid_t)started.process.pid, NULL, 0), started.process.pid);
	assert_int_equal(service_read(f->folder, STR("front"), &f->mem, &found, &f->err), 0);
	assert_int_equal(service_remove(f->folder, STR("front"), 60000, &f->err), 0);
}

/* A number that the kernel gave to another process, or that counts in another container. */
static void a_number_alone_is_no_process(void **state)
{
	struct fixture *f = *state;
	struct process_identity other = f->self;

	assert_false(service_is_gone(&other, &f->self));
	other.start_ticks++;
	assert_true(service_is_gone(&other, &f->self));
	other = f->self;
	other.pid_namespace++;
	assert_true(service_is_gone(&other, &f->self));
}

static void the_last_words_are_of_the_process_itself(void **state)
{
	struct fixture *f = *state;

	assert_true(str_is(service_last_words(f->folder, STR("a"), &f->mem), "it was killed"));
	put(f, "a.exit", "{\"code\":6,\"reason\":\"the disk is full\"}");
	assert_true(str_is(service_last_words(f->folder, STR("a"), &f->mem),
			   "code 6: the disk is full"));
	put(f, "a.exit", "{\"code\":0,\"reason\":\"\"}");
	assert_true(
		str_is(service_last_words(f->folder, STR("a"), &f->mem), "it ended with code 0"));
	put(f, "a.exit", "{\"code\":");
	assert_true(str_is(service_last_words(f->folder, STR("a"), &f->mem), "it was killed"));
	assert_int_equal(service_remove(f->folder, STR("a"), 0, &f->err), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_was_started_is_found_and_ended),
		T(a_number_alone_is_no_process),
		T(the_last_words_are_of_the_process_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
