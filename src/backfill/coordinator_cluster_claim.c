#include "backfill/coordinator_cluster_internal.h"

#include "base/clock.h"

#include <inttypes.h>

/* Candidates looked at together, so that workers who want the same one soon find another. */
#define CANDIDATES 16
#define LEASED_CANDIDATES 1000
#define ROUNDS 20
/* Items come free without notice, too. */
#define LONGEST_WAIT_MS 5000
#define SHORTEST_WAIT_MS 100

#define PENDING                                                   \
	"\"must_not\":[{\"exists\":{\"field\":\"completedAt\"}}," \
	"{\"ids\":{\"values\":[\"" STATE_SETUP_ID "\"]}}]"

/* What one try to lease an item is made with. */
struct attempt {
	struct cluster_coordinator *cc;
	struct arena *mem;
	int64_t now_ms, began_ms; /* wall clock; clock_monotonic_ms */
	struct str id;
	struct json *source;
	struct state_revision revision;
	struct item_document item;
	bool is_dead; /* the process that has the lease */
	char token[COORDINATOR_TOKEN_SIZE];
	int64_t lease_ms;
};

static int find_candidates(struct cluster_coordinator *cc, int64_t now_ms, struct arena *mem,
			   struct json **hits, struct err *err)
{
	struct str body =
		arena_printf(mem,
			     "{\"size\":%d,\"_source\":false,\"query\":{\"bool\":{\"filter\":["
			     "{\"range\":{\"expiration\":{\"lte\":%" PRId64 "}}}]," PENDING "}},"
			     "\"sort\":[{\"bytes\":{\"order\":\"desc\",\"missing\":\"_last\","
			     "\"unmapped_type\":\"long\"}},\"_doc\"]}",
			     CANDIDATES, now_ms / 1000);

	return state_search(cc, body, mem, hits, err);
}

/* Leases of processes of this host, dead ones among them. */
static int find_leased(struct cluster_coordinator *cc, struct arena *mem, struct json **hits,
		       struct err *err)
{
	struct str body =
		arena_printf(mem,
			     "{\"size\":%d,\"_source\":[\"leaseHolderId\",\"shardlift.worker\","
			     "\"shardlift.process\"],\"query\":{\"bool\":{\"filter\":["
			     "{\"exists\":{\"field\":\"leaseHolderId\"}}]," PENDING "}}}",
			     LEASED_CANDIDATES);

	return state_search(cc, body, mem, hits, err);
}

/* Nothing is free: whether anything is left, and how long until it may be. */
static int look_ahead(struct cluster_coordinator *cc, int64_t now_ms, struct arena *mem,
		      enum claim_outcome *outcome, int64_t *wait_ms, struct err *err)
{
	struct str body = arena_printf(
		mem,
		"{\"size\":1,\"_source\":[\"expiration\"],\"query\":{\"bool\":{\"filter\":["
		"{\"range\":{\"expiration\":{\"lt\":%" PRId64 "}}}]," PENDING "}},"
		"\"sort\":[\"expiration\"]}",
		STATE_NEVER_S);
	struct json *hits;
	int64_t wait, soonest_s;
	int failed = state_search(cc, body, mem, &hits, err);

	if (failed < 0)
		return failed;
	*outcome = hits->first ? CLAIM_LATER : CLAIM_ALL_DONE;
	soonest_s = json_i64_or(json_path(hits->first, "_source", "expiration", NULL), 0);
	wait = soonest_s * 1000 - now_ms;
	*wait_ms = MAX(SHORTEST_WAIT_MS, MIN(wait, LONGEST_WAIT_MS));
	return 0;
}

/* 1: it is free. */
static int read_candidate(struct attempt *attempt, struct err *err)
{
	const struct item_document *item = &attempt->item;
	int failed = state_get(attempt->cc, attempt->id, attempt->mem, &attempt->source,
			       &attempt->revision, err);

	if (failed < 0 || !attempt->source)
		return failed;
	if ((failed = document_check_version(attempt->cc, attempt->source, err)) < 0)
		return failed;
	if (!document_read(attempt->id, attempt->source, attempt->mem, &attempt->item))
		return 0;
	attempt->is_dead = document_holder_is_gone(attempt->cc, item);
	return !item->completed &&
	       (attempt->is_dead || item->expiration_s <= attempt->now_ms / 1000);
}

static void note_death(struct attempt *attempt, struct json *own)
{
	struct item_document *item = &attempt->item;

	item->deaths++;
	/* The lease was not too short. */
	item->exponent = MAX(item->exponent - 1, 0);
	document_set_int(own, "deaths", item->deaths, attempt->mem);
	document_set_text(own, "reason",
			  arena_printf(attempt->mem,
				       "the process of " STR_FMT " ended while working on it",
				       STR_ARG(item->holder)),
			  attempt->mem);
}

static void note_expiry(struct attempt *attempt, struct json *own)
{
	struct item_document *item = &attempt->item;

	item->failures++;
	document_set_int(own, "failures", item->failures, attempt->mem);
	document_set_text(own, "reason",
			  arena_printf(attempt->mem,
				       "the lease of " STR_FMT " ran out without progress",
				       STR_ARG(item->holder)),
			  attempt->mem);
}

/* Someone had a lease until now. *park: lost once too often. */
static void note_lost_lease(struct attempt *attempt, bool *park)
{
	const struct item_document *item = &attempt->item;
	struct json *own = document_own(attempt->source, attempt->mem);
	int32_t most = attempt->cc->options.max_failures;

	*park = false;
	/* How far the Java tool's workers came is not known. */
	if (!item->holder.ptr || !str_eq(item->holder, item->worker) || item->progressed)
		return;
	if (attempt->is_dead)
		note_death(attempt, own);
	else
		note_expiry(attempt, own);
	*park = item->failures >= most || item->deaths / COORDINATOR_DEATHS_PER_FAILURE >= most;
}

static void lease(struct attempt *attempt)
{
	struct cluster_coordinator *cc = attempt->cc;
	struct json *source = attempt->source, *own = document_own(source, attempt->mem);
	int64_t exponent = attempt->item.exponent;

	coordinator_draw_token(attempt->token);
	attempt->lease_ms = coordinator_lease_ms(&cc->options, exponent);
	document_set_int(source, "expiration", seconds_up(attempt->now_ms + attempt->lease_ms),
			 attempt->mem);
	document_set_text(source, "leaseHolderId", str_from(cc->worker), attempt->mem);
	document_set_int(source, "nextAcquisitionLeaseExponent", MIN(exponent + 1, 62),
			 attempt->mem);
	document_set_text(own, "worker", str_from(cc->worker), attempt->mem);
	document_set_text(own, "lease", str_from(attempt->token), attempt->mem);
	document_set_int(own, "leaseMs", attempt->lease_ms, attempt->mem);
	document_set_bool(own, "progressed", false, attempt->mem);
	document_set_process(source, &cc->process, attempt->mem);
}

/* A Java worker ended before it had created all that follows this item: "id,id". */
static int create_successors(struct attempt *attempt, struct err *err)
{
	cleanup(buf_release) struct buf lines = BUF_INIT(LIMIT_STATE_DOCUMENT);
	struct str left = attempt->item.successors, id;
	bool more = left.len > 0;

	while (more) {
		more = str_split(left, ',', &id, &left);
		buf_printf(&lines, "{\"create\":{\"_id\":\"" STR_FMT "\"}}\n", STR_ARG(id));
		buf_printf(&lines,
			   "{\"scriptVersion\":\"%s\",\"creatorId\":\"%s\",\"expiration\":0,"
			   "\"nextAcquisitionLeaseExponent\":0}\n",
			   document_script_version(attempt->cc->compat), attempt->cc->worker);
	}
	if (buf_check(&lines, "a bulk of work items", err) < 0)
		return -ERR_LIMIT;
	return state_bulk_create(attempt->cc, buf_str(&lines), attempt->mem, err);
}

static int complete_handed_over(struct attempt *attempt, struct held_item *held, struct err *err)
{
	int failed = create_successors(attempt, err);
	bool lost;

	if (failed < 0)
		return failed;
	document_set_int(attempt->source, "completedAt", attempt->now_ms / 1000, attempt->mem);
	return held_write(attempt->cc, held, attempt->source, attempt->mem, &lost, err);
}

static int fill(struct attempt *attempt, struct held_item *held, struct work_claim *claim,
		struct err *err)
{
	struct item_document *item = &attempt->item;
	struct json *source;
	int failed = held_read(held, attempt->mem, &source, err);

	if (failed < 0)
		return failed;
	if (!document_read(attempt->id, source, attempt->mem, item))
		BUG("a work item that was one is none");
	/* Java workers count documents in an order of segments of their own. */
	if (attempt->cc->compat == COORDINATOR_JAVA && item->item.first_doc > 0) {
		item->progress.next_doc -= MIN(item->progress.next_doc, item->item.first_doc);
		item->item.first_doc = 0;
	}
	claim->divided = item->divided;
	claim->failures = item->failures;
	claim->lease_ms = attempt->lease_ms;
	claim->lease_until_ms = attempt->began_ms + attempt->lease_ms;
	claim->id = arena_printf(&claim->mem, STR_FMT " %s", STR_ARG(attempt->id), held->token);
	return work_claim_fill(claim, &item->item, &item->progress, err);
}

/* 1: the claim is the caller's to work on. */
static int use_lease(struct attempt *attempt, struct work_claim *claim, struct err *err)
{
	struct cluster_coordinator *cc = attempt->cc;
	struct held_item *held =
		held_add(cc, attempt->id, attempt->token, &attempt->revision, attempt->source);
	bool lost = false;
	int failed = 0;

	if (attempt->item.successors.len) {
		failed = complete_handed_over(attempt, held, err);
		held_remove(cc, held);
		return failed;
	}
	if (attempt->item.dividing)
		failed = cluster_finish_division(cc, held, attempt->mem, &lost, err);
	if (failed == 0 && !lost)
		failed = fill(attempt, held, claim, err);
	if (failed < 0 || lost)
		held_remove(cc, held);
	return failed < 0 ? failed : !lost;
}

static int try_candidate(struct attempt *attempt, struct work_claim *claim, struct err *err)
{
	bool written, park;
	int found = read_candidate(attempt, err);

	if (found <= 0)
		return found;
	note_lost_lease(attempt, &park);
	if (park)
		document_park(attempt->source, attempt->mem);
	else
		lease(attempt);
	found = state_put(attempt->cc, attempt->id, attempt->source, &attempt->revision,
			  attempt->mem, &written, err);
	if (found < 0 || !written || park)
		return found;
	return use_lease(attempt, claim, err);
}

static int try_one(struct cluster_coordinator *cc, struct str id, struct work_claim *claim,
		   struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct attempt attempt = {
		.cc = cc,
		.mem = &mem,
		.now_ms = coordinator_now(&cc->clock),
		.began_ms = clock_monotonic_ms(),
		.id = id,
	};

	return try_candidate(&attempt, claim, err);
}

static int try_all(struct cluster_coordinator *cc, const struct json *hits,
		   struct work_claim *claim, struct err *err)
{
	json_each (hit, hits) {
		int taken = try_one(cc, json_string(json_get(hit, "_id")), claim, err);

		if (taken != 0)
			return taken;
	}
	return 0;
}

/* 1: took over from a process of this host that is no more. */
static int try_dead(struct cluster_coordinator *cc, struct work_claim *claim, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct item_document item;
	struct json *hits;
	int taken = find_leased(cc, &mem, &hits, err);

	if (taken < 0)
		return taken;
	json_each (hit, hits) {
		struct str id = json_string(json_get(hit, "_id"));

		if (!document_read(id, json_get(hit, "_source"), &mem, &item) ||
		    !document_holder_is_gone(cc, &item))
			continue;
		if ((taken = try_one(cc, id, claim, err)) != 0)
			return taken;
	}
	return 0;
}

static int claim_next(struct cluster_coordinator *cc, struct work_claim *claim,
		      enum claim_outcome *outcome, int64_t *wait_ms, struct err *err)
{
	for (int round = 0; round < ROUNDS; round++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
		int64_t now_ms = coordinator_now(&cc->clock);
		struct json *hits;
		int taken;

		*outcome = CLAIM_TAKEN;
		if ((taken = state_refresh(cc, &mem, err)) < 0 ||
		    (taken = try_dead(cc, claim, err)) != 0)
			return MIN(taken, 0);
		if ((taken = find_candidates(cc, now_ms, &mem, &hits, err)) < 0)
			return taken;
		if (!hits->first)
			return look_ahead(cc, now_ms, &mem, outcome, wait_ms, err);
		if ((taken = try_all(cc, hits, claim, err)) != 0)
			return MIN(taken, 0);
	}
	/* Others were faster each time. */
	*outcome = CLAIM_LATER;
	*wait_ms = SHORTEST_WAIT_MS;
	return 0;
}

int cluster_claim(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
		  int64_t *wait_ms, struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	int failed;

	work_claim_release(out);
	work_claim_init(out);
	*wait_ms = 0;
	pthread_mutex_lock(&cc->mutex);
	failed = claim_next(cc, out, outcome, wait_ms, err);
	pthread_mutex_unlock(&cc->mutex);
	return failed;
}
