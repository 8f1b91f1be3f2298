#include "workflow/engine_traffic.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "capture/control_server.h"
#include "traffic/segment_log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_PAUSE_MS 1000
#define MOST_PAUSE_MS 60000
#define STEADY_MS 60000 /* one that lived as long begins with short pauses again */
#define STOP_PATIENCE_MS 120000
#define FIRST_TRIES 10 /* until it runs for the first time, or as long as STEADY_MS again */

static const struct plan_resource *resource_of(const struct engine *engine,
					       const struct engine_step *step)
{
	return &engine->run.plan.resources[step->plan->resource];
}

/* --- Is it ready? --- */

int engine_proxy_ask(struct engine *engine, struct str name, struct str line, struct json **out,
		     struct err *err)
{
	cleanup(buf_release) struct buf answer = BUF_INIT(KIB(64));
	struct arena *mem = &engine->run.look;
	struct str path = arena_printf(mem, "%s/run/" STR_FMT ".sock", engine->options->state_dir,
				       STR_ARG(name));
	struct str text;

	if (!path.ptr)
		return arena_fail(mem, "the path of a proxy's socket", err);
	if (control_ask(path.ptr, line, &answer, err) < 0)
		return -(int)err->kind;
	text = arena_str(mem, buf_str(&answer));
	if (!text.ptr)
		return arena_fail(mem, "the answer of a proxy", err);
	if (json_parse(text, mem, out, err) < 0)
		return err_wrap(err, "the answer of a proxy");
	if (json_bool_or(json_get(*out, "ok"), false))
		return 0;
	return err_set(err, ERR_CONFLICT, "the proxy says: " STR_FMT,
		       STR_ARG(json_string(json_get(*out, "error"))));
}

static bool port_accepts(const struct json *proxy, int64_t port)
{
	struct str host = json_string(json_get(proxy, "listenHost"));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	char text[INET_ADDRSTRLEN] = "";
	const struct timeval most = {.tv_sec = 1};
	bool accepts;
	int fd;

	if (host.len < sizeof(text) && host.len > 0)
		memcpy(text, host.ptr, host.len);
	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		return true; /* of IPv6: its control socket answers only when it listens */
	if (address.sin_addr.s_addr == htonl(INADDR_ANY))
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	accepts = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most)) == 0 &&
		  connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return accepts;
}

/* What its replayers have not read is kept from now on, though they begin days later. */
static int register_groups(struct engine *engine, const struct engine_step *step, struct err *err)
{
	const struct plan_resource *proxy = resource_of(engine, step);
	struct str folder = engine_log_folder(engine, proxy);
	struct plan *plan = &engine->run.plan;

	for (size_t i = 0; folder.len > 0 && i < plan->resource_count; i++) {
		const struct plan_resource *reader = &plan->resources[i];
		struct str group = engine_replay_group(engine, reader);
		uint64_t offset;
		int rc;

		if (!str_is(reader->kind, "trafficreplay") ||
		    !str_eq(engine_log_folder(engine, reader), folder))
			continue;
		rc = segment_log_group_committed(folder.ptr, group.ptr, &offset, err);
		if (rc < 0 ||
		    (rc == 0 && segment_log_group_commit(folder.ptr, group.ptr, 0, err) < 0))
			return -(int)err->kind;
	}
	return 0;
}

static bool proxy_is_ready(struct engine *engine, struct engine_step *step)
{
	const struct plan_resource *resource = resource_of(engine, step);
	const struct json *proxy = json_get(resource->spec, "proxy");
	struct json *status;
	struct err err;

	if (engine_proxy_ask(engine, resource->name, STR("status"), &status, &err) < 0)
		return false;
	return port_accepts(proxy, json_i64_or(json_get(status, "port"), 0)) &&
	       (json_bool_or(json_get(proxy, "noCapture"), false) ||
		register_groups(engine, step, &err) == 0);
}

/* Of a replayer, or of pods. The status file of one before it was removed when this one was
 * started.
 */
static bool says_it_runs(struct engine *engine, const struct engine_step *step)
{
	const struct json *status =
		service_file(engine->options->state_dir, resource_of(engine, step)->name, "status",
			     &engine->run.look);

	return str_is(json_string(json_get(status, "state")), "running");
}

static bool is_ready(struct engine *engine, struct engine_step *step)
{
	return step->plan->action == PLAN_CAPTURE && engine->platform == PLATFORM_LOCAL
		       ? proxy_is_ready(engine, step)
		       : says_it_runs(engine, step);
}

/* --- Its process --- */

static struct str command_as_planned(struct engine *engine, struct engine_step *step,
				     struct err *err)
{
	struct engine_command command;
	int rc;

	step->as_planned = true;
	rc = engine_command_make(engine, step, &command, err);
	step->as_planned = false;
	return rc < 0 ? STR_NONE : engine_platform_checksum(engine, step, &command);
}

void engine_service_drop_listeners(struct engine_service *service)
{
	for (size_t i = 0; i < service->listener_count; i++)
		close(service->listeners[i]);
	free(service->listeners);
	service->listeners = NULL;
	service->listener_count = 0;
}

/* So that clients that come between the old proxy and the new one wait, and are not refused. One
 * that does not give them is replaced all the same. */
static void take_listeners(struct engine *engine, struct engine_step *step)
{
	struct engine_service *service = &step->service;
	struct str path =
		arena_printf(&engine->run.look, "%s/run/" STR_FMT ".sock",
			     engine->options->state_dir, STR_ARG(resource_of(engine, step)->name));
	struct err err;

	engine_service_drop_listeners(service);
	if (step->plan->action != PLAN_CAPTURE || engine->platform != PLATFORM_LOCAL || !path.ptr)
		return;
	service->listeners = mem_zalloc(PROXY_LISTENERS_MAX * sizeof(int));
	if (control_take_listeners(path.ptr, service->listeners, &service->listener_count, &err) <
	    0)
		log_warn("engine", "clients of " STR_FMT " are refused while it is replaced: %s",
			 STR_ARG(step->plan->name), err.message);
}

static void ask_to_stop(struct engine_service *service)
{
	service->stopping = true;
	service->ready = false;
	service->stop_until_ms = clock_monotonic_ms() + STOP_PATIENCE_MS;
	kill((pid_t)service->process.pid, SIGTERM);
}

/* Takes over what an engine before us started, unless it was edited since. */
static int look_for_former(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct engine_service *service = &step->service;
	struct service found;
	struct str wanted;
	int rc = service_read(engine->options->state_dir, resource_of(engine, step)->name,
			      &engine->run.look, &found, err);

	if (rc < 0)
		return rc;
	service->looked = true;
	if (rc == 0 || service_is_gone(&found.process, &engine->self))
		return 0;
	wanted = command_as_planned(engine, step, err);
	if (!wanted.ptr) {
		service->looked = false;
		return -(int)err->kind;
	}
	service->process = found.process;
	service->since_ms = clock_monotonic_ms();
	step->record.log = arena_str(&engine->run.look, found.log);
	if (!str_eq(found.command, wanted)) {
		take_listeners(engine, step);
		ask_to_stop(service);
	}
	return 0;
}

/* So that a reset finds how far it is. */
static int note_group(struct engine *engine, const struct engine_step *step, struct err *err)
{
	const struct plan_resource *resource = resource_of(engine, step);
	struct str folder = engine_log_folder(engine, resource);
	size_t index = step->plan->resource;

	if (step->plan->action != PLAN_REPLAY || folder.len == 0)
		return 0;
	if (engine_resource_set_fact(engine, index, "logFolder", folder, err) < 0)
		return -(int)err->kind;
	return engine_resource_set_fact(engine, index, "group",
					engine_replay_group(engine, resource), err);
}

static int start(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct engine_service *service = &step->service;
	const char *log, *output;
	struct engine_command command;
	struct service started = {.command = command_as_planned(engine, step, err)};
	struct engine_child child;

	if (!started.command.ptr)
		return -(int)err->kind;
	if (engine_step_paths(engine, step, &log, &output, err) < 0 ||
	    note_group(engine, step, err) < 0 ||
	    engine_command_make(engine, step, &command, err) < 0 ||
	    engine_platform_wrap(engine, step, engine_platform_workers(engine, step), &command,
				 err) < 0)
		return -(int)err->kind;
	command.listeners = service->listeners;
	command.listener_count = service->listener_count;
	if (engine_child_start(engine, &command, log, output, &child, err) < 0)
		return -(int)err->kind;
	started.process = child.identity;
	started.log = step->record.log;
	if (service_write(engine->options->state_dir, resource_of(engine, step)->name, &started,
			  &engine->run.look, err) < 0) {
		engine_child_abandon(&child);
		return -(int)err->kind;
	}
	/* Whoever resets it now finds the file; one who did before is seen here. */
	if (engine_resource_lasts(engine, step->plan->resource, err) <= 0) {
		engine_child_abandon(&child);
		return err_set(err, ERR_CONFLICT, "it is being reset");
	}
	service->process = child.identity;
	service->since_ms = clock_monotonic_ms();
	service->ready = false;
	engine_child_go(&child);
	engine_service_drop_listeners(service);
	engine_point(step, "started");
	return 0;
}

static int64_t pause_after(unsigned deaths)
{
	int64_t pause = FIRST_PAUSE_MS;

	for (unsigned i = 1; i < deaths && pause < MOST_PAUSE_MS; i++)
		pause *= 2;
	return MIN(pause, MOST_PAUSE_MS);
}

/* Its step is done once it was ready; that it is started again is told there all the same. */
static int tell(struct engine *engine, struct engine_step *step, struct str message,
		struct err *err)
{
	enum workflow_step_phase phase =
		engine_step_has_ended_well(step) ? step->record.phase : STEP_RUNNING;

	return engine_step_set_phase(engine, step, phase, message, err);
}

/* What never ran as it is configured now is not tried for ever: the configuration is wrong. */
static bool was_ready_before(const struct engine *engine, const struct engine_step *step)
{
	return engine_step_has_ended_well(step) || engine_step_is_done(engine, step);
}

/* Clients need a proxy, and a replayer of a run that is over may find its disk or its network
 * again: those are tried for ever. One that a run waits for, and that says itself that it cannot
 * go on, is told of as what the run fails with. */
static bool is_hopeless(struct engine *engine, const struct engine_step *step)
{
	const struct engine_service *service = &step->service;

	if (!was_ready_before(engine, step))
		return service->deaths >= FIRST_TRIES;
	return service->hopeless >= FIRST_TRIES && step->plan->action == PLAN_REPLAY &&
	       !engine->run.ended && !engine_cut_over_holds(engine, step);
}

static bool said_hopeless(struct engine *engine, const struct engine_step *step)
{
	int64_t code = service_last_code(engine->options->state_dir,
					 resource_of(engine, step)->name, &engine->run.look);

	return code == EXIT_CODE_USAGE || code == EXIT_CODE_SOURCE_UNREADABLE ||
	       code == EXIT_CODE_LOCAL_IO;
}

static int died(struct engine *engine, struct engine_step *step, struct str reason, struct err *err)
{
	struct engine_service *service = &step->service;
	struct arena *mem = &engine->run.look;
	int64_t pause;

	if (service->ready && clock_monotonic_ms() - service->since_ms >= STEADY_MS)
		service->deaths = service->hopeless = 0;
	service->hopeless = said_hopeless(engine, step) ? service->hopeless + 1 : 0;
	service->ready = false;
	service->process.pid = 0;
	pause = pause_after(++service->deaths);
	step->not_before_ms = clock_monotonic_ms() + pause;
	if (is_hopeless(engine, step))
		return engine_step_set_phase(
			engine, step, STEP_FAILED,
			arena_printf(mem,
				     STR_FMT " (started %u times); " STR_FMT
					     " in the state directory tells more (`workflow log "
					     "resource " STR_FMT
					     "`), `workflow submit` tries again",
				     STR_ARG(reason), service->deaths, STR_ARG(step->record.log),
				     STR_ARG(step->record.resource)),
			err);
	return tell(engine, step,
		    arena_printf(mem,
				 "not running: " STR_FMT "; started again in %" PRId64
				 " s (attempt %u)",
				 STR_ARG(reason), pause / 1000, service->deaths),
		    err);
}

static int look_at_process(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct engine_service *service = &step->service;
	struct err why = {0};

	if (!service->looked && look_for_former(engine, step, &why) < 0)
		return died(engine, step, str_from(why.message), err);
	if (service->process.pid != 0 && service_is_gone(&service->process, &engine->self)) {
		waitpid((pid_t)service->process.pid, NULL, WNOHANG); /* if it is ours */
		if (!service->stopping)
			return died(engine, step,
				    service_last_words(engine->options->state_dir,
						       resource_of(engine, step)->name,
						       &engine->run.look),
				    err);
		service->process.pid = 0;
		service->stopping = false;
	}
	if (service->stopping && clock_monotonic_ms() >= service->stop_until_ms)
		kill((pid_t)service->process.pid, SIGKILL);
	if (service->process.pid != 0 || service->retired ||
	    clock_monotonic_ms() < step->not_before_ms)
		return 0;
	if (start(engine, step, &why) == 0)
		return 0;
	return died(engine, step, arena_str(&engine->run.look, str_from(why.message)), err);
}

/* --- The step --- */

static int done_before(struct engine *engine, struct engine_step *step, struct err *err)
{
	return engine_step_set_phase(engine, step, STEP_SKIPPED, STR("done before"), err);
}

static int became_ready(struct engine *engine, struct engine_step *step, struct err *err)
{
	step->service.ready = true;
	if (engine_step_has_ended_well(step))
		return engine_step_set_phase(engine, step, step->record.phase, STR("running"), err);
	if (engine_step_is_done(engine, step))
		return engine_step_set_phase(engine, step, STEP_SKIPPED, STR("running before"),
					     err);
	return engine_step_finish(engine, step, STR("running"), err);
}

/* What is in the way of them, though the step is done. */
static int tell_of_pods(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct str line = engine_platform_trouble(engine, step);

	if (line.len == 0)
		line = !step->service.ready                 ? STR("starting")
		       : step->record.phase == STEP_SKIPPED ? STR("running before")
							    : STR("running");
	return tell(engine, step, line, err);
}

/* The buffers that it writes to or reads have no steps of their own. 1: they are as planned. */
static int admit_buffers(struct engine *engine, size_t index, struct err *err)
{
	const struct plan *plan = &engine->run.plan;

	for (size_t i = 0; i < index; i++) {
		const struct plan_resource *buffer = &plan->resources[i];

		if (!str_is(buffer->kind, "kafkacluster") &&
		    !str_is(buffer->kind, "capturedtraffic"))
			continue;
		if (!engine->run.admitted[i] && engine_resource_admit(engine, i, err) < 0)
			return -(int)err->kind;
		if (!engine->run.admitted[i])
			return 0;
		if (engine_resource_set_ready(engine, i, err) < 0)
			return -(int)err->kind;
	}
	return 1;
}

int engine_traffic_admit(struct engine *engine, struct engine_step *step, struct err *err)
{
	size_t index = step->plan->resource;
	int rc = admit_buffers(engine, index, err);

	if (rc <= 0)
		return rc;
	if (!engine->run.admitted[index] && engine_resource_admit(engine, index, err) < 0)
		return -(int)err->kind;
	return engine->run.admitted[index];
}

int engine_traffic_look(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct engine_service *service = &step->service;
	struct err why = {0};

	engine_log_bound(engine->options->state_dir, step->record.log);
	if (engine_cut_over_is_done(engine, step)) {
		service->retired = true;
		/* The cut-over ends the one that an engine before us left. */
		if (!service->looked && look_for_former(engine, step, &why) < 0)
			return tell(engine, step, str_from(why.message), err);
		return engine_step_has_ended_well(step) ? 0 : done_before(engine, step, err);
	}
	if (!engine_step_has_ended_well(step) && step->record.phase != STEP_RUNNING) {
		if (step->record.attempt == 0)
			step->record.attempt = 1;
		if (engine_step_set_phase(engine, step, STEP_RUNNING, STR("starting"), err) < 0)
			return -(int)err->kind;
	}
	if (look_at_process(engine, step, err) < 0)
		return -(int)err->kind;
	if (service->process.pid == 0 || service->stopping)
		return 0;
	if (!service->ready && is_ready(engine, step))
		return became_ready(engine, step, err);
	return engine->platform == PLATFORM_LOCAL ? 0 : tell_of_pods(engine, step, err);
}

bool engine_traffic_lasts(const struct engine_step *step)
{
	return step->service.looked && !step->service.retired && engine_step_has_ended_well(step);
}
