#include "backfill/target_care.h"

#include "backfill/target_tuning.h"
#include "base/log.h"
#include "cluster/collection_type.h"

#include <inttypes.h>
#include <stdlib.h>

struct target_care {
	struct cluster *cluster;
	struct target_care_options options;
	struct target_tuning *tuning;
	size_t tuned; /* indices */
	bool watches; /* another host tunes */
	_Atomic(struct pressure *) pressure;
	atomic_bool blocked; /* some sender waits for a full disk */
};

static void hear_refused(void *user, int64_t elapsed_ms)
{
	struct target_care *care = user;
	struct pressure *pressure = atomic_load(&care->pressure);

	if (pressure)
		pressure_refused(pressure, elapsed_ms);
}

static void hear_blocked(void *user, struct str reason)
{
	struct target_care *care = user;

	if (atomic_exchange(&care->blocked, true))
		return;
	log_warn(
		"target",
		"paused: the target takes no writes, its disk is full (%.*s); free space there, or "
		"raise cluster.routing.allocation.disk.watermark.flood_stage; where it does not "
		"lift the block itself then, PUT /_all/_settings "
		"{\"index.blocks.read_only_allow_delete\": null}; waiting up to %" PRId64 " s",
		(int)MIN(reason.len, (size_t)300), reason.ptr ? reason.ptr : "",
		care->options.pause_ms / 1000);
}

static void hear_unblocked(void *user)
{
	struct target_care *care = user;

	if (atomic_exchange(&care->blocked, false))
		log_info("target", "the target takes writes again: going on");
}

struct target_care *target_care_new(struct cluster *cluster,
				    const struct target_care_options *options)
{
	struct target_care *care = mem_zalloc(sizeof(*care));
	const struct cluster_watch watch = {
		.refused = hear_refused,
		.blocked = hear_blocked,
		.unblocked = hear_unblocked,
		.user = care,
		.block_wait_ms = options->pause_ms,
	};

	care->cluster = cluster;
	care->options = *options;
	cluster_set_watch(cluster, &watch);
	return care;
}

void target_care_free(struct target_care *care)
{
	static const struct cluster_watch nobody = {0};

	if (!care)
		return;
	cluster_set_watch(care->cluster, &nobody);
	free(care);
}

void target_care_press(struct target_care *care, struct pressure *pressure)
{
	if (care)
		atomic_store(&care->pressure, pressure);
}

static void tell(void *user, const char *line)
{
	(void)user;
	log_warn("target", "%s", line);
}

static struct tuning_place place_of(const struct target_care *care)
{
	return (struct tuning_place){.state_dir = care->options.state_dir,
				     .session = care->options.session,
				     .target = care->options.target};
}

static const char *indices_of(size_t count)
{
	return count == 1 ? "index" : "indices";
}

static void log_restored(const struct target_care *care, const struct tuning_report *report)
{
	if (report->busy)
		log_info("target",
			 "settings stay tuned: another process of session '%s' puts them "
			 "back at its end",
			 care->options.session);
	else if (report->restored > 0)
		log_info("target", "settings of %zu %s are as they were", report->restored,
			 indices_of(report->restored));
	if (report->kept > 0)
		log_warn("target",
			 "settings of %zu %s were not put back (%s); `shardlift restore-settings "
			 "--target-host %s` does so when that is mended",
			 report->kept, indices_of(report->kept), report->reason,
			 care->options.target);
}

static int put_back_leftovers(struct target_care *care, struct err *err)
{
	const struct tuning_place place = place_of(care);
	struct tuning_report report;
	int failed = target_tuning_restore(care->cluster, &place, &report, err);

	if (failed == 0)
		log_restored(care, &report);
	return failed;
}

static int publish(void *user, struct str saved, struct err *err)
{
	const struct target_care *care = user;

	return care->options.coordinator->ops->tuning_keep(care->options.coordinator, saved, err);
}

/* Whether several hosts may be at work on the session. */
static bool is_shared(const struct target_care *care)
{
	const struct coordinator *c = care->options.coordinator;

	return c && c->ops->tuning_take;
}

static int tune_indices(struct target_care *care, const struct tuning_place *place,
			const struct backfill_index *indices, const bool *created, size_t count,
			struct err *err)
{
	struct tuned_index *tuned = mem_zalloc(MAX(count, (size_t)1) * sizeof(*tuned));
	struct tuning_report report;
	int failed;

	for (size_t i = 0; i < count; i++)
		tuned[i] = (struct tuned_index){indices[i].target_name, created && created[i]};
	failed = target_tuning_begin(care->cluster, place, tuned, count, &care->tuning, &report,
				     err);
	free(tuned);
	if (failed < 0)
		return failed;
	care->tuned = report.tuned;
	if (report.tuned > 0)
		log_info("target",
			 "settings of %zu %s are tuned for the load, and put back at its end",
			 report.tuned, indices_of(report.tuned));
	if (report.left_alone > 0)
		log_info("target", "%zu indices are not tuned for the load: %s", report.left_alone,
			 report.reason);
	return 0;
}

/* The first of several hosts tunes. */
static int tune(struct target_care *care, const struct backfill_index *indices, const bool *created,
		size_t count, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct coordinator *c = care->options.coordinator;
	struct tuning_share share = {.publish = publish, .user = care};
	struct tuning_place place = place_of(care);
	bool ours = true;
	int failed = 0;

	if (is_shared(care)) {
		failed = c->ops->tuning_take(c, &mem, &ours, &share.saved, err);
		place.share = &share;
	}
	care->watches = failed == 0 && !ours;
	if (care->watches)
		log_info("target", "another worker of session '%s' tunes the target for the load",
			 care->options.session);
	else if (failed == 0)
		failed = tune_indices(care, &place, indices, created, count, err);
	if (failed < 0)
		return err_wrap(err, "tuning the target's indices (--tune-target false goes "
				     "without)");
	return 0;
}

int target_care_begin(struct target_care *care, const struct snapshot *snapshot,
		      const struct backfill_index *indices, const bool *created, size_t count,
		      const atomic_bool *cancel, struct err *err)
{
	struct target_check_options check;
	int failed;

	if (!care)
		return 0;
	check = (struct target_check_options){.allow_missing = care->options.allow_missing,
					      .wait_ms = care->options.pause_ms,
					      .tell = tell};
	failed =
		target_check(care->cluster, snapshot, indices, created, count, &check, cancel, err);
	if (failed < 0)
		return failed;
	if (!care->options.tune)
		return put_back_leftovers(care, err);
	if (cluster_version(care->cluster)->serverless) {
		log_info("target", "OpenSearch Serverless has no settings to tune for a load: "
				   "--tune-target does nothing there");
		return 0;
	}
	return tune(care, indices, created, count, err);
}

/* A target that was out of reach a moment ago is not asked as long again. */
static bool is_out_of_reach(const struct err *ended_by)
{
	return ended_by && (ended_by->kind == ERR_UNREACHABLE || ended_by->kind == ERR_TIMEOUT ||
			    (ended_by->kind == ERR_HTTP && ended_by->retry));
}

/* Nothing is left that another host would have to put back. */
static int forget_shared(const struct target_care *care, const struct tuning_report *report,
			 struct err *err)
{
	struct coordinator *c = care->options.coordinator;

	if (!is_shared(care) || report->busy || report->kept > 0)
		return 0;
	return c->ops->tuning_keep(c, STR_NONE, err);
}

static int put_back_own(struct target_care *care, struct err *err)
{
	struct tuning_report report;
	int failed = target_tuning_end(take(care->tuning), &report, err);

	if (failed < 0)
		return failed;
	log_restored(care, &report);
	return forget_shared(care, &report, err);
}

/* Whoever tuned puts back as well, if it still can: what is done twice is done once. */
static int put_back_others(struct target_care *care, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct coordinator *c = care->options.coordinator;
	struct tuning_share share = {0};
	struct tuning_place place = place_of(care);
	struct tuning_report report;
	int failed = c->ops->tuning_look(c, &mem, &share.saved, err);

	if (failed < 0 || !share.saved.ptr)
		return failed;
	place.share = &share;
	if ((failed = target_tuning_restore(care->cluster, &place, &report, err)) < 0)
		return failed;
	log_restored(care, &report);
	return forget_shared(care, &report, err);
}

void target_care_end(struct target_care *care, bool all_done, const struct err *ended_by)
{
	struct err err = {0};
	int failed = 0;

	if (!care)
		return;
	if (is_out_of_reach(ended_by)) {
		target_tuning_abandon(take(care->tuning));
		if (care->tuned > 0)
			log_warn("target",
				 "settings of its indices stay tuned for the load; the next run of "
				 "this "
				 "command or `shardlift restore-settings --target-host %s` puts "
				 "them back",
				 care->options.target);
		return;
	}
	if (care->tuning)
		failed = put_back_own(care, &err);
	else if (care->watches && all_done)
		failed = put_back_others(care, &err);
	if (failed < 0)
		log_warn("target",
			 "settings of its indices could not be put back: %s; `shardlift "
			 "restore-settings --target-host %s` does so",
			 err.message, care->options.target);
}

int target_generates_ids(struct cluster *cluster, enum generated_ids mode, bool *out,
			 struct err *err)
{
	enum collection_type type = COLLECTION_NONE;
	int failed;

	*out = mode == GENERATED_IDS_ALWAYS;
	if (mode == GENERATED_IDS_AUTO) {
		failed = cluster_collection_type(cluster, &type, err);
		if (failed < 0)
			return failed;
		*out = collection_needs_generated_ids(type);
	}
	if (type == COLLECTION_UNKNOWN)
		log_warn("target", "the type of the Serverless collection is not known: documents "
				   "keep their ids; if it is TIMESERIES or VECTORSEARCH, pass "
				   "--server-generated-ids always");
	if (*out)
		log_warn(
			"target",
			"documents get new ids from the target%s%s: one that is sent again after a "
			"lost connection, or by a second run, is there twice",
			type == COLLECTION_NONE ? "" : ", a collection of type ",
			type == COLLECTION_NONE ? "" : collection_type_name(type));
	return 0;
}
