#include "documents/rebuild_tally.h"

#include "base/arena.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define FIELDS_NAMED 100
#define NAMES_MOST KIB(64)
/* More than an index may have (1024, unless a setting of the node allows others). */
#define SHARDS_MOST 65536

struct tallied {
	struct str path, type;
	uint64_t documents;
};

struct rebuild_tally {
	pthread_mutex_t lock;
	struct arena mem;
	struct tallied fields[FIELDS_NAMED];
	size_t count;
	uint64_t others;  /* documents, once for each field that is not named */
	int64_t *counted; /* of each shard: documents below are counted */
	int32_t shards;
};

struct rebuild_tally *rebuild_tally_new(void)
{
	struct rebuild_tally *tally = mem_zalloc(sizeof(*tally));

	pthread_mutex_init(&tally->lock, NULL);
	tally->mem = ARENA_INIT(NAMES_MOST);
	return tally;
}

/* NULL: no more are named. */
static struct tallied *find_or_add(struct rebuild_tally *tally, struct str path, struct str type)
{
	struct tallied *field = NULL;
	struct str path_kept, type_kept;

	for (size_t i = 0; i < tally->count; i++)
		if (str_eq(tally->fields[i].path, path) && str_eq(tally->fields[i].type, type))
			return &tally->fields[i];
	if (tally->count == FIELDS_NAMED)
		return NULL;
	path_kept = arena_str(&tally->mem, path);
	type_kept = arena_str(&tally->mem, type);
	if (!path_kept.ptr || !type_kept.ptr)
		return NULL;
	field = &tally->fields[tally->count++];
	*field = (struct tallied){.path = path_kept, .type = type_kept};
	return field;
}

static int64_t *counted_of(struct rebuild_tally *tally, int32_t shard)
{
	int32_t have = tally->shards;

	if (shard >= have) {
		tally->shards = shard + 1;
		tally->counted = mem_realloc(tally->counted,
					     (size_t)tally->shards * sizeof(*tally->counted));
		memset(tally->counted + have, 0,
		       (size_t)(tally->shards - have) * sizeof(*tally->counted));
	}
	return &tally->counted[shard];
}

bool rebuild_tally_begin(struct rebuild_tally *tally, int32_t shard, int64_t doc)
{
	int64_t *counted;
	bool begun;

	if (!tally || shard < 0 || shard >= SHARDS_MOST)
		return tally != NULL;
	pthread_mutex_lock(&tally->lock);
	counted = counted_of(tally, shard);
	begun = doc >= *counted;
	if (begun)
		*counted = doc + 1;
	pthread_mutex_unlock(&tally->lock);
	return begun;
}

void rebuild_tally_add(struct rebuild_tally *tally, struct str path, struct str type)
{
	struct tallied *field;

	if (!tally)
		return;
	pthread_mutex_lock(&tally->lock);
	field = find_or_add(tally, path, type);
	(*(field ? &field->documents : &tally->others))++;
	pthread_mutex_unlock(&tally->lock);
}

void rebuild_tally_write(struct rebuild_tally *tally, struct buf *out)
{
	pthread_mutex_lock(&tally->lock);
	for (size_t i = 0; i < tally->count; i++)
		buf_printf(out, "%s'" STR_FMT "' (" STR_FMT ") in %" PRIu64 " documents",
			   i ? ", " : "not rebuilt, since values do not fit the mapping: ",
			   STR_ARG(tally->fields[i].path), STR_ARG(tally->fields[i].type),
			   tally->fields[i].documents);
	if (tally->others)
		buf_printf(out, ", and %" PRIu64 " times in other fields", tally->others);
	pthread_mutex_unlock(&tally->lock);
}

void rebuild_tally_free(struct rebuild_tally *tally)
{
	if (!tally)
		return;
	pthread_mutex_destroy(&tally->lock);
	arena_release(&tally->mem);
	free(tally->counted);
	free(tally);
}
