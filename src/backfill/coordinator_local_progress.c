#include "backfill/coordinator_local_internal.h"

#include "base/clock.h"

/* What a claim's id says. */
struct leased_row {
	int64_t row, lease;
};

static struct leased_row row_of(const struct work_claim *claim)
{
	struct str row, lease;
	uint64_t row_number = 0, lease_number = 0;

	if (!str_split(claim->id, ':', &row, &lease) || !str_to_u64(row, &row_number) ||
	    !str_to_u64(lease, &lease_number))
		BUG("a claim that is none of this coordinator");
	return (struct leased_row){(int64_t)row_number, (int64_t)lease_number};
}

#define WHERE_OURS " WHERE id = ? AND lease = ? AND holder = ? AND state = 1"

static void bind_ours(const struct local_coordinator *local, struct database_statement *update,
		      const struct work_claim *claim)
{
	struct leased_row row = row_of(claim);

	database_bind_int(update, row.row);
	database_bind_int(update, row.lease);
	database_bind_text(update, str_from(local->holder));
}

/* Runs the update of the claim's row. */
static int run_ours(const struct local_coordinator *local, struct database_statement *update,
		    const struct work_claim *claim, struct err *err)
{
	size_t changed = 0;
	int failed;

	bind_ours(local, update, claim);
	failed = database_run(update, &changed, err);
	if (failed < 0)
		return failed;
	return changed ? 0 : coordinator_lease_lost(claim, err);
}

static void bind_progress(struct database_statement *update, const struct work_progress *progress)
{
	database_bind_int(update, progress->next_doc);
	database_bind_int(update, (int64_t)progress->documents);
	database_bind_int(update, (int64_t)progress->sent);
	database_bind_int(update, (int64_t)progress->failed);
	database_bind_int(update, (int64_t)progress->superseded);
	database_bind_int(update, (int64_t)progress->source_bytes);
	database_bind_text(update, progress->state);
}

#define SET_PROGRESS                                                               \
	"UPDATE work_items SET next_doc = ?, documents = ?, sent = ?, failed = ?," \
	" superseded = ?, source_bytes = ?, pipeline_state = ?"

/* The lease of an item that goes ahead is as long as the first one. */
static int64_t next_lease_ms(const struct local_coordinator *local, const struct work_claim *claim,
			     bool progressed)
{
	return progressed ? coordinator_lease_ms(&local->options, 0) : claim->lease_ms;
}

static int write_checkpoint(struct local_coordinator *local, const struct work_claim *claim,
			    const struct work_progress *progress, int64_t lease_ms, bool progressed,
			    struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db,
		progressed ? SET_PROGRESS ", lease_ms = ?, lease_until_ms = ?, progressed = 1,"
					  " exponent = 0, failures = 0, deaths = 0" WHERE_OURS
			   : SET_PROGRESS ", lease_ms = ?, lease_until_ms = ?" WHERE_OURS);

	bind_progress(&update, progress);
	database_bind_int(&update, lease_ms);
	database_bind_int(&update, coordinator_now(&local->clock) + lease_ms);
	return run_ours(local, &update, claim, err);
}

int local_checkpoint(struct coordinator *c, struct work_claim *claim,
		     const struct work_progress *progress, struct err *err)
{
	struct local_coordinator *local = local_of(c);
	bool progressed = progress->next_doc > claim->progress.next_doc;
	int64_t began_ms = clock_monotonic_ms();
	int64_t lease_ms = next_lease_ms(local, claim, progressed);
	int failed;

	if ((failed = coordinator_check_progress(progress, err)) < 0 ||
	    (failed = database_begin(local->db, err)) < 0)
		return failed;
	failed = write_checkpoint(local, claim, progress, lease_ms, progressed, err);
	failed = database_end(local->db, failed, err);
	if (failed == 0)
		work_claim_checkpointed(claim, progress, lease_ms, began_ms, progressed);
	return failed;
}

static int write_completion(struct local_coordinator *local, const struct work_claim *claim,
			    const struct work_progress *progress, struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db, SET_PROGRESS ", state = 2, failures = 0, deaths = 0, exponent = 0,"
					" reason = NULL" WHERE_OURS);

	bind_progress(&update, progress);
	return run_ours(local, &update, claim, err);
}

int local_complete(struct coordinator *c, struct work_claim *claim,
		   const struct work_progress *progress, struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed;

	if ((failed = coordinator_check_progress(progress, err)) < 0 ||
	    (failed = database_begin(local->db, err)) < 0)
		return failed;
	return database_end(local->db, write_completion(local, claim, progress, err), err);
}

static int narrow(struct local_coordinator *local, const struct work_claim *claim,
		  const struct work_item *range, struct err *err)
{
	cleanup(database_finish) struct database_statement update =
		database_prepare(local->db, "UPDATE work_items SET end_doc = ?, bytes = ?,"
					    " divided = 1" WHERE_OURS);

	database_bind_int(&update, range->end_doc);
	database_bind_int(&update, (int64_t)MIN(range->bytes, (uint64_t)INT64_MAX));
	return run_ours(local, &update, claim, err);
}

static int insert_range(struct local_coordinator *local, const struct work_item *range,
			struct err *err)
{
	cleanup(database_finish) struct database_statement insert =
		database_prepare(local->db, "INSERT INTO work_items (" LOCAL_ITEM_COLUMNS
					    ", next_doc, divided) VALUES (?, ?, ?, ?, ?, ?, 1)");

	local_bind_item(&insert, range);
	database_bind_int(&insert, range->first_doc);
	return database_run(&insert, NULL, err);
}

int local_divide(struct coordinator *c, struct work_claim *claim, const struct work_item *ranges,
		 size_t count, struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed;

	coordinator_check_division(claim, ranges, count);
	if ((failed = database_begin(local->db, err)) < 0)
		return failed;
	failed = narrow(local, claim, &ranges[0], err);
	for (size_t i = 1; i < count && failed == 0; i++)
		failed = insert_range(local, &ranges[i], err);
	failed = database_end(local->db, failed, err);
	if (failed == 0)
		work_claim_narrow(claim, &ranges[0]);
	return failed;
}

static int write_release(struct local_coordinator *local, const struct work_claim *claim,
			 struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db, "UPDATE work_items SET state = 0, holder = NULL" WHERE_OURS);

	return run_ours(local, &update, claim, err);
}

int local_release(struct coordinator *c, struct work_claim *claim, struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed = database_begin(local->db, err);

	if (failed < 0)
		return failed;
	return database_end(local->db, write_release(local, claim, err), err);
}

/* 1: the row, with its failures before this one. */
static int read_failures(struct local_coordinator *local, const struct work_claim *claim,
			 int64_t *failures, bool *progressed, struct err *err)
{
	cleanup(database_finish) struct database_statement query = database_prepare(
		local->db, "SELECT failures, progressed FROM work_items" WHERE_OURS);
	int stepped;

	bind_ours(local, &query, claim);
	stepped = database_step(&query, err);
	if (stepped == 0)
		return coordinator_lease_lost(claim, err);
	if (stepped < 0)
		return stepped;
	*failures = database_int(&query, 0);
	*progressed = database_int(&query, 1) != 0;
	return 0;
}

static int write_failure(struct local_coordinator *local, const struct work_claim *claim,
			 const char *reason, bool final, struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db, "UPDATE work_items SET state = ?, holder = NULL, failures = ?,"
			   " free_at_ms = ?, reason = ?" WHERE_OURS);
	int64_t failures = 0, now = coordinator_now(&local->clock);
	bool progressed = false;
	int failed = read_failures(local, claim, &failures, &progressed, err);

	if (failed < 0)
		return failed;
	failures += !progressed;
	final = final || failures >= local->options.max_failures;
	database_bind_int(&update, final ? WORK_PARKED : WORK_WAITING);
	database_bind_int(&update, failures);
	database_bind_int(&update, now + coordinator_pause_ms(&local->options, MAX(failures, 1)));
	database_bind_text(&update, str_from(reason));
	return run_ours(local, &update, claim, err);
}

int local_fail(struct coordinator *c, struct work_claim *claim, const char *reason, bool final,
	       struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed = database_begin(local->db, err);

	if (failed < 0)
		return failed;
	return database_end(local->db, write_failure(local, claim, reason, final, err), err);
}
