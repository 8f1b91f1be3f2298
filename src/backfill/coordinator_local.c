#include "backfill/coordinator_local_internal.h"

#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Changes of other processes take milliseconds; whoever holds the file this long does not let go.
 */
#define BUSY_MS 30000

static int check_fingerprint(struct local_coordinator *local, struct str fingerprint,
			     bool *is_there, struct err *err)
{
	cleanup(database_finish) struct database_statement query =
		database_prepare(local->db, "SELECT fingerprint FROM session");
	int stepped = database_step(&query, err);
	struct str made_for;

	*is_there = stepped > 0;
	if (stepped <= 0)
		return stepped;
	made_for = database_text(&query, 0);
	if (str_eq(made_for, fingerprint))
		return 0;
	return coordinator_other_session(local->session, local->db->path, made_for, fingerprint,
					 err);
}

static int insert_session(struct local_coordinator *local, struct str fingerprint, struct err *err)
{
	cleanup(database_finish) struct database_statement insert =
		database_prepare(local->db, "INSERT INTO session (fingerprint) VALUES (?)");

	database_bind_text(&insert, fingerprint);
	return database_run(&insert, NULL, err);
}

static int insert_items(struct local_coordinator *local, const struct work_item *items,
			size_t count, struct err *err)
{
	int failed = 0;

	for (size_t i = 0; i < count && failed == 0; i++) {
		cleanup(database_finish) struct database_statement insert = database_prepare(
			local->db, "INSERT INTO work_items (" LOCAL_ITEM_COLUMNS ", next_doc)"
				   " VALUES (?, ?, ?, ?, ?, ?)");

		local_bind_item(&insert, &items[i]);
		database_bind_int(&insert, items[i].first_doc);
		failed = database_run(&insert, NULL, err);
	}
	return failed;
}

static int local_create(struct coordinator *c, struct str fingerprint,
			const struct work_item *items, size_t count, bool *created, struct err *err)
{
	struct local_coordinator *local = local_of(c);
	int failed = database_begin(local->db, err);
	bool is_there = false;

	if (failed < 0)
		return failed;
	failed = check_fingerprint(local, fingerprint, &is_there, err);
	if (failed == 0 && !is_there)
		failed = insert_session(local, fingerprint, err);
	if (failed == 0 && !is_there)
		failed = insert_items(local, items, count, err);
	*created = failed == 0 && !is_there;
	return database_end(local->db, failed, err);
}

static void local_free(struct local_coordinator *local)
{
	database_close(local->db);
	free(local);
}

static int give_all_back(struct local_coordinator *local)
{
	cleanup(database_finish) struct database_statement update =
		database_prepare(local->db, "UPDATE work_items SET state = 0, holder = NULL"
					    " WHERE state = 1 AND holder = ?");

	database_bind_text(&update, str_from(local->holder));
	return database_run(&update, NULL, NULL);
}

static void local_close(struct coordinator *c)
{
	struct local_coordinator *local = local_of(c);

	/* What cannot be given back is free when this process has ended. */
	if (database_begin(local->db, NULL) == 0)
		database_end(local->db, give_all_back(local), NULL);
	local_free(local);
}

static const struct coordinator_ops local_ops = {
	.create = local_create,
	.claim = local_claim,
	.checkpoint = local_checkpoint,
	.divide = local_divide,
	.complete = local_complete,
	.release = local_release,
	.fail = local_fail,
	.list = local_list,
	.unpark = local_unpark,
	.close = local_close,
};

/* A new name in a directory lasts once the directory is synced. */
static int sync_directory(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed = 0;

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot open the directory '%s'", path);
	if (fsync(fd) < 0 && errno != EINVAL)
		failed = err_set_errno(err, ERR_IO, errno, "cannot sync the directory '%s'", path);
	close(fd);
	return failed;
}

static int make_folder(const char *state_dir, const char *folder, struct err *err)
{
	if (directory_make(folder, err) < 0 || sync_directory(state_dir, err) < 0)
		return err_wrap(err, "work items");
	return 0;
}

static char *path_of(const char *state_dir, const char *session, struct err *err)
{
	char *path = NULL;

	if (!*session) {
		err_set(err, ERR_USAGE, "a session without a name: give --session-name");
		return NULL;
	}
	if (asprintf(&path, "%s/work/%s.db", state_dir, session) < 0) {
		err_set(err, ERR_NOMEM, "no memory for the path of the work items");
		return NULL;
	}
	return path;
}

int coordinator_local_open_with(const char *state_dir, const struct coordinator_options *options,
				const struct coordinator_clock *clock, int64_t busy_ms,
				struct coordinator **out, struct err *err)
{
	cleanup(mem_freep) char *folder = NULL;
	cleanup(mem_freep) char *path = NULL;
	struct local_coordinator *local;
	int failed = coordinator_check_options(options, err);

	if (failed < 0)
		return failed;
	if (!(path = path_of(state_dir, options->session, err)))
		return err ? -(int)err->kind : -ERR_USAGE;
	local = mem_zalloc(sizeof(*local));
	local->base.ops = &local_ops;
	local->options = *options;
	local->clock = *clock;
	snprintf(local->session, sizeof(local->session), "%s", options->session);
	coordinator_worker_name(options, local->worker);
	coordinator_draw_token(local->holder);
	process_identity_self(&local->process);
	folder = mem_strdup(path);
	*strrchr(folder, '/') = '\0';
	if ((failed = make_folder(state_dir, folder, err)) < 0 ||
	    (failed = database_open(path, &local_database_kind, busy_ms, &local->db, err)) < 0) {
		local_free(local);
		return failed;
	}
	*out = &local->base;
	return 0;
}

int coordinator_local_open(const char *state_dir, const struct coordinator_options *options,
			   struct coordinator **out, struct err *err)
{
	return coordinator_local_open_with(state_dir, options, &(struct coordinator_clock){0},
					   BUSY_MS, out, err);
}
