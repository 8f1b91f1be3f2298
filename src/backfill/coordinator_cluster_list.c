#include "backfill/coordinator_cluster_internal.h"

#include <stdlib.h>

#define UNPARK_PAGE 100
#define UNPARK_ROUNDS 10000
#define LIST_TRIES 10

struct listing {
	struct cluster_coordinator *cc;
	struct arena *mem;
	struct buf found; /* struct work_status */
	int64_t now_ms;
};

static enum work_state state_of(const struct cluster_coordinator *cc,
				const struct item_document *item)
{
	if (item->completed)
		return WORK_COMPLETED;
	if (item->parked)
		return WORK_PARKED;
	return item->holder.ptr && !document_holder_is_gone(cc, item) ? WORK_LEASED : WORK_WAITING;
}

static int note_item(void *user, struct str id, struct json *source, struct err *err)
{
	struct listing *listing = user;
	struct item_document item;
	struct work_status status;
	int64_t left;
	int failed;

	if (str_is(id, STATE_SETUP_ID))
		return 0;
	if ((failed = document_check_version(listing->cc, source, err)) < 0)
		return failed;
	if (!document_read(id, source, listing->mem, &item))
		return 0;
	status = (struct work_status){
		.item = item.item,
		.state = state_of(listing->cc, &item),
		.progress = item.progress,
		.worker = item.holder.ptr ? item.holder : item.worker,
		.reason = item.reason,
		.failures = item.failures,
	};
	left = item.expiration_s * 1000 - listing->now_ms;
	if (status.state == WORK_LEASED)
		status.lease_left_ms = MAX(0, item.lease_ms ? MIN(left, item.lease_ms) : left);
	buf_append(&listing->found, &status, sizeof(status));
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct work_item *left = &((const struct work_status *)a)->item;
	const struct work_item *right = &((const struct work_status *)b)->item;
	int order = str_cmp(left->index, right->index);

	if (order == 0)
		order = (left->shard > right->shard) - (left->shard < right->shard);
	if (order == 0)
		order = (left->first_doc > right->first_doc) - (left->first_doc < right->first_doc);
	return order;
}

/* A page that is lost cannot be asked for again: then all are read anew. */
static int scan_items(struct listing *listing, struct err *err)
{
	bool torn = true;
	int failed = 0;

	for (int try = 0; try < LIST_TRIES && torn; try++) {
		buf_reset(&listing->found);
		failed = state_scan(listing->cc, listing->mem, note_item, listing, &torn, err);
	}
	return failed < 0 && torn ? err_wrap(err, "gave up after %d tries", LIST_TRIES) : failed;
}

static int list_all(struct listing *listing, struct work_status **out, size_t *count,
		    struct err *err)
{
	size_t bytes;
	int failed;

	if ((failed = state_refresh(listing->cc, listing->mem, err)) < 0 ||
	    (failed = scan_items(listing, err)) < 0 ||
	    (failed = buf_check(&listing->found, "the list of work items", err)) < 0)
		return failed;
	bytes = listing->found.len;
	*count = bytes / sizeof(**out);
	*out = arena_alloc(listing->mem, bytes);
	if (!*out || listing->mem->failed)
		return arena_fail(listing->mem, "the list of work items", err);
	if (bytes)
		memcpy(*out, listing->found.ptr, bytes);
	qsort(*out, *count, sizeof(**out), by_place);
	return 0;
}

int cluster_list(struct coordinator *c, struct arena *mem, struct work_status **out, size_t *count,
		 struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	struct listing listing = {.cc = cc,
				  .mem = mem,
				  .found = BUF_INIT(LIMIT_STATE_ANSWERS),
				  .now_ms = coordinator_now(&cc->clock)};
	int failed;

	pthread_mutex_lock(&cc->mutex);
	failed = list_all(&listing, out, count, err);
	pthread_mutex_unlock(&cc->mutex);
	buf_release(&listing.found);
	return failed;
}

static int unpark_one(struct cluster_coordinator *cc, struct str id, size_t *count, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct state_revision revision;
	struct json *source, *own;
	bool written;
	int failed = state_get(cc, id, &mem, &source, &revision, err);

	if (failed < 0 || !json_bool_or(json_get(source, "parked"), false))
		return failed;
	json_remove(source, STR("parked"));
	document_set_int(source, "expiration", 0, &mem);
	document_set_int(source, "nextAcquisitionLeaseExponent", 0, &mem);
	own = document_own(source, &mem);
	document_set_int(own, "failures", 0, &mem);
	json_remove(own, STR("deaths"));
	failed = state_put(cc, id, source, &revision, &mem, &written, err);
	if (failed == 0 && written)
		++*count;
	return failed;
}

/* *found: parked items were. */
static int unpark_page(struct cluster_coordinator *cc, size_t *count, bool *found, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct str body = arena_printf(
		&mem, "{\"size\":%d,\"_source\":false,\"query\":{\"term\":{\"parked\":true}}}",
		UNPARK_PAGE);
	struct json *hits;
	int failed;

	if ((failed = state_refresh(cc, &mem, err)) < 0 ||
	    (failed = state_search(cc, body, &mem, &hits, err)) < 0)
		return failed;
	*found = hits->first != NULL;
	json_each (hit, hits) {
		failed = unpark_one(cc, json_string(json_get(hit, "_id")), count, err);
		if (failed < 0)
			return failed;
	}
	return 0;
}

int cluster_unpark(struct coordinator *c, size_t *count, struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	bool found = true;
	int failed = 0;

	*count = 0;
	pthread_mutex_lock(&cc->mutex);
	for (int round = 0; round < UNPARK_ROUNDS && found && failed == 0; round++)
		failed = unpark_page(cc, count, &found, err);
	pthread_mutex_unlock(&cc->mutex);
	return failed;
}
