#include "workflow/service.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/small_file.h"

#include <inttypes.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX KIB(64)
#define KILLED_PATIENCE_MS 10000

static struct str path_of(const char *state_dir, struct str name, const char *kind,
			  struct arena *mem)
{
	return arena_printf(mem, "%s/run/" STR_FMT ".%s", state_dir, STR_ARG(name), kind);
}

struct json *service_file(const char *state_dir, struct str name, const char *kind,
			  struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	struct str path = path_of(state_dir, name, kind, mem), copy;
	struct json *out = NULL;
	struct err err;

	if (!path.ptr || small_file_read(path.ptr, &text, &err) <= 0)
		return NULL;
	copy = arena_str(mem, buf_str(&text));
	return copy.ptr && json_parse(copy, mem, &out, &err) == 0 ? out : NULL;
}

int service_read(const char *state_dir, struct str name, struct arena *mem, struct service *out,
		 struct err *err)
{
	const struct json *file = service_file(state_dir, name, "pid", mem);
	uint64_t start = 0, namespace = 0;
	struct str boot = json_string(json_get(file, "boot"));

	*out = (struct service){.command = STR(""), .log = STR("")};
	if (mem->failed)
		return arena_fail(mem, "the file of a process", err);
	str_to_u64(json_string(json_get(file, "start")), &start);
	str_to_u64(json_string(json_get(file, "namespace")), &namespace);
	if (start == 0 || boot.len >= sizeof(out->process.boot_id))
		return 0;
	out->process = (struct process_identity){.pid_namespace = namespace,
						 .pid = json_i64_or(json_get(file, "pid"), 0),
						 .start_ticks = start};
	memcpy(out->process.boot_id, boot.ptr, boot.len);
	out->command = json_string(json_get(file, "command"));
	out->log = json_string(json_get(file, "log"));
	return out->process.pid > 0;
}

int service_write(const char *state_dir, struct str name, const struct service *service,
		  struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	const struct process_identity *process = &service->process;
	static const char *const former[] = {"exit", "status"};
	struct str path = path_of(state_dir, name, "pid", mem);
	char now[26];

	for (size_t i = 0; i < COUNT_OF(former); i++) {
		struct str other = path_of(state_dir, name, former[i], mem);

		if (other.ptr && small_file_remove(other.ptr, err) < 0)
			return -(int)err->kind;
	}
	clock_format_utc(clock_wall_ms(), now);
	buf_printf(&text,
		   "{\"pid\":%" PRId64 ",\"start\":\"%" PRIu64 "\",\"boot\":\"%s\","
		   "\"namespace\":\"%" PRIu64 "\",\"time\":\"%s\",\"command\":",
		   process->pid, process->start_ticks, process->boot_id, process->pid_namespace,
		   now);
	json_write_string(&text, service->command);
	buf_append_str(&text, STR(",\"log\":"));
	json_write_string(&text, service->log);
	buf_append_str(&text, STR("}\n"));
	if (!path.ptr)
		return arena_fail(mem, "the path of a process", err);
	if (buf_check(&text, "the file of a process", err) < 0)
		return -(int)err->kind;
	return small_file_replace(path.ptr, buf_str(&text), err);
}

bool service_is_gone(const struct process_identity *process, const struct process_identity *self)
{
	return process->pid == 0 || process->pid_namespace != self->pid_namespace ||
	       process_is_gone(process, self);
}

struct str service_last_words(const char *state_dir, struct str name, struct arena *mem)
{
	const struct json *file = service_file(state_dir, name, "exit", mem);
	struct str reason = json_string(json_get(file, "reason"));
	int64_t code = json_i64_or(json_get(file, "code"), -1);

	if (!file)
		return STR("it was killed");
	if (reason.len == 0)
		return arena_printf(mem, "it ended with code %" PRId64, code);
	return arena_printf(mem, "code %" PRId64 ": " STR_FMT, code, STR_ARG(reason));
}

int64_t service_last_code(const char *state_dir, struct str name, struct arena *mem)
{
	return json_i64_or(json_get(service_file(state_dir, name, "exit", mem), "code"), -1);
}

static bool is_gone_within(const struct process_identity *process, int64_t patience_ms)
{
	const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + patience_ms;
	struct process_identity self;

	process_identity_self(&self);
	while (!service_is_gone(process, &self)) {
		if (clock_monotonic_ms() >= until)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

static int end(const struct process_identity *process, struct str name, int64_t patience_ms,
	       struct err *err)
{
	if (is_gone_within(process, 0))
		return 0;
	kill((pid_t)process->pid, SIGTERM);
	if (is_gone_within(process, patience_ms))
		return 0;
	kill((pid_t)process->pid, SIGKILL);
	if (is_gone_within(process, KILLED_PATIENCE_MS))
		return 0;
	return err_set(err, ERR_TIMEOUT,
		       "process %" PRId64 " of '" STR_FMT "' does not end; look at it with ps",
		       process->pid, STR_ARG(name));
}

int service_remove(const char *state_dir, struct str name, int64_t patience_ms, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	static const char *const files[] = {"pid", "exit", "status"};
	struct service service;
	int rc = service_read(state_dir, name, &mem, &service, err);

	if (rc < 0 || (rc > 0 && end(&service.process, name, patience_ms, err) < 0))
		return -(int)err->kind;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct str path = path_of(state_dir, name, files[i], &mem);

		if (!path.ptr)
			return arena_fail(&mem, "the path of a process", err);
		if (small_file_remove(path.ptr, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}
