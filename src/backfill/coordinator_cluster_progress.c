#include "backfill/coordinator_cluster_internal.h"

#include "base/clock.h"

/* A change of a leased document: `change` edits it. */
struct change {
	struct cluster_coordinator *cc;
	const struct work_progress *progress;
	const char *reason;
	bool final;
	int64_t lease_ms;
	bool progressed;
};
typedef void (*document_change)(const struct change *change, struct json *source,
				struct arena *mem);

static int write_change(const struct change *change, document_change edit, struct work_claim *claim,
			bool last, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct cluster_coordinator *cc = change->cc;
	struct held_item *held = held_find(cc, claim);
	struct json *source;
	bool lost;
	int failed;

	if (!held)
		return coordinator_lease_lost(claim, err);
	if ((failed = held_read(held, &mem, &source, err)) < 0)
		return failed;
	edit(change, source, &mem);
	if ((failed = held_write(cc, held, source, &mem, &lost, err)) < 0)
		return failed;
	if (lost || last)
		held_remove(cc, held);
	return lost ? coordinator_lease_lost(claim, err) : 0;
}

/* `last`: the lease is over after it. */
static int run_change(const struct change *change, document_change edit, struct work_claim *claim,
		      bool last, struct err *err)
{
	int failed;

	pthread_mutex_lock(&change->cc->mutex);
	failed = write_change(change, edit, claim, last, err);
	pthread_mutex_unlock(&change->cc->mutex);
	return failed;
}

static void edit_checkpoint(const struct change *change, struct json *source, struct arena *mem)
{
	struct json *own = document_own(source, mem);
	int64_t now_ms = coordinator_now(&change->cc->clock);

	document_set_progress(source, change->progress, mem);
	document_set_int(source, "expiration", seconds_up(now_ms + change->lease_ms), mem);
	document_set_int(own, "leaseMs", change->lease_ms, mem);
	if (!change->progressed)
		return;
	document_set_bool(own, "progressed", true, mem);
	document_set_int(own, "failures", 0, mem);
	json_remove(own, STR("deaths"));
	document_set_int(source, "nextAcquisitionLeaseExponent", 0, mem);
}

int cluster_checkpoint(struct coordinator *c, struct work_claim *claim,
		       const struct work_progress *progress, struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	bool progressed = progress->next_doc > claim->progress.next_doc;
	struct change change = {
		.cc = cc,
		.progress = progress,
		.progressed = progressed,
		.lease_ms = progressed ? coordinator_lease_ms(&cc->options, 0) : claim->lease_ms,
	};
	int64_t began_ms = clock_monotonic_ms();
	int failed;

	if ((failed = coordinator_check_progress(progress, err)) < 0 ||
	    (failed = run_change(&change, edit_checkpoint, claim, false, err)) < 0)
		return failed;
	work_claim_checkpointed(claim, progress, change.lease_ms, began_ms, progressed);
	return 0;
}

static void edit_completion(const struct change *change, struct json *source, struct arena *mem)
{
	struct json *own = document_own(source, mem);

	document_set_progress(source, change->progress, mem);
	document_set_int(source, "completedAt", coordinator_now(&change->cc->clock) / 1000, mem);
	document_set_int(own, "failures", 0, mem);
	json_remove(own, STR("deaths"));
	json_remove(own, STR("reason"));
	json_remove(own, STR("dividing"));
}

int cluster_complete(struct coordinator *c, struct work_claim *claim,
		     const struct work_progress *progress, struct err *err)
{
	struct change change = {.cc = cluster_of(c), .progress = progress};
	int failed = coordinator_check_progress(progress, err);

	return failed < 0 ? failed : run_change(&change, edit_completion, claim, true, err);
}

static void document_free_lease(struct json *source, int64_t expiration_s, struct arena *mem)
{
	int64_t exponent = json_i64_or(json_get(source, "nextAcquisitionLeaseExponent"), 0);

	document_set_int(source, "expiration", expiration_s, mem);
	document_set_text(source, "leaseHolderId", STR_NONE, mem);
	document_set_int(source, "nextAcquisitionLeaseExponent", MAX(exponent - 1, 0), mem);
}

void document_park(struct json *source, struct arena *mem)
{
	document_free_lease(source, STATE_NEVER_S, mem);
	document_set_bool(source, "parked", true, mem);
}

static void edit_release(const struct change *change, struct json *source, struct arena *mem)
{
	(void)change;
	document_free_lease(source, 0, mem);
}

int cluster_release(struct coordinator *c, struct work_claim *claim, struct err *err)
{
	struct change change = {.cc = cluster_of(c)};

	return run_change(&change, edit_release, claim, true, err);
}

static void edit_failure(const struct change *change, struct json *source, struct arena *mem)
{
	const struct coordinator_options *options = &change->cc->options;
	struct json *own = document_own(source, mem);
	int64_t now_ms = coordinator_now(&change->cc->clock);
	int64_t failures = json_i64_or(json_get(own, "failures"), 0) +
			   !json_bool_or(json_get(own, "progressed"), false);
	int64_t pause_ms = coordinator_pause_ms(options, MAX(failures, 1));

	document_set_int(own, "failures", failures, mem);
	document_set_text(own, "reason", str_from(change->reason), mem);
	if (change->final || failures >= options->max_failures)
		document_park(source, mem);
	else
		document_free_lease(source, seconds_up(now_ms + pause_ms), mem);
}

int cluster_fail(struct coordinator *c, struct work_claim *claim, const char *reason, bool final,
		 struct err *err)
{
	struct change change = {.cc = cluster_of(c), .reason = reason, .final = final};

	return run_change(&change, edit_failure, claim, true, err);
}

void cluster_release_all(struct cluster_coordinator *cc)
{
	while (cc->held) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
		struct json *source;
		bool lost;

		/* What cannot be given back is free when its lease ends. */
		if (held_read(cc->held, &mem, &source, NULL) == 0) {
			document_free_lease(source, 0, &mem);
			held_write(cc, cc->held, source, &mem, &lost, NULL);
		}
		held_remove(cc, cc->held);
	}
}
