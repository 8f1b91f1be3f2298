#include "backfill/coordinator_local_internal.h"

#include "base/clock.h"

/* Items come free without notice, too. */
#define LONGEST_WAIT_MS 1000
#define SHORTEST_WAIT_MS 10

/* The ids of items whose holder is no more. */
static int find_dead(struct local_coordinator *local, struct buf *ids, struct err *err)
{
	cleanup(database_finish) struct database_statement query =
		database_prepare(local->db, "SELECT id, " LOCAL_PROCESS_COLUMNS
					    " FROM work_items WHERE state = 1 AND holder <> ?");
	int stepped;

	database_bind_text(&query, str_from(local->holder));
	while ((stepped = database_step(&query, err)) > 0) {
		struct process_identity process = local_read_process(&query, 1);
		int64_t id = database_int(&query, 0);

		if (process_is_gone(&process, &local->process))
			buf_append(ids, &id, sizeof(id));
	}
	return stepped < 0 ? stepped : buf_check(ids, "work items of dead processes", err);
}

static int free_dead(struct local_coordinator *local, int64_t id, struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db, "UPDATE work_items SET holder = NULL, deaths = deaths + NOT progressed,"
			   " reason = 'the process of ' || worker || ' ended while working on it',"
			   " state = CASE WHEN NOT progressed AND deaths + 1 >= ? THEN 3 ELSE 0 END"
			   " WHERE id = ?");

	database_bind_int(&update,
			  (int64_t)local->options.max_failures * COORDINATOR_DEATHS_PER_FAILURE);
	database_bind_int(&update, id);
	return database_run(&update, NULL, err);
}

static int free_all_dead(struct local_coordinator *local, struct err *err)
{
	cleanup(buf_release) struct buf ids = BUF_INIT(MIB(64));
	int failed = find_dead(local, &ids, err);

	for (size_t at = 0; at < ids.len && failed == 0; at += sizeof(int64_t)) {
		int64_t id;

		memcpy(&id, ids.ptr + at, sizeof(id));
		failed = free_dead(local, id, err);
	}
	return failed;
}

/* No lease is longer than it was given for, though the clock may have been set back. */
static int cap_leases(struct local_coordinator *local, int64_t now, struct err *err)
{
	cleanup(database_finish) struct database_statement update =
		database_prepare(local->db, "UPDATE work_items SET lease_until_ms = ?1 + lease_ms"
					    " WHERE state = 1 AND lease_until_ms > ?1 + lease_ms");

	database_bind_int(&update, now);
	return database_run(&update, NULL, err);
}

static int free_expired(struct local_coordinator *local, int64_t now, struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db,
		"UPDATE work_items SET holder = NULL,"
		" exponent = min(exponent + NOT progressed, 62),"
		" failures = failures + NOT progressed,"
		" reason = CASE WHEN progressed THEN reason ELSE 'the lease of ' || worker"
		"   || ' ran out without progress' END,"
		" state = CASE WHEN NOT progressed AND failures + 1 >= ? THEN 3 ELSE 0 END"
		" WHERE state = 1 AND lease_until_ms <= ?");

	database_bind_int(&update, local->options.max_failures);
	database_bind_int(&update, now);
	return database_run(&update, NULL, err);
}

/* What is in the way of one row of work_items being claimed. */
struct candidate {
	int64_t row, lease, exponent;
};

static int read_candidate(const struct database_statement *query, struct candidate *out,
			  struct work_claim *claim, struct err *err)
{
	const int progress = LOCAL_ITEM_COUNT, rest = progress + LOCAL_PROGRESS_COUNT;
	struct work_item item = local_read_item(query, 0);
	struct work_progress done = local_read_progress(query, progress);

	out->row = database_int(query, rest);
	out->lease = database_int(query, rest + 1) + 1;
	out->exponent = database_int(query, rest + 2);
	claim->failures = (int32_t)database_int(query, rest + 3);
	claim->divided = database_int(query, rest + 4) != 0;
	return work_claim_fill(claim, &item, &done, err);
}

/* 1: there is one. */
static int find_candidate(struct local_coordinator *local, int64_t now, struct candidate *out,
			  struct work_claim *claim, struct err *err)
{
	cleanup(database_finish) struct database_statement query = database_prepare(
		local->db, "SELECT " LOCAL_ITEM_COLUMNS ", " LOCAL_PROGRESS_COLUMNS
			   ", id, lease, exponent, failures, divided FROM work_items"
			   " WHERE state = 0 AND (free_at_ms <= ?1 OR free_at_ms > ?1 + ?2)"
			   " ORDER BY bytes DESC, index_name, shard, first_doc LIMIT 1");
	int stepped, failed;

	database_bind_int(&query, now);
	/* Later than any pause: the clock was set back. */
	database_bind_int(&query, local->options.lease_ms);
	if ((stepped = database_step(&query, err)) <= 0)
		return stepped;
	failed = read_candidate(&query, out, claim, err);
	return failed < 0 ? failed : 1;
}

static int lease(struct local_coordinator *local, const struct candidate *candidate,
		 int64_t lease_ms, int64_t now, struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db,
		"UPDATE work_items SET state = 1, progressed = 0, lease = ?, lease_ms = ?,"
		" lease_until_ms = ?, worker = ?, holder = ?, boot_id = ?,"
		" pid_namespace = ?, pid = ?, start_ticks = ? WHERE id = ?");

	database_bind_int(&update, candidate->lease);
	database_bind_int(&update, lease_ms);
	database_bind_int(&update, now + lease_ms);
	database_bind_text(&update, str_from(local->worker));
	database_bind_text(&update, str_from(local->holder));
	database_bind_text(&update, str_from(local->process.boot_id));
	database_bind_int(&update, (int64_t)local->process.pid_namespace);
	database_bind_int(&update, local->process.pid);
	database_bind_int(&update, (int64_t)local->process.start_ticks);
	database_bind_int(&update, candidate->row);
	return database_run(&update, NULL, err);
}

/* Nothing is free: whether anything is left, and how long until it may be. */
static int look_ahead(struct local_coordinator *local, int64_t now, enum claim_outcome *outcome,
		      int64_t *wait_ms, struct err *err)
{
	cleanup(database_finish) struct database_statement query = database_prepare(
		local->db, "SELECT count(*),"
			   " min(CASE state WHEN 1 THEN lease_until_ms ELSE free_at_ms END)"
			   " FROM work_items WHERE state IN (0, 1)");
	int stepped = database_step(&query, err);
	int64_t wait;

	if (stepped < 0)
		return stepped;
	wait = database_int(&query, 1) - now;
	*outcome = database_int(&query, 0) ? CLAIM_LATER : CLAIM_ALL_DONE;
	*wait_ms = MAX(SHORTEST_WAIT_MS, MIN(wait, LONGEST_WAIT_MS));
	return 0;
}

static int take_next(struct local_coordinator *local, struct work_claim *claim,
		     enum claim_outcome *outcome, int64_t *wait_ms, struct err *err)
{
	int64_t now = coordinator_now(&local->clock), began_ms = clock_monotonic_ms();
	struct candidate candidate;
	int found;

	if ((found = free_all_dead(local, err)) < 0 || (found = cap_leases(local, now, err)) < 0 ||
	    (found = free_expired(local, now, err)) < 0 ||
	    (found = find_candidate(local, now, &candidate, claim, err)) < 0)
		return found;
	if (!found)
		return look_ahead(local, now, outcome, wait_ms, err);
	*outcome = CLAIM_TAKEN;
	claim->lease_ms = coordinator_lease_ms(&local->options, candidate.exponent);
	claim->lease_until_ms = began_ms + claim->lease_ms;
	claim->id = arena_printf(&claim->mem, "%lld:%lld", (long long)candidate.row,
				 (long long)candidate.lease);
	if (!claim->id.ptr)
		return arena_fail(&claim->mem, "a work item", err);
	return lease(local, &candidate, claim->lease_ms, now, err);
}

int local_claim(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
		int64_t *wait_ms, struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed = database_begin(local->db, err);

	if (failed < 0)
		return failed;
	work_claim_release(out);
	work_claim_init(out);
	*wait_ms = 0;
	return database_end(local->db, take_next(local, out, outcome, wait_ms, err), err);
}
