/* Who tunes the target's settings for the session, and what they were: one document beside the
 * items, completed from its first day, so that no worker takes it for work. Who has it is
 * `leaseHolderId`; what is saved, a text of JSON, lies in the object that is ours. */
#include "backfill/coordinator_cluster_internal.h"

#define TUNING_ID "shardlift_tuning"
#define TRIES 100

static struct str saved_in(const struct json *source)
{
	return json_string(json_path(source, "shardlift", "tuning", NULL));
}

static bool is_free(const struct cluster_coordinator *cc, const struct json *source,
		    struct arena *mem)
{
	struct item_document found;

	/* The id is no item's; who holds it is read all the same. */
	document_read(STR(TUNING_ID), source, mem, &found);
	return !found.holder.ptr || document_holder_is_gone(cc, &found);
}

static struct json *new_document(const struct cluster_coordinator *cc, struct arena *mem)
{
	struct json *source = json_new(mem, JSON_OBJECT);

	document_set_text(source, "scriptVersion", str_from(document_script_version(cc->compat)),
			  mem);
	document_set_text(source, "creatorId", str_from(cc->worker), mem);
	document_set_int(source, "nextAcquisitionLeaseExponent", 0, mem);
	document_set_int(source, "completedAt", coordinator_now(&cc->clock) / 1000, mem);
	return source;
}

static void hold(const struct cluster_coordinator *cc, struct json *source, struct arena *mem)
{
	document_set_text(source, "leaseHolderId", str_from(cc->worker), mem);
	document_set_text(document_own(source, mem), "worker", str_from(cc->worker), mem);
	document_set_process(source, &cc->process, mem);
}

/* What to do with the document (a new one where there is none). false: leave it. */
typedef bool change_fn(void *user, struct cluster_coordinator *cc, struct json *source,
		       struct arena *mem);

/* Reads, changes and writes until nobody came between. */
static int change(struct cluster_coordinator *cc, change_fn *how, void *user, struct err *err)
{
	for (int try = 0; try < TRIES; try++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
		struct state_revision revision;
		struct json *source;
		bool written = false, is_new;
		int failed = state_get(cc, STR(TUNING_ID), &mem, &source, &revision, err);

		if (failed < 0)
			return failed;
		is_new = !source;
		if (is_new)
			source = new_document(cc, &mem);
		if (!how(user, cc, source, &mem))
			return 0;
		failed = state_put(cc, STR(TUNING_ID), source, is_new ? NULL : &revision, &mem,
				   &written, err);
		if (failed < 0 || written)
			return failed;
	}
	return err_set(err, ERR_CONFLICT,
		       "who tunes the target, in the index '%s' of %s, is changed by others all "
		       "the time: start again",
		       cc->index, cluster_version_text(cc->cluster));
}

struct taking {
	bool ours;
	struct str saved;
	struct arena *mem;
};

static bool take_free(void *user, struct cluster_coordinator *cc, struct json *source,
		      struct arena *mem)
{
	struct taking *taking = user;
	struct str saved = saved_in(source);

	taking->ours = is_free(cc, source, mem);
	taking->saved = saved.ptr ? arena_str(taking->mem, saved) : STR_NONE;
	if (taking->ours)
		hold(cc, source, mem);
	return taking->ours;
}

int cluster_tuning_take(struct coordinator *c, struct arena *mem, bool *ours, struct str *saved,
			struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	cleanup(arena_release) struct arena answers = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct taking taking = {.mem = mem};
	int failed;

	pthread_mutex_lock(&cc->mutex);
	failed = state_make_index(cc, &answers, err);
	if (failed == 0)
		failed = change(cc, take_free, &taking, err);
	pthread_mutex_unlock(&cc->mutex);
	*ours = failed == 0 && taking.ours;
	*saved = taking.saved;
	if (failed == 0 && mem->failed)
		return arena_fail(mem, "saved settings", err);
	return failed;
}

static bool keep(void *user, struct cluster_coordinator *cc, struct json *source, struct arena *mem)
{
	const struct str *saved = user;

	(void)cc;
	document_set_text(document_own(source, mem), "tuning", *saved, mem);
	if (!saved->ptr)
		document_set_text(source, "leaseHolderId", STR_NONE, mem);
	return true;
}

int cluster_tuning_keep(struct coordinator *c, struct str saved, struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	int failed;

	pthread_mutex_lock(&cc->mutex);
	failed = change(cc, keep, &saved, err);
	pthread_mutex_unlock(&cc->mutex);
	return failed;
}

int cluster_tuning_look(struct coordinator *c, struct arena *mem, struct str *saved,
			struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	cleanup(arena_release) struct arena answers = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct state_revision revision;
	struct json *source = NULL;
	int failed;

	pthread_mutex_lock(&cc->mutex);
	failed = state_get(cc, STR(TUNING_ID), &answers, &source, &revision, err);
	pthread_mutex_unlock(&cc->mutex);
	*saved = STR_NONE;
	if (failed < 0 || !source || !saved_in(source).ptr)
		return failed;
	*saved = arena_str(mem, saved_in(source));
	return saved->ptr ? 0 : arena_fail(mem, "saved settings", err);
}
