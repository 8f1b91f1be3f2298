#include "workflow/routes/remote_reindex.h"

#include "base/log.h"
#include "workflow/routes/reindex_tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_MAX MIB(64)
#define POLL_MS 200
#define FAILURES_LOGGED 20 /* of an index; the count tells of all */
#define LOST_TIMES 5       /* tasks of one index, before it is given up */

enum part_state { PART_WAITING, PART_RUNNING, PART_ENDED };

/* The work on one index. */
struct part {
	enum part_state state;
	struct str task; /* in the run's arena */
	uint64_t total, done;
	size_t lost;
};

struct run {
	const struct remote_reindex_options *options;
	const struct backfill_index *indices;
	const uint64_t *index_bytes;
	size_t count;
	struct progress *progress;
	const atomic_bool *cancel;
	struct backfill_report *report;
	struct reindex_tasks tasks;
	struct arena mem;
	struct part *parts;
};

static void run_release(struct run *run)
{
	reindex_tasks_release(&run->tasks);
	arena_release(&run->mem);
	free(run->parts);
}

static struct reindex_request request_of(const struct run *run, size_t i)
{
	const struct remote_reindex_options *options = run->options;

	return (struct reindex_request){
		.from = run->indices[i].source->name,
		.to = run->indices[i].target_name,
		.remote = options->remote,
		.query = options->query,
		.size = options->size,
		.requests_per_second = options->requests_per_second,
		.slices = options->slices,
		.create_only = run->indices[i].create_only,
	};
}

static int begin_task(struct run *run, size_t i, struct err *err)
{
	const struct reindex_request request = request_of(run, i);
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct str task = STR_NONE;
	int rc = reindex_tasks_begin(&run->tasks, request.from, err);

	if (rc == 0)
		rc = reindex_start(run->options->target, &request, &mem, &task, err);
	if (rc < 0)
		return err_wrap(err, "index '" STR_FMT "' cannot be reindexed",
				STR_ARG(request.from));
	run->parts[i].task = arena_str(&run->mem, task);
	run->parts[i].state = PART_RUNNING;
	return reindex_tasks_started(&run->tasks, request.from, task, err);
}

/* A task of an earlier run: its id is known, or it was killed before it could be. */
static int find_task(struct run *run, size_t i, struct err *err)
{
	const struct backfill_index *index = &run->indices[i];
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct str task = reindex_tasks_id(&run->tasks, index->source->name);
	int rc = 0;

	if (!task.ptr && reindex_tasks_may_run(&run->tasks, index->source->name)) {
		rc = reindex_find(run->options->target, index->source->name, index->target_name,
				  &mem, &task, err);
		if (rc == 0 && task.ptr)
			rc = reindex_tasks_started(&run->tasks, index->source->name, task, err);
	}
	if (rc < 0 || !task.ptr)
		return rc;
	log_info("copy", "index '" STR_FMT "': task " STR_FMT " of an earlier run is found again",
		 STR_ARG(index->source->name), STR_ARG(task));
	run->parts[i].task = arena_str(&run->mem, task);
	run->parts[i].state = PART_RUNNING;
	return 0;
}

static void end_part(struct run *run, size_t i)
{
	run->parts[i].state = PART_ENDED;
	atomic_fetch_add(&run->progress->items_done, 1);
}

/* Its node is gone, with all that it knew. Documents keep their ids: the same comes out again. */
static int lose_task(struct run *run, size_t i, struct err *err)
{
	struct str name = run->indices[i].source->name;
	struct part *part = &run->parts[i];

	if (++part->lost >= LOST_TIMES)
		return err_set(err, ERR_HTTP,
			       "index '" STR_FMT "': the target lost its task %d times; see to its "
			       "nodes, then run the same command again",
			       STR_ARG(name), LOST_TIMES);
	log_warn("copy",
		 "index '" STR_FMT "': the target knows nothing of task " STR_FMT
		 " any more: it is begun anew",
		 STR_ARG(name), STR_ARG(part->task));
	part->state = PART_WAITING;
	part->done = part->total = 0;
	return reindex_tasks_forget(&run->tasks, name, err);
}

static void log_failure(struct str index, const struct json *failure)
{
	const struct json *cause = json_get(failure, "cause");

	cause = cause ? cause : json_get(failure, "reason");
	log_error("copy", "index '" STR_FMT "', document '" STR_FMT "': " STR_FMT ": " STR_FMT,
		  STR_ARG(index), STR_ARG(json_text_or(json_get(failure, "id"), STR("not known"))),
		  STR_ARG(json_text_or(json_get(cause, "type"), STR("failure"))),
		  STR_ARG(json_text_or(json_get(cause, "reason"), STR("no reason given"))));
}

static void log_failures(struct str index, const struct json *failures)
{
	size_t told = 0;

	json_each (failure, failures)
		if (told++ < FAILURES_LOGGED)
			log_failure(index, failure);
	if (told > FAILURES_LOGGED)
		log_error("copy", "index '" STR_FMT "': %zu more failures", STR_ARG(index),
			  told - FAILURES_LOGGED);
}

/* Answers of remote clusters are long, and of many lines. */
static void say_unreadable(struct backfill_index_result *result, const char *what, struct str why)
{
	size_t len = MIN(why.len, (size_t)600);

	result->unreadable = true;
	snprintf(result->reason, sizeof(result->reason), "%s%.*s", what, (int)len,
		 why.ptr ? why.ptr : "");
	for (char *c = result->reason; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

static int take_result(struct run *run, size_t i, const struct reindex_task *task, struct err *err)
{
	struct str name = run->indices[i].source->name;
	struct backfill_index_result *result = &run->report->indices[i];
	size_t failures = task->failures ? task->failures->count : 0;
	bool adds = run->indices[i].create_only; /* what is there already is no failure then */
	int64_t conflicts = task->conflicts;

	result->documents = (uint64_t)task->total;
	result->superseded = adds ? (uint64_t)conflicts : 0;
	result->sent = (uint64_t)(task->created + task->updated + task->noops) + result->superseded;
	result->failed = MAX(failures, adds ? (size_t)0 : (size_t)conflicts);
	log_failures(name, task->failures);
	end_part(run, i);
	if (task->error.ptr)
		say_unreadable(result, "its task ended early: ", task->error);
	if (task->error.ptr || result->failed > 0 || result->sent != result->documents)
		return reindex_tasks_forget(&run->tasks, name, err);
	return reindex_tasks_finish(
		&run->tasks, name,
		&(struct reindex_done){result->documents, result->sent, result->superseded}, err);
}

static int look(struct run *run, size_t i, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct part *part = &run->parts[i];
	struct reindex_task task;
	int rc = reindex_look(run->options->target, part->task, &mem, &task, err);

	if (rc < 0)
		return err_wrap(err, "index '" STR_FMT "'", STR_ARG(run->indices[i].source->name));
	if (task.state == REINDEX_LOST)
		return lose_task(run, i, err);
	part->total = (uint64_t)task.total;
	part->done = (uint64_t)(task.created + task.updated + task.noops + task.conflicts);
	return task.state == REINDEX_DONE ? take_result(run, i, &task, err) : 0;
}

/* The bar counts bytes of the source, of which tasks know nothing: they are shared out by
 * documents. */
static void tell_progress(struct run *run)
{
	uint64_t bytes = 0, read = 0, documents = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct part *part = &run->parts[i];
		double share = part->total > 0 ? (double)part->done / (double)part->total : 0;

		if (part->state == PART_ENDED)
			share = 1;
		bytes += run->index_bytes[i];
		read += (uint64_t)((double)run->index_bytes[i] * MIN(share, 1.0));
		documents += part->done;
	}
	atomic_store(&run->progress->bytes_total, bytes);
	atomic_store(&run->progress->bytes_read, read);
	atomic_store(&run->progress->documents_read, documents);
	atomic_store(&run->progress->documents_sent, documents);
}

static size_t count_state(const struct run *run, enum part_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += run->parts[i].state == state;
	return count;
}

static int start_more(struct run *run, struct err *err)
{
	size_t running = count_state(run, PART_RUNNING);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < run->count; i++) {
		if (running >= (size_t)MAX(run->options->parallel, INT64_C(1)))
			break;
		if (run->parts[i].state != PART_WAITING)
			continue;
		rc = begin_task(run, i, err);
		running++;
	}
	return rc;
}

static void take_earlier(struct run *run, size_t i, const struct reindex_done *done)
{
	struct backfill_index_result *result = &run->report->indices[i];

	result->documents = run->parts[i].total = run->parts[i].done = done->documents;
	result->sent = done->sent;
	result->superseded = done->superseded;
	end_part(run, i);
}

/* What earlier runs of the session did, and left running. */
static int take_up(struct run *run, const bool *made, struct err *err)
{
	struct reindex_done done;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < run->count; i++) {
		struct str name = run->indices[i].source->name;

		if (run->indices[i].blocked) {
			end_part(run, i);
			continue;
		}
		if (made[i])
			rc = reindex_tasks_forget(&run->tasks, name, err);
		if (rc == 0 && reindex_tasks_is_done(&run->tasks, name, &done))
			take_earlier(run, i, &done);
		else if (rc == 0)
			rc = find_task(run, i, err);
	}
	run->report->resumed = run->tasks.resumed;
	run->report->finished_before =
		run->tasks.resumed && run->count > 0 && count_state(run, PART_ENDED) == run->count;
	return rc;
}

static int watch(struct run *run, struct err *err)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000};
	int rc = start_more(run, err);

	while (rc == 0 && count_state(run, PART_ENDED) < run->count) {
		if (atomic_load(run->cancel))
			return err_set(err, ERR_CANCELLED, "interrupted");
		for (size_t i = 0; rc == 0 && i < run->count; i++)
			if (run->parts[i].state == PART_RUNNING)
				rc = look(run, i, err);
		tell_progress(run);
		if (rc == 0)
			rc = start_more(run, err);
		if (count_state(run, PART_RUNNING) > 0)
			nanosleep(&pause, NULL);
	}
	return rc;
}

int remote_reindex_run(const struct remote_reindex_options *options,
		       const struct backfill_index *indices, const bool *made, size_t count,
		       const uint64_t *index_bytes, struct progress *progress,
		       const atomic_bool *cancel, struct backfill_report *report, struct err *err)
{
	cleanup(run_release) struct run run = {
		.options = options,
		.indices = indices,
		.index_bytes = index_bytes,
		.count = count,
		.progress = progress,
		.cancel = cancel,
		.report = report,
		.mem = ARENA_INIT(MIB(16)),
		.parts = mem_zalloc((count + 1) * sizeof(struct part)),
	};
	int rc = reindex_tasks_open(options->path, options->of, &run.tasks, err);

	report->end = BACKFILL_ALL_DONE;
	atomic_store(&progress->items_total, count);
	if (rc == 0)
		rc = take_up(&run, made, err);
	return rc < 0 ? rc : watch(&run, err);
}
