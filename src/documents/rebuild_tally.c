#include "documents/rebuild_tally.h"

#include "base/arena.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define FIELDS_NAMED 100
#define NAMES_MOST KIB(64)

struct tallied {
	struct str path, type;
	uint64_t documents;
};

struct rebuild_tally {
	pthread_mutex_t lock;
	struct arena mem;
	struct tallied fields[FIELDS_NAMED];
	size_t count;
	uint64_t others; /* documents, once for each field that is not named */
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

void rebuild_tally_add(struct rebuild_tally *tally, struct str path, struct str type,
		       uint64_t documents)
{
	struct tallied *field;

	if (!tally || documents == 0)
		return;
	pthread_mutex_lock(&tally->lock);
	field = find_or_add(tally, path, type);
	*(field ? &field->documents : &tally->others) += documents;
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
	free(tally);
}
