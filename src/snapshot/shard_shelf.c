#include "snapshot/shard_shelf.h"

#include <pthread.h>
#include <stdlib.h>

struct shard_place {
	struct shard_shelf *shelf;
	struct snapshot_shard *shard; /* NULL: the place is free */
	const struct snapshot_index *index;
	int32_t number;
	unsigned users;
	uint64_t used; /* when it was given back last */
};

struct shard_shelf {
	pthread_mutex_t lock; /* of what follows */
	struct shard_place places[SHARD_SHELF_PLACES];
	uint64_t clock; /* counts what was given back */
};

struct shard_shelf *shard_shelf_new(void)
{
	struct shard_shelf *shelf = mem_zalloc(sizeof(*shelf));

	pthread_mutex_init(&shelf->lock, NULL);
	for (size_t i = 0; i < SHARD_SHELF_PLACES; i++)
		shelf->places[i].shelf = shelf;
	return shelf;
}

void shard_shelf_free(struct shard_shelf *shelf)
{
	if (!shelf)
		return;
	for (size_t i = 0; i < SHARD_SHELF_PLACES; i++) {
		if (shelf->places[i].users > 0)
			BUG("a shard is open when its snapshot is closed");
		snapshot_shard_free(shelf->places[i].shard);
	}
	pthread_mutex_destroy(&shelf->lock);
	free(shelf);
}

static struct snapshot_shard *take_locked(struct shard_shelf *shelf,
					  const struct snapshot_index *index, int32_t number)
{
	for (size_t i = 0; i < SHARD_SHELF_PLACES; i++) {
		struct shard_place *place = &shelf->places[i];

		if (!place->shard || place->index != index || place->number != number)
			continue;
		place->users++;
		return place->shard;
	}
	return NULL;
}

struct snapshot_shard *shard_shelf_take(struct shard_shelf *shelf,
					const struct snapshot_index *index, int32_t number)
{
	struct snapshot_shard *shard;

	pthread_mutex_lock(&shelf->lock);
	shard = take_locked(shelf, index, number);
	pthread_mutex_unlock(&shelf->lock);
	return shard;
}

/* A free place, or that of the shard which nobody has used for the longest time. */
static struct shard_place *find_place(struct shard_shelf *shelf)
{
	struct shard_place *best = NULL;

	for (size_t i = 0; i < SHARD_SHELF_PLACES; i++) {
		struct shard_place *place = &shelf->places[i];

		if (!place->shard)
			return place;
		if (place->users == 0 && (!best || place->used < best->used))
			best = place;
	}
	return best;
}

struct snapshot_shard *shard_shelf_put(struct shard_shelf *shelf,
				       const struct snapshot_index *index, int32_t number,
				       struct snapshot_shard *shard)
{
	struct snapshot_shard *surplus = NULL, *there;
	struct shard_place *place;

	pthread_mutex_lock(&shelf->lock);
	there = take_locked(shelf, index, number);
	if (there) {
		surplus = shard;
		shard = there;
	} else if ((place = find_place(shelf))) {
		surplus = place->shard;
		if (surplus)
			surplus->place = NULL;
		place->shard = shard;
		place->index = index;
		place->number = number;
		place->users = 1;
		shard->place = place;
	}
	pthread_mutex_unlock(&shelf->lock);
	snapshot_shard_free(surplus);
	return shard;
}

void shard_shelf_give_back(struct snapshot_shard *shard)
{
	struct shard_shelf *shelf = shard->place->shelf;

	pthread_mutex_lock(&shelf->lock);
	shard->place->users--;
	shard->place->used = ++shelf->clock;
	pthread_mutex_unlock(&shelf->lock);
}
