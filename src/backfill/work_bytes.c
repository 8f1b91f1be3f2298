#include "backfill/work_bytes.h"

#include <pthread.h>
#include <stdlib.h>

struct work_bytes {
	pthread_mutex_t lock;
	struct progress *progress;
	uint64_t opened_files, opened_stored; /* of whole shards opened: what files come to */
	uint64_t waiting_files;               /* of whole shards not opened yet */
	uint64_t known;                       /* stored bytes of all else, read or not */
};

struct work_bytes *work_bytes_new(struct progress *progress)
{
	struct work_bytes *bytes = mem_zalloc(sizeof(*bytes));

	pthread_mutex_init(&bytes->lock, NULL);
	bytes->progress = progress;
	return bytes;
}

void work_bytes_free(struct work_bytes *bytes)
{
	if (!bytes)
		return;
	pthread_mutex_destroy(&bytes->lock);
	free(bytes);
}

static bool is_range(const struct work_item *item)
{
	return item->first_doc > 0 || item->end_doc != WORK_TO_END;
}

/* Of a range's bytes, those that were read before. */
static uint64_t done_of(const struct work_item *item, int64_t next_doc)
{
	double all = (double)(item->end_doc - item->first_doc);

	if (item->end_doc == WORK_TO_END || all <= 0 || next_doc <= item->first_doc)
		return 0;
	return (uint64_t)((double)item->bytes *
			  MIN((double)(next_doc - item->first_doc) / all, 1.0));
}

static void less(uint64_t *from, uint64_t by)
{
	*from -= MIN(*from, by);
}

static void publish(struct work_bytes *bytes)
{
	double share = bytes->opened_files
			       ? (double)bytes->opened_stored / (double)bytes->opened_files
			       : 1;

	atomic_store(&bytes->progress->bytes_total,
		     bytes->known + (uint64_t)((double)bytes->waiting_files * share));
}

void work_bytes_add(struct work_bytes *bytes, const struct work_status *status)
{
	const struct work_item *item = &status->item;
	bool over = status->state == WORK_COMPLETED || status->state == WORK_PARKED;
	uint64_t done = over ? item->bytes : done_of(item, status->progress.next_doc);

	pthread_mutex_lock(&bytes->lock);
	if (over || is_range(item))
		bytes->known += item->bytes;
	else
		bytes->waiting_files += item->bytes;
	atomic_fetch_add(&bytes->progress->bytes_read, done);
	publish(bytes);
	pthread_mutex_unlock(&bytes->lock);
}

void work_bytes_open(struct work_bytes *bytes, const struct work_item *item,
		     const struct work_progress *progress, uint64_t stored)
{
	pthread_mutex_lock(&bytes->lock);
	if (is_range(item)) {
		less(&bytes->known, item->bytes - done_of(item, progress->next_doc));
	} else {
		less(&bytes->waiting_files, item->bytes);
		/* What is left of a shard says nothing of the others. */
		if (stored && progress->next_doc == 0) {
			bytes->opened_files += item->bytes;
			bytes->opened_stored += stored;
		}
	}
	bytes->known += stored;
	publish(bytes);
	pthread_mutex_unlock(&bytes->lock);
}

void work_bytes_divide(struct work_bytes *bytes, const struct work_item *whole, uint64_t stored)
{
	pthread_mutex_lock(&bytes->lock);
	less(&bytes->waiting_files, whole->bytes);
	bytes->opened_files += whole->bytes;
	bytes->opened_stored += stored;
	bytes->known += stored;
	publish(bytes);
	pthread_mutex_unlock(&bytes->lock);
}

void work_bytes_end(struct work_bytes *bytes)
{
	struct progress *progress = bytes->progress;

	pthread_mutex_lock(&bytes->lock);
	atomic_store(&progress->bytes_total, bytes->known);
	atomic_store(&progress->bytes_read, bytes->known);
	pthread_mutex_unlock(&bytes->lock);
}
