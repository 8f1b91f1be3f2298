#include "backfill/work_list.h"

#include "backfill/shard_documents.h"

#include <pthread.h>
#include <stdlib.h>

struct work_list {
	pthread_mutex_t lock;
	struct work_shard *shards;
	size_t count, next;
	uint64_t opened_files, opened_stored; /* bytes of shards opened so far */
	uint64_t waiting_files;               /* bytes of shards not opened yet */
};

static int by_size_descending(const void *a, const void *b)
{
	const struct work_shard *x = a, *y = b;

	if (x->file_bytes != y->file_bytes)
		return x->file_bytes < y->file_bytes ? 1 : -1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return (x->shard > y->shard) - (x->shard < y->shard);
}

static void measure(struct work_list *list, const struct snapshot *snapshot,
		    const struct backfill_index *indices, const atomic_bool *cancel)
{
	for (size_t i = 0; i < list->count && !atomic_load(cancel); i++) {
		struct work_shard *shard = &list->shards[i];

		/* What is wrong with a shard is said by the reader that opens it. */
		if (shard_documents_size(snapshot, indices[shard->index].source, shard->shard,
					 &shard->file_bytes, NULL) < 0)
			shard->file_bytes = 0;
		list->waiting_files += shard->file_bytes;
	}
}

struct work_list *work_list_new(const struct snapshot *snapshot,
				const struct backfill_index *indices, size_t count,
				const atomic_bool *cancel)
{
	struct work_list *list = mem_zalloc(sizeof(*list));
	size_t total = 0;

	pthread_mutex_init(&list->lock, NULL);
	for (size_t i = 0; i < count; i++)
		total += (size_t)MAX(indices[i].shard_count, 0);
	list->shards = mem_zalloc(MAX(total, (size_t)1) * sizeof(*list->shards));
	for (size_t i = 0; i < count; i++)
		for (int32_t shard = 0; shard < indices[i].shard_count; shard++)
			list->shards[list->count++] =
				(struct work_shard){.index = i, .shard = shard};
	measure(list, snapshot, indices, cancel);
	qsort(list->shards, list->count, sizeof(*list->shards), by_size_descending);
	return list;
}

void work_list_free(struct work_list *list)
{
	if (!list)
		return;
	pthread_mutex_destroy(&list->lock);
	free(list->shards);
	free(list);
}

size_t work_list_count(const struct work_list *list)
{
	return list->count;
}

const struct work_shard *work_list_next(struct work_list *list)
{
	const struct work_shard *shard = NULL;

	pthread_mutex_lock(&list->lock);
	if (list->next < list->count)
		shard = &list->shards[list->next++];
	pthread_mutex_unlock(&list->lock);
	return shard;
}

static uint64_t expected(const struct work_list *list)
{
	double share =
		list->opened_files ? (double)list->opened_stored / (double)list->opened_files : 1;

	return list->opened_stored + (uint64_t)((double)list->waiting_files * share);
}

void work_list_opened(struct work_list *list, const struct work_shard *shard, uint64_t stored_bytes,
		      _Atomic uint64_t *total)
{
	pthread_mutex_lock(&list->lock);
	list->waiting_files -= shard->file_bytes;
	list->opened_files += stored_bytes ? shard->file_bytes : 0;
	list->opened_stored += stored_bytes;
	atomic_store(total, expected(list));
	pthread_mutex_unlock(&list->lock);
}
