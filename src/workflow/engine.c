#include "workflow/engine_internal.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 200
#define LOOKS_UNTOLD 25 /* 5 s */

static int lock_path(const char *state_dir, struct arena *mem, const char **out, struct err *err)
{
	struct str folder = arena_printf(mem, "%s/run", state_dir);

	*out = arena_printf(mem, "%s/run/engine.lock", state_dir).ptr;
	if (mem->failed)
		return arena_fail(mem, "the path of the lock", err);
	return directory_make(folder.ptr, err);
}

/* 0 when nobody else has it, else the number of the process that has. */
static int64_t holder(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

int64_t workflow_engine_pid(const char *state_dir)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	const char *path;
	int64_t pid;
	int fd;

	if (lock_path(state_dir, &mem, &path, NULL) < 0)
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	pid = holder(fd);
	close(fd);
	return pid;
}

static int take_lock(const char *state_dir, int *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const char *path;

	if (lock_path(state_dir, &mem, &path, err) < 0)
		return -(int)err->kind;
	*out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*out < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
	if (fcntl(*out, F_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(err, ERR_CONFLICT,
			       "process %" PRId64 " is the engine of '%s'; there can be one only",
			       holder(*out), state_dir);
	return err_set_errno(err, ERR_IO, errno, "cannot lock '%s'", path);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* What could not be written is taken up anew from the records, once there is space again. */
static int look_once(struct engine *engine, bool *busy, bool *told, struct err *err)
{
	const struct timespec pause = {.tv_sec = 1};

	if (engine_run_look(engine, busy, err) == 0) {
		*told = false;
		return 0;
	}
	if (err->kind != ERR_IO || !err->retry)
		return -(int)err->kind;
	if (!*told)
		log_warn("engine", "%s; the engine waits for that, and goes on", err->message);
	*told = *busy = true;
	engine_run_leave(engine);
	engine->watched = false;
	nanosleep(&pause, NULL);
	return 0;
}

/* `lock` is as old as the last look, or a little older: `engine --health` goes by that. */
static int look_until_done(struct engine *engine, int lock, struct err *err)
{
	cleanup(close_fd) int wake = engine_wake_open(engine->options->state_dir);
	bool busy = true, told = false;

	for (unsigned int look = 0; busy || engine->options->stay; look++) {
		if (*engine->options->stop)
			return err_set(err, ERR_CANCELLED,
				       "stopped; `workflow submit` or another engine goes on");
		if (look_once(engine, &busy, &told, err) < 0)
			return -(int)err->kind;
		if (look % LOOKS_UNTOLD == 0)
			futimens(lock, NULL);
		engine_wake_wait(wake, LOOK_MS);
	}
	return 0;
}

static void engine_release(struct engine *engine)
{
	engine_run_leave(engine);
	arena_release(&engine->run.mem);
	arena_release(&engine->run.look);
	engine->run = engine->beside;
	engine_run_leave(engine);
	arena_release(&engine->run.mem);
	arena_release(&engine->run.look);
	workflow_state_close(engine->state);
}

static bool has_work(struct engine *engine)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(512));
	struct workflow_run *runs;
	size_t count;

	if (workflow_run_list(engine->state, NULL, &mem, &runs, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (runs[i].phase == WORKFLOW_PENDING)
			return true;
	return false;
}

int workflow_engine_run(const struct engine_options *options, struct err *err)
{
	cleanup(engine_release) struct engine engine = {.options = options};
	bool again;

	signal(SIGPIPE, SIG_IGN);
	process_identity_self(&engine.self);
	engine.platform = workflow_platform();
	if (workflow_state_open(options->state_dir, &engine.state, err) < 0)
		return -(int)err->kind;
	do {
		cleanup(close_fd) int lock = -1;

		if (take_lock(options->state_dir, &lock, err) < 0)
			return -(int)err->kind;
		if (look_until_done(&engine, lock, err) < 0)
			return -(int)err->kind;
		close(lock);
		lock = -1;
		/* Whoever submitted while we held the lock relies on us. */
		again = has_work(&engine);
	} while (again);
	return 0;
}
