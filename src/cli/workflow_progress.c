#include "cli/workflow_progress.h"

#include "backfill/coordinator.h"
#include "base/small_file.h"
#include "capture/control_server.h"
#include "cli/capture_options.h"
#include "cli/number_text.h"
#include "cli/progress_file.h"
#include "cli/status_report.h"

#include <inttypes.h>
#include <unistd.h>

#define FILE_MAX MIB(1)
#define FOREVER_S 1e9

/* --- Parts that several kinds share --- */

struct amount {
	int64_t done, total; /* bytes */
	int64_t elapsed_ms;  /* 0: not known */
};

static int percent_of(int64_t done, int64_t total)
{
	if (total <= 0)
		return -1;
	return done >= total ? 100 : (int)((double)MAX(done, (int64_t)0) * 100 / (double)total);
}

static int64_t left_of(const struct amount *amount)
{
	double pace;

	if (amount->total > 0 && amount->done >= amount->total)
		return 0;
	if (amount->done <= 0 || amount->total <= 0 || amount->elapsed_ms <= 0)
		return -1;
	pace = (double)amount->done * 1000 / (double)amount->elapsed_ms;
	return (double)(amount->total - amount->done) / pace > FOREVER_S
		       ? -1
		       : (int64_t)((double)(amount->total - amount->done) / pace + 0.5);
}

static void put_percent(struct buf *text, const struct workflow_progress *progress)
{
	if (progress->percent >= 0)
		buf_printf(text, "%d%%, ", progress->percent);
}

static void put_bytes(struct buf *text, int64_t done, int64_t total)
{
	char first[NUMBER_TEXT_MAX], second[NUMBER_TEXT_MAX];

	buf_printf(text, "%s of %s", bytes_text((uint64_t)MAX(done, (int64_t)0), first),
		   bytes_text((uint64_t)MAX(total, (int64_t)0), second));
}

static void put_eta(struct buf *text, const struct workflow_progress *progress)
{
	char eta[NUMBER_TEXT_MAX];

	if (progress->seconds_left > 0)
		buf_printf(text, ", ETA %s", duration_text((uint64_t)progress->seconds_left, eta));
}

/* Ends it: the text, and what every kind tells machines. */
static bool complete(struct workflow_progress *out, struct buf *text, struct arena *mem)
{
	out->text = arena_str(mem, buf_str(text));
	json_set(out->json, STR("percent"),
		 out->percent < 0 ? json_new(mem, JSON_NULL) : json_new_i64(mem, out->percent));
	json_set(out->json, STR("eta_ms"),
		 out->seconds_left < 0 ? json_new(mem, JSON_NULL)
				       : json_new_i64(mem, out->seconds_left * 1000));
	return !mem->failed && !text->failed;
}

static int64_t elapsed_of(const struct workflow_place *place, const struct workflow_step *step)
{
	int64_t until = step->finished_ms ? step->finished_ms : place->now_ms;

	return step->started_ms > 0 ? MAX(until - step->started_ms, (int64_t)0) : 0;
}

static bool read_json(const char *path, struct arena *mem, struct json **out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	struct err err;

	return path && small_file_read(path, &text, &err) > 0 &&
	       json_parse(arena_str(mem, buf_str(&text)), mem, out, NULL) == 0;
}

/* --- Documents --- */

static void closep(struct coordinator **coordinator)
{
	if (*coordinator)
		(*coordinator)->ops->close(*coordinator);
}

static void put_items(struct buf *text, const struct status_index *total)
{
	uint64_t all = 0;

	for (size_t i = 0; i < COUNT_OF(total->items); i++)
		all += total->items[i];
	buf_printf(text,
		   ", shards %" PRIu64 "/%" PRIu64 " done, %" PRIu64 " in progress, %" PRIu64
		   " waiting",
		   total->items[WORK_COMPLETED], all, total->items[WORK_LEASED],
		   total->items[WORK_WAITING]);
	if (total->items[WORK_PARKED] > 0)
		buf_printf(text, ", %" PRIu64 " parked", total->items[WORK_PARKED]);
	if (total->failed > 0)
		buf_printf(text, ", %" PRIu64 " failed", total->failed);
}

/* `told`: the session as it was told elsewhere; NULL: the report says all. */
static bool tell_backfill(const struct status_report *report, struct json *told, int64_t elapsed_ms,
			  struct arena *mem, struct workflow_progress *out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	const struct status_index *total = &report->total;
	struct status_report paced = *report;
	const struct status_report nothing = {0};

	status_report_pace(&paced, &nothing, elapsed_ms);
	out->percent = (int)status_percent(total);
	out->seconds_left = status_seconds_left(&paced);
	out->json = told ? told : status_report_json(&paced, mem);
	if (told && out->seconds_left >= 0)
		json_set(told, STR("seconds_left"), json_new_i64(mem, out->seconds_left));
	put_percent(&text, out);
	put_bytes(&text, (int64_t)total->bytes_done, (int64_t)total->bytes_total);
	buf_printf(&text, ", %" PRIu64 " documents", total->documents);
	put_items(&text, total);
	put_eta(&text, out);
	return complete(out, &text, mem);
}

static const struct workflow_resource *resource_of(const struct workflow_place *place,
						   struct str label)
{
	struct str kind, name;

	if (!str_split(label, '.', &kind, &name))
		return NULL;
	for (size_t i = 0; i < place->resource_count; i++)
		if (str_eq(place->resources[i].kind, kind) &&
		    str_eq(place->resources[i].name, name))
			return &place->resources[i];
	return NULL;
}

static struct str fact_of(const struct workflow_resource *resource, const char *name,
			  struct arena *mem)
{
	struct json *facts = NULL;

	if (!resource || json_parse(resource->status, mem, &facts, NULL) < 0)
		return STR_NONE;
	return json_string(json_get(facts, name));
}

/* Of pods, whose items are in the target: what was seen there last. */
static bool read_backfill_elsewhere(const struct workflow_place *place,
				    const struct workflow_step *step, struct str session,
				    struct arena *mem, struct workflow_progress *out)
{
	struct str path =
		arena_printf(mem, "%s/run/" STR_FMT ".work", place->state_dir, STR_ARG(session));
	struct status_report report = {0};
	struct json *sessions = NULL;

	return read_json(path.ptr, mem, &sessions) &&
	       (sessions = json_get(sessions, "sessions")) != NULL && sessions->first &&
	       status_total_read(sessions->first, &report.total) &&
	       tell_backfill(&report, sessions->first, elapsed_of(place, step), mem, out);
}

static bool read_backfill(const struct workflow_place *place, const struct workflow_step *step,
			  struct arena *mem, struct workflow_progress *out)
{
	cleanup(closep) struct coordinator *coordinator = NULL;
	struct str session = fact_of(resource_of(place, step->resource), "workSession", mem);
	/* Only to list: nothing is leased. */
	struct coordinator_options options = {
		.session = session.ptr, .lease_ms = 1000, .max_lease_ms = 1000, .max_failures = 1};
	struct str path =
		arena_printf(mem, "%s/work/" STR_FMT ".db", place->state_dir, STR_ARG(session));
	struct status_report report;
	struct work_status *items;
	struct err err;
	size_t count;

	if (session.len == 0 || !path.ptr)
		return false;
	/* Opening would make it; work kept on the target has none here. */
	if (access(path.ptr, R_OK) < 0)
		return read_backfill_elsewhere(place, step, session, mem, out);
	options.session = arena_str(mem, session).ptr;
	if (!options.session ||
	    coordinator_local_open(place->state_dir, &options, &coordinator, &err) < 0 ||
	    coordinator->ops->list(coordinator, mem, &items, &count, &err) < 0 || count == 0 ||
	    status_report_make(options.session, items, count, mem, &report, &err) < 0)
		return false;
	return tell_backfill(&report, NULL, elapsed_of(place, step), mem, out);
}

/* --- Snapshots: what `snapshot status --json` said --- */

static bool read_snapshot(const struct workflow_place *place, const struct workflow_step *step,
			  struct arena *mem, struct workflow_progress *out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct json *noted = NULL;
	struct amount amount;
	int64_t shards;

	(void)place;
	if (step->progress.len == 0 || json_parse(step->progress, mem, &noted, NULL) < 0)
		return false;
	amount = (struct amount){json_i64_or(json_get(noted, "bytes_done"), 0),
				 json_i64_or(json_get(noted, "bytes_total"), 0),
				 json_i64_or(json_get(noted, "elapsed_ms"), 0)};
	shards = json_i64_or(json_get(noted, "shards_total"), 0);
	out->json = noted;
	out->percent = amount.total > 0
			       ? percent_of(amount.done, amount.total)
			       : percent_of(json_i64_or(json_get(noted, "shards_done"), 0), shards);
	out->seconds_left = left_of(&amount);
	put_percent(&text, out);
	buf_printf(&text, "shards %" PRId64 "/%" PRId64 ", failed %" PRId64 ", ",
		   json_i64_or(json_get(noted, "shards_done"), 0), shards,
		   json_i64_or(json_get(noted, "shards_failed"), 0));
	put_bytes(&text, amount.done, amount.total);
	put_eta(&text, out);
	return complete(out, &text, mem);
}

/* --- Comparison --- */

static bool read_verify(const struct workflow_place *place, const struct workflow_step *step,
			struct arena *mem, struct workflow_progress *out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct json *child = NULL, *counts = NULL;
	struct amount amount;

	if (step->phase != STEP_RUNNING || json_parse(step->child, mem, &child, NULL) < 0 ||
	    !read_json(progress_file_path(place->state_dir, "verify",
					  json_i64_or(json_get(child, "pid"), 0), mem),
		       mem, &counts) ||
	    /* A number is used again: the process's start tells it apart. */
	    !str_eq(json_string(json_get(counts, "start")), json_string(json_get(child, "start"))))
		return false;
	amount = (struct amount){json_i64_or(json_get(counts, "bytes_done"), 0),
				 json_i64_or(json_get(counts, "bytes_total"), 0),
				 elapsed_of(place, step)};
	out->json = counts;
	out->percent = percent_of(amount.done, amount.total);
	out->seconds_left = left_of(&amount);
	put_percent(&text, out);
	put_bytes(&text, amount.done, amount.total);
	buf_printf(&text, ", %" PRId64 " documents compared",
		   json_i64_or(json_get(counts, "documents"), 0));
	put_eta(&text, out);
	return complete(out, &text, mem);
}

/* --- Traffic --- */

static const char *path_of_status(const struct workflow_place *place, struct str name,
				  struct arena *mem)
{
	return arena_printf(mem, "%s/run/" STR_FMT ".status", place->state_dir, STR_ARG(name)).ptr;
}

static void put_pods(struct buf *text, const struct json *counts)
{
	if (json_get(counts, "pods"))
		buf_printf(text, "%" PRId64 " of %" PRId64 " pods ready, ",
			   json_i64_or(json_get(counts, "ready"), 0),
			   json_i64_or(json_get(counts, "pods"), 0));
}

static bool read_replay(const struct workflow_place *place, struct str name, struct arena *mem,
			struct workflow_progress *out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct json *counts = NULL;
	char lag[NUMBER_TEXT_MAX];
	int64_t behind;

	if (!read_json(path_of_status(place, name, mem), mem, &counts))
		return false;
	out->json = counts;
	behind = MAX(json_i64_or(json_get(counts, "source_lag_ms"), 0), (int64_t)0);
	buf_printf(&text, STR_FMT ", ", STR_ARG(json_string(json_get(counts, "state"))));
	put_pods(&text, counts);
	if (json_bool_or(json_get(counts, "caught_up"), false))
		buf_append_str(&text, STR("caught up"));
	else
		buf_printf(&text, "%s behind, %" PRId64 " records to read",
			   duration_text((uint64_t)behind / 1000, lag),
			   json_i64_or(json_get(counts, "unread_records"), 0));
	buf_printf(&text,
		   ", %" PRId64 " requests, %" PRId64 " answered, %" PRId64 " outstanding, %" PRId64
		   " retried",
		   json_i64_or(json_get(counts, "requests"), 0),
		   json_i64_or(json_get(counts, "answered"), 0),
		   json_i64_or(json_get(counts, "outstanding"), 0),
		   json_i64_or(json_get(counts, "retried"), 0));
	return complete(out, &text, mem);
}

static bool ask_proxy(const struct workflow_place *place, struct str name, struct arena *mem,
		      struct json **out)
{
	cleanup(buf_release) struct buf answer = BUF_INIT(FILE_MAX);
	const char *proxy = arena_str(mem, name).ptr, *path;
	struct err err;

	return proxy &&
	       capture_socket_path(place->state_dir, proxy, false, mem, &path, &err) >= 0 &&
	       access(path, F_OK) == 0 && control_ask(path, STR("status"), &answer, &err) == 0 &&
	       json_parse(arena_str(mem, buf_str(&answer)), mem, out, NULL) == 0;
}

/* A proxy in pods: what stands in for it knows how many there are. */
static bool read_pods(const struct workflow_place *place, struct str name, struct arena *mem,
		      struct workflow_progress *out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct json *counts = NULL;

	if (!read_json(path_of_status(place, name, mem), mem, &counts) ||
	    !json_get(counts, "service"))
		return false;
	out->json = counts;
	buf_printf(&text, STR_FMT ", ", STR_ARG(json_string(json_get(counts, "state"))));
	put_pods(&text, counts);
	buf_printf(&text, "Service " STR_FMT " port %" PRId64,
		   STR_ARG(json_string(json_path(counts, "service", "name", NULL))),
		   json_i64_or(json_path(counts, "service", "port", NULL), 0));
	return complete(out, &text, mem);
}

static bool read_capture(const struct workflow_place *place, struct str name, struct arena *mem,
			 struct workflow_progress *out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct json *counts = NULL;
	int64_t lost;

	if (!ask_proxy(place, name, mem, &counts))
		return read_pods(place, name, mem, out);
	out->json = counts;
	lost = json_i64_or(json_get(counts, "recordsLost"), 0);
	buf_printf(&text,
		   STR_FMT "%s, port %" PRId64 " to " STR_FMT ", %" PRId64 " connections, %" PRId64
			   " requests",
		   STR_ARG(json_string(json_get(counts, "state"))),
		   json_bool_or(json_get(counts, "capturing"), false) ? ", recording" : "",
		   json_i64_or(json_get(counts, "port"), 0),
		   STR_ARG(json_string(json_get(counts, "destination"))),
		   json_i64_or(json_get(counts, "connections"), 0),
		   json_i64_or(json_get(counts, "requests"), 0));
	if (json_get(counts, "logEnd"))
		buf_printf(&text, ", %" PRId64 " records kept",
			   json_i64_or(json_get(counts, "logEnd"), 0) -
				   json_i64_or(json_get(counts, "logFirst"), 0));
	if (lost > 0)
		buf_printf(&text, ", %" PRId64 " records LOST", lost);
	return complete(out, &text, mem);
}

/* --- By kind --- */

bool workflow_progress_of_step(const struct workflow_place *place, const struct workflow_step *step,
			       struct arena *mem, struct workflow_progress *out)
{
	struct str kind, name;

	*out = (struct workflow_progress){.percent = -1, .seconds_left = -1};
	if (step->phase == STEP_PENDING || step->phase == STEP_SKIPPED || step->attempt == 0)
		return false;
	if (str_starts(step->name, STR("createsnapshot.")))
		return read_snapshot(place, step, mem, out);
	if (str_starts(step->name, STR("documentbackfill.")))
		return read_backfill(place, step, mem, out);
	if (str_starts(step->name, STR("verify.")))
		return read_verify(place, step, mem, out);
	if (step->phase != STEP_RUNNING || !str_split(step->resource, '.', &kind, &name))
		return false;
	if (str_is(kind, "captureproxy"))
		return read_capture(place, name, mem, out);
	return str_is(kind, "trafficreplay") && read_replay(place, name, mem, out);
}

bool workflow_progress_of_resource(const struct workflow_place *place,
				   const struct workflow_resource *resource, struct arena *mem,
				   struct workflow_progress *out)
{
	*out = (struct workflow_progress){.percent = -1, .seconds_left = -1};
	if (str_is(resource->kind, "captureproxy"))
		return read_capture(place, resource->name, mem, out);
	return str_is(resource->kind, "trafficreplay") &&
	       read_replay(place, resource->name, mem, out);
}
