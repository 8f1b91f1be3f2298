#include "documents/rebuild_tally.h"

#include "base/arena.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define FIELDS_NAMED 100
#define NAMES_MOST KIB(64)
#define RUNS_MOST 65536

struct tallied {
	struct str path, type;
	uint64_t documents;
};

/* Documents [from, to) of a shard were looked at, one after the other. */
struct run {
	int32_t shard;
	int64_t from, to;
};

struct rebuild_tally {
	pthread_mutex_t lock;
	struct arena mem;
	struct tallied fields[FIELDS_NAMED];
	size_t count;
	uint64_t others; /* documents, once for each field that is not named */
	struct run *runs;
	size_t run_count;
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

static bool holds(const struct run *run, int32_t shard, int64_t doc)
{
	return run->shard == shard && doc >= run->from && doc < run->to;
}

/* Takes the runs that `run` touches out, and makes it what they are together. */
static void unite(struct rebuild_tally *tally, struct run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < tally->run_count; i++) {
		const struct run *other = &tally->runs[i];

		if (other->shard != run->shard || other->to < run->from || other->from > run->to) {
			tally->runs[kept++] = *other;
			continue;
		}
		run->from = MIN(run->from, other->from);
		run->to = MAX(run->to, other->to);
	}
	tally->run_count = kept;
}

static void add_run(struct rebuild_tally *tally, struct run run)
{
	unite(tally, &run);
	if (tally->run_count == RUNS_MOST)
		return;
	tally->runs = mem_realloc(tally->runs, (tally->run_count + 1) * sizeof(run));
	tally->runs[tally->run_count++] = run;
}

bool rebuild_tally_begin(struct rebuild_tally *tally, int32_t shard, int64_t first, int64_t doc)
{
	bool begun = true;

	if (!tally)
		return false;
	pthread_mutex_lock(&tally->lock);
	/* The run that is being read now was added last. */
	for (size_t i = tally->run_count; i > 0 && begun; i--)
		begun = !holds(&tally->runs[i - 1], shard, doc);
	if (begun)
		add_run(tally, (struct run){shard, MIN(first, doc), doc + 1});
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
	free(tally->runs);
	free(tally);
}
