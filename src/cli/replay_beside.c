#include "cli/replay_beside.h"

#include "backfill/coordinator.h"
#include "backfill/target_tuning.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/cluster.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 5000, INDICES_MAX = 100000 };

struct replay_beside {
	const struct replay_fields *fields;
	const char *state;
	struct tuning_place place;
	struct arena mem; /* names, and what lives as long */
	bool raises;
	struct cluster *cluster; /* NULL: not reached yet; of the thread, once it runs */
	struct target_tuning *tuning;
	struct str *known; /* uuids of indices that were raised, or refused */
	size_t known_count;
	bool warned, said;
	atomic_bool works;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stops; /* under the lock */
};

static int connect_target(struct replay_beside *b, struct err *err)
{
	const struct http_options options = target_http_options(&b->fields->target);
	const struct cluster_retry retry = {
		.initial_delay_ms = 500, .max_delay_ms = 2000, .max_total_ms = 5000};

	return b->cluster ? 0 : cluster_connect(&options, &retry, &b->cluster, err);
}

/* --- Deletes stay known --- */

static bool is_known(const struct replay_beside *b, struct str uuid)
{
	for (size_t i = 0; i < b->known_count; i++)
		if (str_eq(b->known[i], uuid))
			return true;
	return false;
}

/* The indices that were not there before; hidden ones are nobody's business here. */
static int find_new(struct replay_beside *b, struct tuned_index *found, size_t *count,
		    struct err *err)
{
	cleanup(arena_release) struct arena scratch = ARENA_INIT(MIB(64));
	struct json *answer = NULL;
	int status;

	*count = 0;
	if (cluster_request(b->cluster, "GET", "/_cat/indices?h=index,uuid&format=json", STR_NONE,
			    true, &scratch, &status, &answer, err) < 0)
		return -(int)err->kind;
	if (status != 200)
		return err_set(err, ERR_HTTP, "the target answers %d to GET /_cat/indices", status);
	json_each (row, answer) {
		struct str name = json_string(json_get(row, "index"));
		struct str uuid = json_string(json_get(row, "uuid"));

		if (name.len == 0 || name.ptr[0] == '.' || is_known(b, uuid) ||
		    b->known_count == INDICES_MAX)
			continue;
		name = arena_str(&b->mem, name);
		b->known[b->known_count++] = arena_str(&b->mem, uuid);
		if (b->mem.failed)
			return arena_fail(&b->mem, "names of indices", err);
		found[(*count)++] = (struct tuned_index){.name = name, .keep_deletes = true};
	}
	return 0;
}

static void say_raised(struct replay_beside *b, const struct tuning_report *report)
{
	if (report->tuned > 0 && !b->said)
		log_info("replay",
			 "index.gc_deletes is raised on the target's indices, and put back at the "
			 "end (--no-raise-gc-deletes leaves it alone)");
	b->said |= report->tuned > 0;
	if (report->left_alone > 0)
		log_warn("replay",
			 "index.gc_deletes of %zu indices stays as it is: %s; a delete may be "
			 "undone "
			 "by a backfill that brings its document more than a minute later",
			 report->left_alone, report->reason);
}

static int raise_deletes(struct replay_beside *b, struct err *err)
{
	struct tuned_index *found;
	struct tuning_report report = {0};
	size_t known = b->known_count, count;
	int failed;

	if (connect_target(b, err) < 0)
		return -(int)err->kind;
	found = mem_zalloc(INDICES_MAX * sizeof(*found));
	failed = find_new(b, found, &count, err);
	if (failed == 0 && !b->tuning)
		failed = target_tuning_begin(b->cluster, &b->place, found, count, &b->tuning,
					     &report, err);
	else if (failed == 0 && count > 0)
		failed = target_tuning_add(b->tuning, found, count, &report, err);
	free(found);
	if (failed < 0)
		b->known_count = known;
	else
		say_raised(b, &report);
	return failed;
}

static void put_back(struct replay_beside *b, bool all_done)
{
	struct tuning_report report;
	struct err err;

	if (!b->tuning)
		return;
	if (!all_done) {
		target_tuning_abandon(b->tuning);
		if (b->said)
			log_info("replay",
				 "index.gc_deletes stays raised for the next run; `shardlift "
				 "restore-settings` puts it back");
	} else if (target_tuning_end(b->tuning, &report, &err) < 0) {
		log_warn("replay", "index.gc_deletes is not put back: %s", err.message);
	} else if (report.kept > 0) {
		log_warn("replay", "index.gc_deletes of %zu indices is not put back: %s",
			 report.kept, report.reason);
	}
}

/* --- The backfill --- */

static bool local_session_is_there(const struct replay_beside *b)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_printf(&path, "%s/work/%s.db", b->state, b->fields->backfill_session);
	return access(buf_cstr(&path), F_OK) == 0;
}

static int open_session(struct replay_beside *b, struct coordinator **out, struct err *err)
{
	const struct coordinator_fields *fields = &b->fields->coordinator;
	/* Only to list: nothing is leased. */
	const struct coordinator_options options = {.session = b->fields->backfill_session,
						    .lease_ms = 1000,
						    .max_lease_ms = 1000,
						    .max_failures = 1};
	struct cluster *cluster;

	if (strcmp(fields->host, "local") == 0)
		return coordinator_local_open(b->state, &options, out, err);
	if (connect_target(b, err) < 0 ||
	    coordinator_connect(fields, &b->fields->target, b->cluster, &cluster, err) < 0)
		return -(int)err->kind;
	return coordinator_cluster_open(
		cluster, coordinator_is_java(fields) ? COORDINATOR_JAVA : COORDINATOR_OWN, &options,
		out, err);
}

/* 1: documents may still come; 0: the session has ended. */
static int backfill_works(struct replay_beside *b, struct err *err)
{
	cleanup(arena_release) struct arena scratch = ARENA_INIT(MIB(256));
	struct coordinator *coordinator;
	struct work_status *items;
	size_t count, left = 0;
	int failed;

	if (strcmp(b->fields->coordinator.host, "local") == 0 && !local_session_is_there(b))
		return 1;
	failed = open_session(b, &coordinator, err);
	if (failed == -ERR_NOT_FOUND)
		return 1;
	if (failed < 0)
		return failed;
	failed = coordinator->ops->list(coordinator, &scratch, &items, &count, err);
	coordinator->ops->close(coordinator);
	for (size_t i = 0; failed == 0 && i < count; i++)
		left += items[i].state != WORK_COMPLETED && items[i].state != WORK_PARKED;
	return failed < 0 ? failed : count == 0 || left > 0;
}

static void look_at_backfill(struct replay_beside *b)
{
	struct err err;
	int works;

	if (!b->fields->backfill_session || !atomic_load(&b->works))
		return;
	works = backfill_works(b, &err);
	if (works < 0 && !b->warned)
		log_warn("replay",
			 "whether backfill '%s' is at work is not known, so it is taken to be: %s",
			 b->fields->backfill_session, err.message);
	b->warned |= works < 0;
	if (works == 0) {
		log_info("replay", "backfill '%s' has ended", b->fields->backfill_session);
		atomic_store(&b->works, false);
	}
}

/* --- The thread --- */

static bool wait_for_next_look(struct replay_beside *b)
{
	const int64_t until = clock_monotonic_ms() + LOOK_MS;
	const struct timespec at = {until / 1000, until % 1000 * 1000000};
	bool stops;

	pthread_mutex_lock(&b->lock);
	while (!b->stops && clock_monotonic_ms() < until)
		pthread_cond_timedwait(&b->changed, &b->lock, &at);
	stops = b->stops;
	pthread_mutex_unlock(&b->lock);
	return !stops;
}

static void *look_on(void *user)
{
	struct replay_beside *b = user;
	struct err err;

	while (wait_for_next_look(b)) {
		if (b->raises && raise_deletes(b, &err) < 0)
			log_warn("replay", "index.gc_deletes is not raised yet: %s", err.message);
		look_at_backfill(b);
	}
	return NULL;
}

static int start(struct replay_beside *b, struct err *err)
{
	pthread_condattr_t clock;
	int refused;

	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&b->changed, &clock);
	pthread_condattr_destroy(&clock);
	refused = pthread_create(&b->thread, NULL, look_on, b);
	return refused ? err_set_errno(err, ERR_IO, refused,
				       "the system refuses a thread that looks after the backfill; "
				       "raise its limits of threads and memory")
		       : 0;
}

static void release(struct replay_beside *b)
{
	cluster_close(b->cluster);
	arena_release(&b->mem);
	free(b->known);
	free(b);
}

int replay_beside_open(const struct replay_fields *f, const char *state, struct replay_beside **out,
		       struct err *err)
{
	struct replay_beside *b;
	int failed = 0;

	*out = NULL;
	if (!f->source_versions || (f->no_raise_gc_deletes && !f->backfill_session))
		return 0;
	b = mem_zalloc(sizeof(*b));
	*b = (struct replay_beside){.fields = f,
				    .state = state,
				    .mem = ARENA_INIT(MIB(64)),
				    .raises = !f->no_raise_gc_deletes,
				    .known = mem_zalloc(INDICES_MAX * sizeof(struct str))};
	atomic_init(&b->works, f->backfill_session != NULL);
	b->place = (struct tuning_place){.state_dir = state,
					 .session = arena_printf(&b->mem, "replay-%s", f->name).ptr,
					 .target = f->target.host};
	if (b->raises)
		failed = raise_deletes(b, err);
	if (failed == -ERR_USAGE || failed == -ERR_AUTH) {
		release(b);
		return failed;
	}
	/* A target that is not there yet is for the replay itself to wait for. */
	look_at_backfill(b);
	if ((failed = start(b, err)) < 0) {
		release(b);
		return failed;
	}
	*out = b;
	return 0;
}

const atomic_bool *replay_beside_backfill(const struct replay_beside *b)
{
	return b && b->fields->backfill_session ? &b->works : NULL;
}

void replay_beside_close(struct replay_beside *b, bool all_done)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->stops = true;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	/* It may have ended since the last look. */
	if (all_done)
		look_at_backfill(b);
	put_back(b, all_done && !atomic_load(&b->works));
	release(b);
}
