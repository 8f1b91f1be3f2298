#include "fake_backfill.h"

#include "backfill/delta_shard.h"

#include <stdio.h>
#include <stdlib.h>

struct fake_shard shards[SHARDS];
int32_t opening_order[SHARDS];
atomic_size_t opened, checked;
unsigned fake_seed;

struct fake_source {
	struct document_source base;
	const struct fake_shard *shard;
	int32_t number;
	size_t next, first, end; /* documents */
	size_t deletes;          /* of a delta: so many come first */
	unsigned random;
	char id[32];
	struct buf source;
};

static void fill_source(struct fake_source *s, size_t size)
{
	buf_reset(&s->source);
	buf_append_str(&s->source, STR("{\"text\":\n\""));
	while (s->source.len < size)
		buf_append_byte(&s->source, (char)('a' + s->source.len % 26));
	buf_append_str(&s->source, STR("\"}"));
}

static int fake_next(struct document_source *base, struct document *out, struct err *err)
{
	struct fake_source *s = (struct fake_source *)base;
	const struct fake_shard *shard = s->shard;
	size_t at = s->next++, size = shard->source_bytes;

	if (shard->breaks_after && at == shard->breaks_after)
		return err_set(err, ERR_FORMAT, "chunk 7 of '_0.fdt' is damaged");
	if (!shard->endless && at >= s->end)
		return 0;
	if (shard->random)
		size = (size_t)rand_r(&s->random) % (size + 1);
	if (shard->large_bytes && at == shard->large_at)
		size = shard->large_bytes;
	fill_source(s, size);
	snprintf(s->id, sizeof(s->id), "%d/%zu", s->number, at);
	*out = (struct document){.id = str_from(s->id),
				 .source = buf_str(&s->source),
				 .doc = 2 * (int64_t)at,
				 .live = true};
	if (at % 3 == 0)
		out->routing = STR("r\"");
	if (at % 2 == 0)
		out->type = STR("book");
	if (shard->has_odd && at == shard->odd_at) {
		out->source = shard->odd;
		out->problem = shard->problem;
	}
	if (at < s->deletes) {
		out->deleted = true;
		out->source = STR_NONE;
	}
	return 1;
}

static uint64_t fake_position(const struct document_source *base)
{
	const struct fake_source *s = (const struct fake_source *)base;

	return (MIN(s->next, s->end) - s->first) * 10;
}

static void fake_close(struct document_source *base)
{
	buf_release(&((struct fake_source *)base)->source);
	free(base);
}

int shard_documents_size(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, uint64_t *bytes, struct err *err)
{
	(void)snapshot;
	(void)index;
	if (shards[shard].missing)
		return err_set(err, ERR_NOT_FOUND, "no such blob");
	*bytes = shards[shard].documents * 25;
	return 0;
}

int shard_documents_divide(const struct snapshot *snapshot, const struct snapshot_index *index,
			   int32_t shard, uint64_t bytes, struct arena *mem, int64_t **starts,
			   uint64_t **sizes, size_t *count, int64_t *total_docs, struct err *err)
{
	size_t each = MAX(bytes / 10, (uint64_t)1), documents = shards[shard].documents;

	(void)snapshot;
	(void)index;
	(void)err;
	*count = (documents + each - 1) / each;
	*starts = arena_zalloc(mem, *count, sizeof(**starts));
	*sizes = arena_zalloc(mem, *count, sizeof(**sizes));
	*total_docs = 2 * (int64_t)documents;
	for (size_t i = 0; i < *count; i++) {
		(*starts)[i] = 2 * (int64_t)(i * each);
		(*sizes)[i] = 10 * MIN(each, documents - i * each);
	}
	return 0;
}

static size_t document_from(int64_t doc)
{
	return (size_t)(doc + 1) / 2;
}

static int open_fake(int32_t shard, int64_t first_doc, int64_t end_doc, size_t deletes,
		     struct document_source **out, struct err *err)
{
	static const struct document_source_ops ops = {fake_next, fake_position, fake_close};
	struct fake_source *s;

	opening_order[atomic_fetch_add(&opened, 1) % SHARDS] = shard;
	if (shards[shard].missing)
		return err_set(err, ERR_NOT_FOUND, "no such blob");
	if (shards[shard].away)
		return err_set(err, ERR_UNREACHABLE, "the store is away");
	s = mem_zalloc(sizeof(*s));
	s->shard = &shards[shard];
	s->first = s->next = document_from(first_doc);
	s->end = end_doc ? MIN(document_from(end_doc), s->shard->documents) : s->shard->documents;
	s->base = (struct document_source){
		.ops = &ops, .total_bytes = s->end > s->first ? (s->end - s->first) * 10 : 0};
	s->number = shard;
	s->deletes = deletes;
	s->random = fake_seed + (unsigned)shard;
	s->source = BUF_INIT(MIB(16));
	*out = &s->base;
	return 0;
}

int shard_documents_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, const struct lucene_documents_options *options,
			 struct document_source **out, struct err *err)
{
	(void)snapshot;
	(void)index;
	return open_fake(shard, options->first_doc, options->end_doc, 0, out, err);
}

int delta_shard_check(const struct snapshot *previous, const struct snapshot *current,
		      const struct snapshot_index *index, struct err *err)
{
	(void)current;
	if (previous->total_shards)
		return err_set(err, ERR_UNSUPPORTED, "index '" STR_FMT "' has other shards",
			       STR_ARG(index->name));
	return 0;
}

int delta_shard_open(const struct snapshot *previous, const struct snapshot *current,
		     const struct snapshot_index *index, int32_t shard,
		     const struct delta_options *options, struct document_source **out,
		     struct err *err)
{
	(void)previous;
	(void)current;
	(void)index;
	return open_fake(shard, options->first_doc, options->end_doc,
			 options->mode == DELTA_UPDATES ? 0 : shards[shard].documents / 2, out,
			 err);
}

int shard_documents_open_rebuilt(const struct snapshot *snapshot,
				 const struct snapshot_index *index, int32_t shard, bool synthetic,
				 const struct lucene_documents_options *options,
				 struct document_source **out, struct err *err)
{
	(void)synthetic;
	return shard_documents_open(snapshot, index, shard, options, out, err);
}

size_t shard_documents_parts(const struct document_source *source,
			     const struct checksum_part **parts)
{
	static const struct checksum_part wrong = {.segment = STR("_0"),
						   .length = 1,
						   .crc = 1,
						   .file_length = 1,
						   .expected = 2,
						   .at_end = true};
	const struct fake_source *s = (const struct fake_source *)source;

	*parts = &wrong;
	return s->shard->parts_are_wrong;
}

int shard_documents_check(const struct snapshot *snapshot, const struct snapshot_index *index,
			  int32_t shard, const atomic_bool *cancel, struct err *err)
{
	(void)snapshot;
	(void)index;
	(void)cancel;
	atomic_fetch_add(&checked, 1);
	if (shards[shard].is_damaged)
		return err_set(err, ERR_FORMAT, "the checksum of '_0.fdt' is wrong");
	return 0;
}
