/* What it costs to read a shard that is far away: round trips and bytes, on the repositories of
 * tests/fixtures behind a store that counts. */
#include "backfill/shard_documents.h"
#include "../snapshot/fixture_repository.h"

#include "base/limits.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MOST_ROUND_TRIPS 6
/* Requests that are under way together. */
#define TOGETHER 16

static const char *const fixtures[] = {"es-1.7.6",  "es-2.4.6",  "es-5.6.16",
				       "es-6.8.23", "es-7.10.2", "es-8.19.21",
				       "os-1.3.14", "os-2.19.6", "os-3.8.0"};

/* Requests of the test's own thread wait for one another; those of others run beside. */
struct remote {
	struct blob_store store;
	struct blob_store *inner;
	pthread_t reader;
	pthread_mutex_t lock; /* of what follows */
	size_t round_trips, beside, requests;
	uint64_t bytes;
};

struct remote_source {
	struct bytes_source source;
	struct bytes_source *inner;
	struct remote *remote;
};

static void count(struct remote *remote, uint64_t bytes)
{
	pthread_mutex_lock(&remote->lock);
	remote->requests++;
	remote->bytes += bytes;
	if (pthread_equal(pthread_self(), remote->reader)) {
		remote->round_trips++;
		remote->beside = 0;
	} else if (remote->beside++ % TOGETHER == 0) {
		remote->round_trips++;
	}
	pthread_mutex_unlock(&remote->lock);
}

static int source_read_at(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			  struct err *err)
{
	struct remote_source *source = (struct remote_source *)src;

	count(source->remote, len);
	return bytes_source_read(source->inner, offset, dst, len, err);
}

static bool source_is_remote(const struct bytes_source *source)
{
	(void)source;
	return true;
}

static void source_close(struct bytes_source *source)
{
	bytes_source_close(((struct remote_source *)source)->inner);
	free(source->name);
	free(source);
}

static const struct bytes_source_ops source_ops = {
	.read_at = source_read_at, .close = source_close, .is_remote = source_is_remote};

static int remote_open_sized(struct blob_store *store, struct str name, uint64_t size,
			     struct bytes_source **out, struct err *err)
{
	struct remote *remote = (struct remote *)store;
	struct remote_source *source = mem_zalloc(sizeof(*source));
	int rc = blob_store_source_sized(remote->inner, name, size, &source->inner, err);

	if (rc < 0) {
		free(source);
		return rc;
	}
	source->source = (struct bytes_source){&source_ops, size, str_dup(name)};
	source->remote = remote;
	*out = &source->source;
	return 0;
}

static int remote_open(struct blob_store *store, struct str name, struct bytes_source **out,
		       struct err *err)
{
	struct remote *remote = (struct remote *)store;

	count(remote, 0);
	return blob_store_source(remote->inner, name, out, err);
}

static int remote_read(struct blob_store *store, struct str name, struct arena *mem, size_t limit,
		       struct str *out, struct err *err)
{
	struct remote *remote = (struct remote *)store;

	count(remote, 0);
	return blob_store_read(remote->inner, name, mem, limit, out, err);
}

static int remote_list(struct blob_store *store, struct str folder, struct arena *mem,
		       struct blob_listing *out, struct err *err)
{
	struct remote *remote = (struct remote *)store;

	count(remote, 0);
	return blob_store_list(remote->inner, folder, mem, out, err);
}

static void remote_close(struct blob_store *store)
{
	(void)store;
}

static const struct blob_store_ops remote_ops = {.list = remote_list,
						 .open = remote_open,
						 .open_sized = remote_open_sized,
						 .read = remote_read,
						 .close = remote_close,
						 .remote = true};

struct fixture {
	char *path;
	struct remote remote;
	struct repository *repository;
	struct err err;
};

static void must(const struct fixture *f, int rc)
{
	if (rc < 0)
		fail_msg("%s", f->err.message);
}

static void open_fixture(struct fixture *f, const char *name)
{
	*f = (struct fixture){.path = fixture_repository_unpack(name)};
	must(f, blob_store_open(f->path, &f->remote.inner, &f->err));
	f->remote.store = (struct blob_store){&remote_ops, f->path};
	f->remote.reader = pthread_self();
	pthread_mutex_init(&f->remote.lock, NULL);
	must(f, repository_open(&f->remote.store, &f->repository, &f->err));
}

static void close_fixture(struct fixture *f)
{
	repository_close(f->repository);
	blob_store_close(f->remote.inner);
	pthread_mutex_destroy(&f->remote.lock);
	fixture_repository_remove(f->path);
}

static void begin(struct fixture *f)
{
	f->remote.round_trips = f->remote.beside = f->remote.requests = 0;
	f->remote.bytes = 0;
}

/* Calls `check` for every shard of every snapshot of every fixture. */
static void each_shard(void (*check)(struct fixture *, struct snapshot *,
				     const struct snapshot_index *, int32_t))
{
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		const struct snapshot_summary *summaries;
		struct fixture f;
		size_t snapshots;

		open_fixture(&f, fixtures[i]);
		summaries = repository_snapshots(f.repository, &snapshots);
		for (size_t s = 0; s < snapshots; s++) {
			cleanup(snapshot_closep) struct snapshot *snapshot = NULL;

			must(&f, snapshot_open(f.repository, summaries[s].name, &snapshot, &f.err));
			for (size_t n = 0; n < snapshot->index_count; n++)
				check(&f, snapshot, &snapshot->indices[n], 0);
		}
		close_fixture(&f);
	}
}

static void read_first(struct fixture *f, struct snapshot *snapshot,
		       const struct snapshot_index *index, int32_t number)
{
	struct document_source *source;
	struct document document;

	must(f, shard_documents_open(snapshot, index, number, NULL, &source, &f->err));
	must(f, document_source_next(source, &document, &f->err));
	document_source_close(source);
}

static void check_first(struct fixture *f, struct snapshot *snapshot,
			const struct snapshot_index *index, int32_t number)
{
	begin(f);
	read_first(f, snapshot, index, number);
	if (f->remote.round_trips > MOST_ROUND_TRIPS)
		fail_msg("%zu round trips (%zu requests) to the first document of " STR_FMT,
			 f->remote.round_trips, f->remote.requests, STR_ARG(index->name));
	assert_true(f->remote.requests > 0);
}

static void the_first_document_comes_within_six_round_trips(void **state)
{
	(void)state;
	each_shard(check_first);
}

/* As backfill does: its size, where it may be divided, then its pieces. */
static void check_again(struct fixture *f, struct snapshot *snapshot,
			const struct snapshot_index *index, int32_t number)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	uint64_t bytes, *sizes;
	int64_t *starts, total;
	size_t count, requests;

	begin(f);
	must(f, shard_documents_size(snapshot, index, number, &bytes, &f->err));
	assert_int_equal(f->remote.requests, 1);
	must(f, shard_documents_divide(snapshot, index, number, MIB(1), &mem, &starts, &sizes,
				       &count, &total, &f->err));
	read_first(f, snapshot, index, number);
	requests = f->remote.requests;
	read_first(f, snapshot, index, number);
	assert_int_equal(f->remote.requests, requests);
	assert_true(f->remote.bytes <= bytes);
}

static void a_small_shard_that_is_opened_again_costs_nothing(void **state)
{
	(void)state;
	each_shard(check_again);
}

static void shards_beyond_the_shelf_are_opened_anew(void **state)
{
	struct fixture f;
	cleanup(snapshot_closep) struct snapshot *snapshot = NULL;
	struct snapshot_shard *held;

	(void)state;
	open_fixture(&f, "es-7.10.2");
	must(&f, snapshot_open(f.repository, STR("snap1"), &snapshot, &f.err));
	must(&f, snapshot_shard_open(snapshot, &snapshot->indices[0], 0, &held, &f.err));
	/* More shards than there are places; the one that is open keeps its own. */
	for (int round = 0; round < 3; round++)
		for (size_t n = 0; n < snapshot->index_count; n++)
			for (int32_t number = 0; number < 3; number++) {
				struct snapshot_shard *shard;

				if (snapshot_shard_open(snapshot, &snapshot->indices[n], number,
							&shard, &f.err) == 0)
					snapshot_shard_close(shard);
			}
	begin(&f);
	read_first(&f, snapshot, &snapshot->indices[0], 0);
	snapshot_shard_close(held);
	snapshot_closep(&snapshot);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_document_comes_within_six_round_trips),
		cmocka_unit_test(a_small_shard_that_is_opened_again_costs_nothing),
		cmocka_unit_test(shards_beyond_the_shelf_are_opened_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
