#include "backfill/coordinator_local_internal.h"

#define STATUS_COLUMNS                                                                      \
	LOCAL_ITEM_COLUMNS ", " LOCAL_PROGRESS_COLUMNS ", state, worker, reason, failures," \
			   " lease_until_ms, lease_ms, " LOCAL_PROCESS_COLUMNS

static struct str kept(struct arena *mem, struct str text)
{
	return text.ptr ? arena_str(mem, text) : text;
}

/* How long the row is still leased; -1 if its process is no more. */
static int64_t read_lease_left(const struct local_coordinator *local,
			       const struct database_statement *query, int column, int64_t now)
{
	struct process_identity process = local_read_process(query, column + 2);
	int64_t left = database_int(query, column) - now;

	if (process_is_gone(&process, &local->process))
		return -1;
	return MAX(0, MIN(left, database_int(query, column + 1)));
}

static struct work_status read_status(const struct local_coordinator *local,
				      const struct database_statement *query, int64_t now,
				      struct arena *mem)
{
	const int progress = LOCAL_ITEM_COUNT, rest = progress + LOCAL_PROGRESS_COUNT;
	struct work_status status = {
		.item = local_read_item(query, 0),
		.progress = local_read_progress(query, progress),
		.state = (enum work_state)database_int(query, rest),
		.worker = kept(mem, database_text(query, rest + 1)),
		.reason = kept(mem, database_text(query, rest + 2)),
		.failures = (int32_t)database_int(query, rest + 3),
	};

	status.item.index = arena_str(mem, status.item.index);
	status.progress.state = kept(mem, status.progress.state);
	if (status.state == WORK_LEASED)
		status.lease_left_ms = read_lease_left(local, query, rest + 4, now);
	if (status.lease_left_ms < 0) {
		status.state = WORK_WAITING;
		status.lease_left_ms = 0;
	}
	return status;
}

static int count_items(struct local_coordinator *local, size_t *count, struct err *err)
{
	cleanup(database_finish) struct database_statement query =
		database_prepare(local->db, "SELECT count(*) FROM work_items");
	int stepped = database_step(&query, err);

	if (stepped < 0)
		return stepped;
	*count = (size_t)database_int(&query, 0);
	return 0;
}

static int read_all(struct local_coordinator *local, struct arena *mem, struct work_status *out,
		    struct err *err)
{
	cleanup(database_finish) struct database_statement query =
		database_prepare(local->db, "SELECT " STATUS_COLUMNS " FROM work_items"
					    " ORDER BY index_name, shard, first_doc");
	int64_t now = coordinator_now(&local->clock);
	int stepped;

	while ((stepped = database_step(&query, err)) > 0 && !mem->failed)
		*out++ = read_status(local, &query, now, mem);
	return stepped < 0 ? stepped : 0;
}

static int list_in_transaction(struct local_coordinator *local, struct arena *mem,
			       struct work_status **out, size_t *count, struct err *err)
{
	int failed = count_items(local, count, err);

	if (failed < 0)
		return failed;
	*out = arena_zalloc(mem, *count, sizeof(**out));
	if (*out)
		failed = read_all(local, mem, *out, err);
	if (failed == 0 && mem->failed)
		failed = arena_fail(mem, "the list of work items", err);
	return failed;
}

int local_list(struct coordinator *c, struct arena *mem, struct work_status **out, size_t *count,
	       struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed = database_begin_read(local->db, err);

	if (failed < 0)
		return failed;
	return database_end(local->db, list_in_transaction(local, mem, out, count, err), err);
}

static int unpark_all(struct local_coordinator *local, size_t *count, struct err *err)
{
	cleanup(database_finish) struct database_statement update = database_prepare(
		local->db, "UPDATE work_items SET state = 0, failures = 0, deaths = 0,"
			   " exponent = 0, free_at_ms = 0 WHERE state = 3");

	return database_run(&update, count, err);
}

int local_unpark(struct coordinator *c, size_t *count, struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed = database_begin(local->db, err);

	if (failed < 0)
		return failed;
	return database_end(local->db, unpark_all(local, count, err), err);
}
