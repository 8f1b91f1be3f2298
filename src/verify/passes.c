#include "verify/passes.h"

#include <pthread.h>
#include <stdlib.h>

#define COUNT_EVERY 256 /* documents, between two looks at the progress */
#define SAMPLE_SEED UINT64_C(0x9e3779b97f4a7c15)

/* What the threads of a pass share. */
struct running {
	const struct pass *pass;
	const struct pass_visitor *visitor;
	pthread_mutex_t lock;
	size_t wanted;         /* parts to be read */
	size_t next;           /* of the parts of both sides, the source's first */
	size_t opened;         /* parts, */
	uint64_t opened_bytes; /* to be read of these */
	struct err err;
	atomic_bool stopped;
};

struct reader {
	struct running *running;
	struct json_hasher hasher;
	void *user;
};

static bool stopping(const struct running *r)
{
	return atomic_load(&r->stopped) || atomic_load(r->pass->cancel);
}

static void stop(struct running *r, const struct err *err)
{
	pthread_mutex_lock(&r->lock);
	if (r->err.kind == ERR_NONE)
		r->err = *err;
	pthread_mutex_unlock(&r->lock);
	atomic_store(&r->stopped, true);
}

/* The same ids on both sides. */
static bool is_sampled(const struct verify_options *options, struct str id)
{
	double at;

	if (options->sample >= 1)
		return true;
	at = (double)((bytes_hash(id).low ^ SAMPLE_SEED) >> 11) / (double)(UINT64_C(1) << 53);
	return at < options->sample;
}

/* The parts that are not open yet are taken to be as large as those that are. */
static void note_size(struct running *r, uint64_t bytes)
{
	size_t parts = r->wanted;

	pthread_mutex_lock(&r->lock);
	r->opened++;
	r->opened_bytes += bytes;
	atomic_store(&r->pass->progress->counters.bytes_total,
		     r->opened_bytes / r->opened * parts + r->opened_bytes % r->opened);
	pthread_mutex_unlock(&r->lock);
}

static void count_read(struct running *r, uint64_t documents, uint64_t bytes)
{
	struct progress *counters = &r->pass->progress->counters;

	atomic_fetch_add(&counters->bytes_read, bytes);
	atomic_fetch_add(&counters->documents_read, documents);
	atomic_fetch_add(&counters->documents_sent, documents);
}

/* A pass has a pace of its own. */
static void start_progress(struct verify_progress *progress)
{
	atomic_store(&progress->counters.bytes_read, 0);
	atomic_store(&progress->counters.bytes_total, 0);
	atomic_fetch_add(&progress->counters.jumps, 1);
}

static int read_documents(struct reader *reader, int side, struct document_source *source,
			  struct err *err)
{
	struct running *r = reader->running;
	const struct verify_options *options = r->pass->options;
	uint64_t position = 0, seen = 0;
	struct document_hash hash;
	struct document document;
	int rc;

	while ((rc = document_source_next(source, &document, err)) > 0) {
		if (stopping(r))
			return err_set(err, ERR_CANCELLED, "interrupted");
		if (seen == 0)
			note_size(r, source->total_bytes);
		if (is_sampled(options, document.id)) {
			document_hash(&reader->hasher, &document, &options->hash, &hash);
			r->visitor->document(reader->user, side, &document, &hash);
		}
		if (++seen % COUNT_EVERY == 0) {
			uint64_t now = document_source_position(source);

			count_read(r, COUNT_EVERY, now - position);
			position = now;
		}
	}
	if (seen == 0)
		note_size(r, source->total_bytes);
	count_read(r, seen % COUNT_EVERY, document_source_position(source) - position);
	return rc;
}

static void end_part(struct reader *reader, int side, size_t part)
{
	struct running *r = reader->running;

	if (!r->visitor->part_done)
		return;
	pthread_mutex_lock(&r->lock);
	r->visitor->part_done(reader->user, r->visitor->shared, side, part);
	pthread_mutex_unlock(&r->lock);
}

static void read_part(struct reader *reader, int side, size_t part)
{
	const struct pass *pass = reader->running->pass;
	const struct verify_index *index = &pass->indices[side];
	struct document_source *source = NULL;
	struct err err = {0};
	int rc = pass->sides[side]->ops->open(pass->sides[side], index, part, &source, &err);

	if (rc == 0)
		rc = read_documents(reader, side, source, &err);
	document_source_close(source);
	if (rc == 0) {
		end_part(reader, side, part);
		return;
	}
	if (err.kind != ERR_CANCELLED)
		err_wrap(&err, STR_FMT "[%zu] of %s", STR_ARG(index->name), part,
			 pass->sides[side]->what);
	stop(reader->running, &err);
}

static bool is_skipped(const struct running *r, int side, size_t part)
{
	return r->visitor->skip && r->visitor->skip(r->visitor->shared, side, part);
}

static bool next_part(struct running *r, int *side, size_t *part)
{
	size_t next;

	pthread_mutex_lock(&r->lock);
	next = r->next++;
	pthread_mutex_unlock(&r->lock);
	*side = next >= r->pass->indices[0].parts;
	*part = *side ? next - r->pass->indices[0].parts : next;
	return *part < r->pass->indices[*side].parts;
}

static void *read_parts(void *running)
{
	struct running *r = running;
	struct reader reader = {.running = r};
	int side;
	size_t part;

	json_hasher_init(&reader.hasher);
	reader.user =
		r->visitor->start ? r->visitor->start(r->visitor->shared) : r->visitor->shared;
	while (!stopping(r) && next_part(r, &side, &part))
		if (!is_skipped(r, side, part))
			read_part(&reader, side, part);
	json_hasher_release(&reader.hasher);
	if (r->visitor->end) {
		pthread_mutex_lock(&r->lock);
		r->visitor->end(reader.user, r->visitor->shared);
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

static size_t count_wanted(const struct running *r)
{
	size_t count = 0;

	for (int side = 0; side < 2; side++)
		for (size_t part = 0; part < r->pass->indices[side].parts; part++)
			count += !is_skipped(r, side, part);
	return count;
}

int pass_run(const struct pass *pass, const struct pass_visitor *visitor, struct err *err)
{
	struct running r = {.pass = pass, .visitor = visitor, .lock = PTHREAD_MUTEX_INITIALIZER};
	size_t wanted = (size_t)MAX(pass->options->threads, 1), started = 0;
	pthread_t *threads;

	start_progress(pass->progress);
	r.wanted = count_wanted(&r);
	wanted = MIN(wanted, r.wanted);
	threads = mem_zalloc(MAX(wanted, (size_t)1) * sizeof(*threads));
	while (started < wanted && pthread_create(&threads[started], NULL, read_parts, &r) == 0)
		started++;
	if (started == 0)
		read_parts(&r);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	pthread_mutex_destroy(&r.lock);
	if (atomic_load(pass->cancel))
		return err_set(err, ERR_CANCELLED,
			       "interrupted; the same command goes on from here");
	if (r.err.kind == ERR_NONE)
		return 0;
	*err = r.err;
	return -(int)r.err.kind;
}
