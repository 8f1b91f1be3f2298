#include "cli/console_supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/small_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RESTARTS_MAX 5 /* in a row, of workers that lived less than LIVED_MS */
#define LIVED_MS 60000
#define PAUSE_S 2

int worker_record_read(struct str text, struct arena *mem, struct worker_record *out,
		       struct err *err)
{
	struct json *root;
	struct str boot;

	*out = (struct worker_record){0};
	if (json_parse(arena_str(mem, text), mem, &root, err) < 0)
		return -(int)err->kind;
	boot = json_string(json_get(root, "boot_id"));
	memcpy(out->process.boot_id, boot.ptr ? boot.ptr : "",
	       MIN(boot.len, sizeof(out->process.boot_id) - 1));
	out->process.pid = json_i64_or(json_get(root, "pid"), 0);
	out->process.pid_namespace = (uint64_t)json_i64_or(json_get(root, "pid_namespace"), 0);
	out->process.start_ticks = (uint64_t)json_i64_or(json_get(root, "start_ticks"), 0);
	out->started_ms = json_i64_or(json_get(root, "started_ms"), 0);
	out->ended_ms = json_i64_or(json_get(root, "ended_ms"), 0);
	out->restarts = json_i64_or(json_get(root, "restarts"), 0);
	out->exit_code = (int)json_i64_or(json_get(root, "exit_code"), 0);
	return out->process.pid > 0 ? 0 : err_set(err, ERR_FORMAT, "it names no process");
}

static int record_write(const char *path, const struct worker_record *record, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));

	buf_printf(&text,
		   "{\"pid\":%" PRId64 ",\"boot_id\":\"%s\",\"pid_namespace\":%" PRIu64
		   ",\"start_ticks\":%" PRIu64 ",\"started_ms\":%" PRId64 ",\"ended_ms\":%" PRId64
		   ",\"restarts\":%" PRId64 ",\"exit_code\":%d}\n",
		   record->process.pid, record->process.boot_id, record->process.pid_namespace,
		   record->process.start_ticks, record->started_ms, record->ended_ms,
		   record->restarts, record->exit_code);
	return small_file_replace(path, buf_str(&text), err);
}

/* --- In the supervisor --- */

static volatile sig_atomic_t worker_pid, ending;

static void on_end(int number)
{
	ending = 1;
	if (worker_pid > 0)
		kill((pid_t)worker_pid, number);
}

static bool is_ours(const char *variable)
{
	static const char *const ours[] = {"SHARDLIFT_", "TARGET_", "SOURCE_", "RFS_"};

	if (strncmp(variable, "SHARDLIFT_S3_", 13) == 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		if (strncmp(variable, ours[i], strlen(ours[i])) == 0)
			return true;
	return false;
}

/* What the user set for the console is not for the worker; secrets are, and reach it here. */
static char **environment_of(const struct supervisor_plan *plan)
{
	size_t count = 0, used = 0;
	char **out;

	for (char **p = environ; *p; p++)
		count++;
	out = arena_zalloc(plan->mem, count + CONSOLE_SECRETS_MAX + 1, sizeof(char *));
	for (char **p = environ; out && *p; p++)
		if (!is_ours(*p))
			out[used++] = *p;
	for (size_t i = 0; out && i < plan->command->secret_count; i++) {
		struct str line =
			arena_printf(plan->mem, "SHARDLIFT_%s=%s", plan->command->secrets[i][0],
				     plan->command->secrets[i][1]);
		char *at = (char *)(uintptr_t)line.ptr;

		if (!at)
			return NULL;
		for (; *at != '='; at++)
			*at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
		out[used++] = (char *)(uintptr_t)line.ptr;
	}
	return out;
}

static char **words_of(const struct supervisor_plan *plan)
{
	static char name[] = "shardlift";
	char **out = arena_zalloc(plan->mem, plan->command->count + 2, sizeof(char *));

	if (!out)
		return NULL;
	out[0] = name;
	for (size_t i = 0; i < plan->command->count; i++)
		out[i + 1] = (char *)(uintptr_t)plan->command->argv[i];
	return out;
}

static pid_t start_worker(char **words, char **environment)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Told before the default was back: it would have been lost. */
	if (getppid() == parent && !ending)
		execve("/proc/self/exe", words, environment);
	_exit(127);
}

/* Of itself: killed, or by an error that may pass. */
static bool is_worth_another(int status)
{
	if (WIFSIGNALED(status))
		return true;
	switch (WEXITSTATUS(status)) {
	case EXIT_CODE_UNREACHABLE:
	case EXIT_CODE_TIMEOUT:
	case EXIT_CODE_LOCAL_IO:
		return true;
	default:
		return false;
	}
}

static int code_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* How the last one ended. */
static int look_after(const struct supervisor_plan *plan, struct worker_record *record,
		      char **words, char **environment)
{
	unsigned quick = 0;
	int status = 127 << 8;

	while (!ending) {
		int64_t began_ms = clock_monotonic_ms();
		pid_t pid = start_worker(words, environment);

		if (pid < 0)
			break;
		worker_pid = pid;
		if (ending) /* told between the two */
			kill(pid, SIGTERM);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		worker_pid = 0;
		quick = clock_monotonic_ms() - began_ms < LIVED_MS ? quick + 1 : 0;
		if (ending || !is_worth_another(status) || quick > RESTARTS_MAX)
			break;
		log_warn("console", "the worker ended with exit code %d; it is started again",
			 code_of(status));
		record->restarts++;
		record_write(plan->record_path, record, NULL);
		sleep(PAUSE_S);
	}
	return code_of(status);
}

/* Locks and pipes of the console are not to live as long as this process; its way to tell stays, as
 * descriptor 3. */
static int keep_only(int tell)
{
	if (dup3(tell, 3, O_CLOEXEC) < 0 && errno != EINVAL)
		return -1;
	close_range(4, ~0U, 0);
	return 3;
}

static int open_streams(const char *log_path)
{
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (log < 0 || null < 0)
		return -1;
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	return 0;
}

static _Noreturn void supervise(const struct supervisor_plan *plan, int tell)
{
	struct worker_record record = {.started_ms = clock_wall_ms()};
	struct sigaction action = {.sa_handler = on_end};
	char **words = words_of(plan), **environment = environment_of(plan);

	tell = keep_only(tell);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGHUP, SIG_IGN);
	process_identity_self(&record.process);
	if (!words || !environment || open_streams(plan->log_path) < 0 ||
	    record_write(plan->record_path, &record, NULL) < 0 || write(tell, "k", 1) != 1)
		_exit(1);
	close(tell);
	record.exit_code = look_after(plan, &record, words, environment);
	record.ended_ms = clock_wall_ms();
	record_write(plan->record_path, &record, NULL);
	_exit(0);
}

int supervisor_start(const struct supervisor_plan *plan, struct err *err)
{
	int tell[2];
	char told;
	ssize_t got;
	pid_t pid;

	fflush(NULL);
	if (pipe2(tell, O_CLOEXEC) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		/* Nobody's child, so that it is not left behind as a zombie. */
		if (setsid() < 0 || fork() != 0)
			_exit(0);
		close(tell[0]);
		supervise(plan, tell[1]);
	}
	close(tell[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	got = pid > 0 ? read(tell[0], &told, 1) : -1;
	close(tell[0]);
	if (got == 1)
		return 0;
	return err_set(err, ERR_IO, "a worker could not be started; see '%s'", plan->log_path);
}
