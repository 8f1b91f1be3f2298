#include "base/process_identity.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void this_process_is_not_gone(void **state)
{
	struct process_identity self;

	(void)state;
	process_identity_self(&self);
	assert_int_equal(self.pid, getpid());
	assert_int_not_equal(self.start_ticks, 0);
	assert_true(strlen(self.boot_id) > 8);
	assert_false(process_is_gone(&self, &self));
}

static void another_start_or_boot_is_another_process(void **state)
{
	struct process_identity self, other;

	(void)state;
	process_identity_self(&self);
	other = self;
	other.start_ticks++;
	assert_true(process_is_gone(&other, &self));
	other = self;
	other.boot_id[0] ^= 1;
	assert_true(process_is_gone(&other, &self));
}

static void a_process_of_another_pid_namespace_is_left_in_doubt(void **state)
{
	struct process_identity self, other;

	(void)state;
	process_identity_self(&self);
	other = self;
	other.start_ticks++;
	other.pid_namespace++;
	assert_false(process_is_gone(&other, &self));
	other = self;
	other.start_ticks = 0;
	assert_false(process_is_gone(&other, &self));
}

static void a_killed_process_is_gone_before_and_after_it_is_waited_for(void **state)
{
	struct process_identity self, child = {0};
	int pipe_fds[2];
	siginfo_t info;
	pid_t pid;

	(void)state;
	process_identity_self(&self);
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		process_identity_self(&child);
		if (write(pipe_fds[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		for (;;)
			pause();
	}
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &child, sizeof(child)), sizeof(child));
	close(pipe_fds[0]);
	assert_false(process_is_gone(&child, &self));
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(process_is_gone(&child, &self));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(process_is_gone(&child, &self));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_process_is_not_gone),
		cmocka_unit_test(another_start_or_boot_is_another_process),
		cmocka_unit_test(a_process_of_another_pid_namespace_is_left_in_doubt),
		cmocka_unit_test(a_killed_process_is_gone_before_and_after_it_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
