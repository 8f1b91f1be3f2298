#include "cli/console_workers.h"

#include "cli/table.h"

#include "base/clock.h"
#include "base/process_identity.h"
#include "base/small_file.h"
#include "base/state_dir.h"

#include "cli/console_supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define STOP_WAIT_MS 120000

/* "running", "ended", "lost" */
static const char *worker_state_name(enum worker_state state)
{
	static const char *const names[] = {"none", "running", "ended", "lost"};

	return names[state];
}

static const char *path_of(const struct console_workers *workers, unsigned number,
			   const char *ending)
{
	return arena_printf(workers->mem, "%s/run/%s-%s-%u.%s", workers->state_dir, workers->kind,
			    workers->name, number, ending)
		.ptr;
}

int workers_read(const struct console_workers *workers, unsigned number, struct worker *out,
		 struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));
	const char *path = path_of(workers, number, "worker");
	struct process_identity self, process;
	struct worker_record record;
	int got;

	*out = (struct worker){.log = path_of(workers, number, "log")};
	if (!path || !out->log)
		return arena_fail(workers->mem, "a worker", err);
	got = small_file_read(path, &text, err);
	if (got <= 0)
		return got;
	if (worker_record_read(buf_str(&text), workers->mem, &record, err) < 0)
		return err_wrap(err, "'%s'", path);
	process = record.process;
	process_identity_self(&self);
	out->pid = process.pid;
	out->elsewhere = process.pid_namespace != self.pid_namespace;
	out->started_ms = record.started_ms;
	out->ended_ms = record.ended_ms;
	out->exit_code = record.exit_code;
	out->restarts = record.restarts;
	out->state = record.ended_ms                    ? WORKER_ENDED
		     : process_is_gone(&process, &self) ? WORKER_LOST
							: WORKER_RUNNING;
	return 0;
}

int workers_count(const struct console_workers *workers, unsigned *out, struct err *err)
{
	*out = 0;
	for (unsigned i = 1; i <= CONSOLE_WORKERS_MAX; i++) {
		struct worker worker;

		if (workers_read(workers, i, &worker, err) < 0)
			return -(int)err->kind;
		*out += worker.state == WORKER_RUNNING;
	}
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* One console changes workers at a time. */
static int lock(const struct console_workers *workers, int *fd, struct err *err)
{
	struct str folder = arena_printf(workers->mem, "%s/run", workers->state_dir);
	struct str path = arena_printf(workers->mem, "%s/run/console.lock", workers->state_dir);

	if (!folder.ptr || !path.ptr)
		return arena_fail(workers->mem, "a worker", err);
	if (directory_make(folder.ptr, err) < 0)
		return -(int)err->kind;
	*fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0 || flock(*fd, LOCK_EX) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot lock '%s'", path.ptr);
	return 0;
}

static int start(const struct console_workers *workers, unsigned number,
		 const struct console_command *command, struct err *err)
{
	const struct supervisor_plan plan = {
		.command = command,
		.record_path = path_of(workers, number, "worker"),
		.log_path = path_of(workers, number, "log"),
		.mem = workers->mem,
	};

	if (!plan.record_path || !plan.log_path)
		return arena_fail(workers->mem, "a worker", err);
	return supervisor_start(&plan, err);
}

static int wait_for_end(const struct console_workers *workers, unsigned number, struct err *err)
{
	const struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + STOP_WAIT_MS;
	struct worker worker;

	for (;;) {
		if (workers_read(workers, number, &worker, err) < 0)
			return -(int)err->kind;
		if (worker.state != WORKER_RUNNING)
			return 0;
		if (clock_monotonic_ms() > until)
			return err_set(err, ERR_TIMEOUT,
				       "worker %u (process %" PRId64 ") does not end; see '%s'",
				       number, worker.pid, worker.log);
		nanosleep(&moment, NULL);
	}
}

/* From the highest number down, all told before one is waited for. */
static int stop(const struct console_workers *workers, unsigned count, struct err *err)
{
	bool told[CONSOLE_WORKERS_MAX + 1] = {false};

	for (unsigned i = CONSOLE_WORKERS_MAX; i >= 1 && count > 0; i--) {
		struct worker worker;

		if (workers_read(workers, i, &worker, err) < 0)
			return -(int)err->kind;
		if (worker.state != WORKER_RUNNING)
			continue;
		if (worker.elsewhere)
			return err_set(err, ERR_BLOCKED,
				       "worker %u (process %" PRId64 ") was started in another "
				       "container; end it there, or remove '%s' if that is gone",
				       i, worker.pid, path_of(workers, i, "worker"));
		told[i] = kill((pid_t)worker.pid, SIGTERM) == 0;
		count--;
	}
	for (unsigned i = 1; i <= CONSOLE_WORKERS_MAX; i++)
		if (told[i] && wait_for_end(workers, i, err) < 0)
			return -(int)err->kind;
	return 0;
}

int workers_scale(const struct console_workers *workers, unsigned count,
		  const struct console_command *command, unsigned *before, struct err *err)
{
	cleanup(close_fd) int fd = -1;
	unsigned there;

	if (lock(workers, &fd, err) < 0 || workers_count(workers, &there, err) < 0)
		return -(int)err->kind;
	*before = there;
	if (there > count)
		return stop(workers, there - count, err);
	for (unsigned i = 1; i <= CONSOLE_WORKERS_MAX && there < count; i++) {
		struct worker worker;

		if (workers_read(workers, i, &worker, err) < 0)
			return -(int)err->kind;
		if (worker.state == WORKER_RUNNING)
			continue;
		if (start(workers, i, command, err) < 0)
			return -(int)err->kind;
		there++;
	}
	return 0;
}

int workers_forget(const struct console_workers *workers, struct err *err)
{
	cleanup(close_fd) int fd = -1;

	if (lock(workers, &fd, err) < 0)
		return -(int)err->kind;
	for (unsigned i = 1; i <= CONSOLE_WORKERS_MAX; i++) {
		struct worker worker;

		if (workers_read(workers, i, &worker, err) < 0)
			return -(int)err->kind;
		if (worker.state == WORKER_NONE || worker.state == WORKER_RUNNING)
			continue;
		if (small_file_remove(path_of(workers, i, "worker"), err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

int workers_print(const struct console_workers *workers, struct err *err)
{
	static const struct table_column columns[] = {
		{"worker", TABLE_RIGHT}, {"state", TABLE_LEFT},     {"process", TABLE_RIGHT},
		{"exit", TABLE_RIGHT},   {"restarts", TABLE_RIGHT}, {"log", TABLE_LEFT}};
	struct table table;
	bool any = false;

	table_init(&table, workers->mem, columns, COUNT_OF(columns));
	for (unsigned i = 1; i <= CONSOLE_WORKERS_MAX; i++) {
		struct worker worker;

		if (workers_read(workers, i, &worker, err) < 0)
			return -(int)err->kind;
		if (worker.state == WORKER_NONE)
			continue;
		any = true;
		table_cell_printf(&table, "%u", i);
		table_cell_state(&table, str_from(worker_state_name(worker.state)));
		table_cell_printf(&table, "%" PRId64, worker.pid);
		if (worker.state == WORKER_ENDED)
			table_cell_printf(&table, "%d", worker.exit_code);
		else
			table_cell(&table, STR("-"));
		table_cell_printf(&table, "%" PRId64, worker.restarts);
		table_cell(&table, str_from(worker.log));
	}
	return any ? table_print(&table, stdout, err) : 0;
}

struct json *workers_json(const struct console_workers *workers)
{
	struct json *list = json_new(workers->mem, JSON_ARRAY);

	for (unsigned i = 1; i <= CONSOLE_WORKERS_MAX; i++) {
		struct json *one = json_new(workers->mem, JSON_OBJECT);
		struct worker worker;
		struct err ignored;

		if (workers_read(workers, i, &worker, &ignored) < 0 || worker.state == WORKER_NONE)
			continue;
		json_set(one, STR("worker"), json_new_i64(workers->mem, i));
		json_set(one, STR("state"),
			 json_new_string(workers->mem, str_from(worker_state_name(worker.state))));
		json_set(one, STR("process"), json_new_i64(workers->mem, worker.pid));
		json_set(one, STR("restarts"), json_new_i64(workers->mem, worker.restarts));
		if (worker.state == WORKER_ENDED)
			json_set(one, STR("exit_code"),
				 json_new_i64(workers->mem, worker.exit_code));
		json_append(list, one);
	}
	return list;
}
