#include "range_walk.h"

#include "base/crc32.h"
#include "base/limits.h"

#include <stdlib.h>

#define PIECES_MAX 7

void range_walk_init(struct range_walk *walk, struct lucene_directory *dir, bool include_deleted)
{
	*walk = (struct range_walk){.dir = dir, .include_deleted = include_deleted};
	walk->names = ARENA_INIT(MIB(16));
}

void range_walk_release(struct range_walk *walk)
{
	arena_release(&walk->names);
	free(walk->documents);
	free(walk->parts);
}

static uint64_t hash_bytes(uint64_t hash, struct str bytes)
{
	hash ^= (uint64_t)crc32_update(0, bytes.ptr, bytes.len) << 32;
	return (hash ^ (bytes.ptr ? bytes.len : UINT64_MAX)) * 0x9e3779b97f4a7c15;
}

static void add_document(struct range_walk *walk, const struct document *document)
{
	uint64_t hash = hash_bytes(1, document->id);

	hash = hash_bytes(hash, document->routing);
	hash = hash_bytes(hash, document->type);
	hash = hash_bytes(hash, document->source) + document->live;
	if (walk->count == walk->room) {
		walk->room = 2 * walk->room + 64;
		walk->documents =
			mem_realloc(walk->documents, walk->room * sizeof(*walk->documents));
	}
	walk->documents[walk->count++] = (struct walked_document){document->doc, hash};
}

/* The parts of the source behind the first `kept` ones, in place of those that were there. */
static void take_parts(struct range_walk *walk, size_t kept, const struct document_source *source)
{
	const struct checksum_part *parts;
	size_t count = lucene_documents_parts(source, &parts);

	if (kept + count > walk->part_room) {
		walk->part_room = 2 * (kept + count);
		walk->parts = mem_realloc(walk->parts, walk->part_room * sizeof(*walk->parts));
	}
	for (size_t i = 0; i < count; i++) {
		walk->parts[kept + i] = parts[i];
		walk->parts[kept + i].segment = arena_str(&walk->names, parts[i].segment);
	}
	walk->part_count = kept + count;
}

/* One worker, from *next to where it stops. A bulk ends before or after the document that fills it
 * is asked for; what came after the last one is lost. 1: it stopped; 0: all was read. */
static int work(struct range_walk *walk, int64_t *next, int64_t end, int stops, struct err *err)
{
	const struct lucene_documents_options options = {
		.include_deleted = walk->include_deleted, .first_doc = *next, .end_doc = end};
	size_t kept = walk->part_count, acknowledged = walk->count;
	struct document_source *source;
	struct document document;
	bool stop = false;
	int got;

	if (lucene_documents_open(walk->dir, &options, &source, err) < 0)
		return -(int)err->kind;
	while (!stop && (got = document_source_next(source, &document, err)) > 0) {
		bool bulk_ends = rand() % 4 == 0, before = rand() % 2;

		if (bulk_ends && before) {
			*next = document.doc;
			acknowledged = walk->count;
			take_parts(walk, kept, source);
		}
		add_document(walk, &document);
		if (bulk_ends && !before) {
			*next = document.doc + 1;
			acknowledged = walk->count;
			take_parts(walk, kept, source);
		}
		stop = stops && rand() % stops == 0;
	}
	if (stop) {
		walk->count = acknowledged;
		walk->stops++;
		got = 1;
	} else if (got == 0) {
		take_parts(walk, kept, source);
		if (document_source_position(source) != source->total_bytes)
			got = err_set(err, ERR_FORMAT, "position %llu of %llu at the end",
				      (unsigned long long)document_source_position(source),
				      (unsigned long long)source->total_bytes);
	}
	document_source_close(source);
	return got;
}

int range_walk_piece(struct range_walk *walk, int64_t first, int64_t end, int stops,
		     struct err *err)
{
	int got;

	if (first == end)
		return 0;
	while ((got = work(walk, &first, end, stops, err)) > 0)
		if (first == end)
			return 0;
	return got;
}

static int by_segment(const void *a, const void *b)
{
	const struct checksum_part *left = a, *right = b;

	return strcmp(left->segment.ptr, right->segment.ptr);
}

int range_walk_prove(struct range_walk *walk, struct err *err)
{
	size_t end;

	if (walk->part_count)
		qsort(walk->parts, walk->part_count, sizeof(*walk->parts), by_segment);
	for (size_t i = 0; i < walk->part_count; i = end) {
		bool complete;

		for (end = i + 1; end < walk->part_count; end++)
			if (by_segment(&walk->parts[i], &walk->parts[end]) != 0)
				break;
		if (checksum_parts_join(&walk->parts[i], end - i, &complete, err) < 0)
			return -(int)err->kind;
		if (!complete)
			return err_set(err, ERR_UNREADABLE, "segment '%s': %zu parts have a gap",
				       walk->parts[i].segment.ptr, end - i);
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Where the pieces of a round begin; returns how many there are. */
static size_t choose_pieces(struct lucene_directory *dir, struct arena *mem, int64_t **starts,
			    int64_t total_docs, struct err *err)
{
	uint64_t *sizes;
	size_t count;
	int64_t ignored;

	if (rand() % 2) {
		uint64_t bytes = (uint64_t)1 << rand() % 18;

		if (lucene_documents_divide(dir, bytes, mem, starts, &sizes, &count, &ignored,
					    err) < 0)
			return 0;
		return count;
	}
	count = (size_t)(rand() % PIECES_MAX) + 1;
	*starts = arena_zalloc(mem, count, sizeof(**starts));
	for (size_t i = 1; i < count; i++)
		(*starts)[i] = rand() % (total_docs + 1);
	qsort(*starts, count, sizeof(**starts), by_number);
	return count;
}

static int compare(const struct range_walk *pieces, const struct range_walk *whole, struct err *err)
{
	for (size_t i = 0; i < pieces->count && i < whole->count; i++)
		if (pieces->documents[i].doc != whole->documents[i].doc ||
		    pieces->documents[i].hash != whole->documents[i].hash)
			return err_set(err, ERR_UNREADABLE,
				       "document %zu is %lld in pieces and %lld in one, or differs",
				       i, (long long)pieces->documents[i].doc,
				       (long long)whole->documents[i].doc);
	if (pieces->count != whole->count)
		return err_set(err, ERR_UNREADABLE, "%zu documents in pieces, %zu in one pass",
			       pieces->count, whole->count);
	return 0;
}

static int one_round(const struct range_walk *whole, int64_t total_docs, int *stops,
		     struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	cleanup(range_walk_release) struct range_walk walk;
	/* With many documents, few stops a piece: each goes over a chunk again. */
	int chance = rand() % 2 ? (int)(whole->count / 4) + 3 : 0;
	int64_t *starts = NULL;
	size_t count;

	range_walk_init(&walk, whole->dir, whole->include_deleted);
	count = choose_pieces(whole->dir, &mem, &starts, total_docs, err);
	if (count == 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		int64_t end = i + 1 < count ? starts[i + 1] : total_docs;

		if (range_walk_piece(&walk, starts[i], end, chance, err) < 0)
			return err_wrap(err, "documents %lld to %lld", (long long)starts[i],
					(long long)end);
	}
	*stops += walk.stops;
	if (compare(&walk, whole, err) < 0)
		return -(int)err->kind;
	return range_walk_prove(&walk, err);
}

int range_walk_all(struct lucene_directory *dir, bool include_deleted, int rounds, int *stops,
		   struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	cleanup(range_walk_release) struct range_walk whole;
	int64_t *starts, total_docs;
	uint64_t *sizes;
	size_t count;

	*stops = 0;
	range_walk_init(&whole, dir, include_deleted);
	if (lucene_documents_divide(dir, UINT64_MAX, &mem, &starts, &sizes, &count, &total_docs,
				    err) < 0 ||
	    range_walk_piece(&whole, 0, total_docs, 0, err) < 0)
		return -(int)err->kind;
	for (int round = 0; round < rounds; round++)
		if (one_round(&whole, total_docs, stops, err) < 0)
			return -(int)err->kind;
	return 0;
}
