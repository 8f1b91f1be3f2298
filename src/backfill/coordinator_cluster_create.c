#include "backfill/coordinator_cluster_internal.h"

/* Work items in one bulk. */
#define ITEMS_PER_BULK 500
#define SETUP_TRIES 100

static int check_setup(struct cluster_coordinator *cc, const struct json *source,
		       struct str fingerprint, struct arena *mem, struct err *err)
{
	struct str made_for = json_string(json_path(source, "shardlift", "fingerprint", NULL));
	struct str where;
	int failed = document_check_version(cc, source, err);

	/* A worker of the Java tool leaves none. */
	if (failed < 0 || !made_for.ptr || str_eq(made_for, fingerprint))
		return failed;
	where = arena_printf(mem, "the index '%s' of %s", cc->index,
			     cluster_version_text(cc->cluster));
	return coordinator_other_session(cc->session, where.ptr ? where.ptr : cc->index, made_for,
					 fingerprint, err);
}

/* The document that says whether all items are there. *is_there: it was before. */
static int begin_setup(struct cluster_coordinator *cc, struct str fingerprint, struct arena *mem,
		       bool *is_there, struct err *err)
{
	struct json *source = json_new(mem, JSON_OBJECT);
	bool written = false;
	int failed;

	document_set_text(source, "scriptVersion", str_from(document_script_version(cc->compat)),
			  mem);
	document_set_text(source, "creatorId", str_from(cc->worker), mem);
	document_set_int(source, "nextAcquisitionLeaseExponent", 0, mem);
	/* Java workers lease it to make the items; ours make them without. */
	if (cc->compat == COORDINATOR_JAVA)
		document_set_int(source, "expiration", 0, mem);
	document_set_text(document_own(source, mem), "fingerprint", fingerprint, mem);
	failed = state_put(cc, STR(STATE_SETUP_ID), source, NULL, mem, &written, err);
	*is_there = !written;
	return failed;
}

static int create_items(struct cluster_coordinator *cc, const struct work_item *items, size_t count,
			struct err *err)
{
	for (size_t at = 0; at < count; at += ITEMS_PER_BULK) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
		cleanup(buf_release) struct buf lines = BUF_INIT(LIMIT_STATE_DOCUMENT);
		size_t end = MIN(count, at + ITEMS_PER_BULK);
		int failed;

		for (size_t i = at; i < end; i++)
			document_append_create(cc, &lines, &items[i], false, &mem);
		if ((failed = buf_check(&lines, "a bulk of work items", err)) < 0 ||
		    (failed = state_bulk_create(cc, buf_str(&lines), &mem, err)) < 0)
			return failed;
	}
	return 0;
}

static bool is_completed(const struct json *source)
{
	const struct json *completed = json_get(source, "completedAt");

	return completed && completed->type != JSON_NULL;
}

static int end_setup(struct cluster_coordinator *cc, struct str fingerprint, struct arena *mem,
		     struct err *err)
{
	for (int try = 0; try < SETUP_TRIES; try++) {
		struct state_revision revision;
		struct json *source;
		bool written;
		int failed = state_get(cc, STR(STATE_SETUP_ID), mem, &source, &revision, err);

		if (failed < 0)
			return failed;
		if (!source)
			return err_set(err, ERR_NOT_FOUND,
				       "the session in the index '%s' of %s was deleted while it "
				       "was begun: start again",
				       cc->index, cluster_version_text(cc->cluster));
		if (is_completed(source))
			return 0;
		document_set_int(source, "completedAt", coordinator_now(&cc->clock) / 1000, mem);
		document_set_text(document_own(source, mem), "fingerprint", fingerprint, mem);
		failed = state_put(cc, STR(STATE_SETUP_ID), source, &revision, mem, &written, err);
		if (failed < 0 || written)
			return failed;
	}
	return err_set(err, ERR_CONFLICT,
		       "the session in the index '%s' of %s is changed by others all the time: "
		       "start again",
		       cc->index, cluster_version_text(cc->cluster));
}

static int create_all(struct cluster_coordinator *cc, struct str fingerprint,
		      const struct work_item *items, size_t count, bool *created, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct state_revision revision;
	struct json *source = NULL;
	bool is_there;
	int failed;

	*created = false;
	if ((failed = state_make_index(cc, &mem, err)) < 0 ||
	    (failed = begin_setup(cc, fingerprint, &mem, &is_there, err)) < 0 ||
	    (failed = state_get(cc, STR(STATE_SETUP_ID), &mem, &source, &revision, err)) < 0 ||
	    (source && (failed = check_setup(cc, source, fingerprint, &mem, err)) < 0))
		return failed;
	if (source && is_completed(source))
		return 0;
	if ((failed = create_items(cc, items, count, err)) < 0 ||
	    (failed = end_setup(cc, fingerprint, &mem, err)) < 0)
		return failed;
	*created = true;
	return 0;
}

int cluster_create(struct coordinator *c, struct str fingerprint, const struct work_item *items,
		   size_t count, bool *created, struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	int failed;

	pthread_mutex_lock(&cc->mutex);
	failed = create_all(cc, fingerprint, items, count, created, err);
	pthread_mutex_unlock(&cc->mutex);
	return failed;
}
