/* codec REPO SNAPSHOT
 *
 * What extraction cannot do without: each chunk of stored fields in the snapshot is decompressed by
 * liblz4, zlib or libzstd, and each _source copied once, to where a bulk would be. A first pass
 * finds where all parts lie, by the reader whose decoder this one takes the place of; then only
 * decompressing and copying are timed:
 *
 *   codec   some chunks at a time, whose bytes were read into the processor's cache before
 *   floor   the bytes come through the reader's window (read and CRC of all of the file), whose
 *           time counts, and nothing of them lies in the processor's cache before
 *
 * Prints one JSON object. */
#include "base/lz4_block.h"
#include "lucene/segment_reader.h"
#include "lucene/stored_fields_internal.h"
#include "snapshot/repository.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

#define MAX_PARTS 300
/* liblz4 refuses what Lucene writes at the end of a block, unless there is room behind it. */
#define LZ4_ROOM 16
_Static_assert(LZ4_ROOM <= LZ4_BLOCK_SLACK, "the reader's buffer has that room");
#define BULK MIB(10)
/* Compressed bytes that are decompressed between two looks at the clock: they fit the second cache
 * of a processor of today. */
#define GROUP KIB(256)

/* One compressed unit taken apart: a dictionary (maybe of no bytes), then blocks. */
struct parts {
	const uint8_t *src[MAX_PARTS];
	uint32_t packed[MAX_PARTS];
	size_t plain[MAX_PARTS];
	size_t count;
};

/* The list of a segment. Each chunk is units, each unit is parts; the counts are those of this one
 * and all before it. */
struct plan_chunk {
	size_t units, sources;
};

struct plan_unit {
	uint64_t at;  /* in the file */
	size_t bytes; /* there */
	size_t to;    /* in the chunk, decompressed */
	size_t parts;
};

struct plan_part {
	size_t at; /* in the unit */
	uint32_t packed;
	size_t plain;
};

struct plan_source {
	size_t at; /* in the chunk, decompressed */
	size_t len;
};

static struct {
	struct plan_chunk *chunks;
	struct plan_unit *units;
	struct plan_part *parts;
	struct plan_source *sources;
	size_t chunk_count, unit_count, part_count, source_count;
	size_t longest; /* chunk, decompressed */
	size_t widest;  /* chunk, compressed */
} plan;

static struct {
	double codec_seconds, floor_seconds;
	uint64_t chunk_bytes, source_bytes, documents;
	char *bulk;
	size_t bulk_len;
	z_stream z;
	ZSTD_DCtx *zstd;
} bench;

NO_RETURN static void fail(const char *message)
{
	fprintf(stderr, "codec: %s\n", message);
	exit(5);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t take_vint(const uint8_t **at)
{
	struct rd rd = rd_over(str_of(*at, 5));
	uint32_t value = rd_vint(&rd);

	*at += rd.pos;
	return value;
}

/* A unit of one part: its length is stored, or (bare LZ4) found by walking it. */
static const uint8_t *find_single(const uint8_t *at, size_t left, size_t length, bool bare,
				  struct parts *parts)
{
	struct err err;
	size_t packed;

	if (!bare)
		packed = length ? take_vint(&at) : 0;
	else if (lz4_block_skip(at, left, length, &packed, &err) < 0)
		fail(err.message);
	*parts = (struct parts){.count = 1};
	parts->src[0] = at;
	parts->packed[0] = (uint32_t)packed;
	parts->plain[0] = length;
	return at + packed;
}

static const uint8_t *find_preset(const uint8_t *at, size_t length, bool lz4, struct parts *parts)
{
	size_t dictionary = take_vint(&at), block = take_vint(&at), done = 0;

	parts->count = 0;
	do {
		size_t i = parts->count++;

		parts->plain[i] = i ? MIN(block, length - done) : dictionary;
		done += parts->plain[i];
		parts->packed[i] = take_vint(&at);
		parts->src[i] = at;
		at += lz4 ? 0 : parts->packed[i];
	} while (done < length);
	for (size_t i = 0; lz4 && i < parts->count; i++) {
		parts->src[i] = at;
		at += parts->packed[i];
	}
	return at;
}

static void run_lz4(const struct parts *parts, uint8_t *dst)
{
	uint8_t *to = dst;

	for (size_t i = 0; i < parts->count; i++) {
		int n = LZ4_decompress_safe_usingDict(
			(const char *)parts->src[i], (char *)to, (int)parts->packed[i],
			(int)parts->plain[i] + LZ4_ROOM, (const char *)dst,
			i ? (int)parts->plain[0] : 0);

		if (n < 0 || (size_t)n != parts->plain[i])
			fail("liblz4 refuses a block");
		to += n;
	}
}

static void run_zlib(const struct parts *parts, uint8_t *dst)
{
	uint8_t *to = dst;

	for (size_t i = 0; i < parts->count; i++) {
		if (parts->plain[i] == 0)
			continue;
		inflateReset(&bench.z);
		if (i > 0)
			inflateSetDictionary(&bench.z, dst, (uInt)parts->plain[0]);
		bench.z.next_in = (Bytef *)(uintptr_t)parts->src[i];
		bench.z.avail_in = parts->packed[i];
		bench.z.next_out = to;
		bench.z.avail_out = (uInt)parts->plain[i];
		if (inflate(&bench.z, Z_FINISH) != Z_STREAM_END || bench.z.avail_out)
			fail("zlib refuses a block");
		to += parts->plain[i];
	}
}

static void run_zstd(const struct parts *parts, uint8_t *dst)
{
	if (parts->plain[0] && ZSTD_decompressDCtx(bench.zstd, dst, parts->plain[0], parts->src[0],
						   parts->packed[0]) != parts->plain[0])
		fail("libzstd refuses a frame");
}

typedef void run_fn(const struct parts *parts, uint8_t *dst);

static run_fn *run_of(const struct stored_format *format)
{
	if (strstr(format->codec, "Zstd"))
		return run_zstd;
	return strstr(format->codec, "High") ? run_zlib : run_lz4;
}

/* One more at the end of an array that grows by doubling. */
#define ADD(array, count)                                                                     \
	({                                                                                    \
		if (((count) & ((count) - 1)) == 0)                                           \
			(array) = mem_realloc((array), 2 * ((count) + 1) * sizeof(*(array))); \
		&(array)[(count)++];                                                          \
	})

static void list_unit(const struct stored_window *w, const struct parts *parts, size_t bytes,
		      size_t to)
{
	for (size_t i = 0; i < parts->count; i++)
		*ADD(plan.parts, plan.part_count) =
			(struct plan_part){(size_t)(parts->src[i] - stored_window_at(w)),
					   parts->packed[i], parts->plain[i]};
	*ADD(plan.units, plan.unit_count) = (struct plan_unit){.at = stored_window_position(w),
							       .bytes = bytes,
							       .to = to,
							       .parts = plan.part_count};
}

/* Stands in for the reader's own decoder. */
static int decode(struct stored_fields *fields, uint8_t *dst, size_t length, struct err *err)
{
	struct stored_window *w = &fields->window;
	run_fn *run = run_of(fields->format);
	bool preset = run != run_zstd && !strstr(fields->format->codec, "Lucene50");
	static struct parts parts;
	const uint8_t *end;
	size_t bytes;

	if (stored_window_want(w, 2 * length + KIB(64), err) < 0)
		return -(int)err->kind;
	if (preset)
		end = find_preset(stored_window_at(w), length, run == run_lz4, &parts);
	else
		end = find_single(stored_window_at(w), stored_window_str(w).len, length,
				  run == run_lz4, &parts);
	run(&parts, dst);
	bench.chunk_bytes += length;
	bytes = (size_t)(end - stored_window_at(w));
	list_unit(w, &parts, bytes, (size_t)(dst - fields->bytes));
	w->pos += bytes;
	return 0;
}

static size_t first_unit(size_t chunk)
{
	return chunk ? plan.chunks[chunk - 1].units : 0;
}

static void list_sources(const struct stored_fields *fields, const struct stored_chunk *chunk,
			 int32_t number)
{
	size_t packed = 0, units = first_unit(plan.chunk_count);
	struct stored_field field;
	struct err err;

	for (int32_t i = 0; i < chunk->doc_count; i++) {
		struct stored_field_cursor cursor = stored_field_cursor_at(fields, chunk, i);

		while (stored_field_next(&cursor, &field, &err) > 0) {
			if (field.number != number)
				continue;
			*ADD(plan.sources, plan.source_count) = (struct plan_source){
				(size_t)((const uint8_t *)field.bytes.ptr - chunk->bytes),
				field.bytes.len};
			bench.source_bytes += field.bytes.len;
			bench.documents++;
		}
	}
	*ADD(plan.chunks, plan.chunk_count) =
		(struct plan_chunk){plan.unit_count, plan.source_count};
	for (size_t i = units; i < plan.unit_count; i++)
		packed += plan.units[i].bytes;
	plan.longest = MAX(plan.longest, chunk->starts[chunk->doc_count]);
	plan.widest = MAX(plan.widest, packed);
}

static const uint8_t *take_unit(struct stored_window *w, size_t i)
{
	const struct plan_unit *unit = &plan.units[i];
	const uint8_t *bytes;
	struct err err;

	if (stored_window_skip(w, unit->at - stored_window_position(w), &err) < 0 ||
	    stored_window_need(w, unit->bytes, &err) < 0)
		fail(err.message);
	bytes = stored_window_at(w);
	w->pos += unit->bytes;
	return bytes;
}

static void run_unit(run_fn *run, size_t i, const uint8_t *bytes, uint8_t *chunk)
{
	const struct plan_unit *unit = &plan.units[i];
	size_t first = i ? plan.units[i - 1].parts : 0;
	static struct parts parts;

	parts.count = unit->parts - first;
	for (size_t j = 0; j < parts.count; j++) {
		const struct plan_part *part = &plan.parts[first + j];

		parts.src[j] = bytes + part->at;
		parts.packed[j] = part->packed;
		parts.plain[j] = part->plain;
	}
	run(&parts, chunk + unit->to);
}

/* Of a chunk, into the bulk. */
static void copy_sources(size_t i, const uint8_t *chunk)
{
	for (size_t j = i ? plan.chunks[i - 1].sources : 0; j < plan.chunks[i].sources; j++) {
		const struct plan_source *source = &plan.sources[j];

		if (bench.bulk_len + source->len > BULK)
			bench.bulk_len = 0;
		if (source->len <= BULK)
			memcpy(bench.bulk + bench.bulk_len, chunk + source->at, source->len);
		bench.bulk_len += source->len;
	}
}

/* Chunks from the first on, their bytes one after the other; returns the first that is not there.
 */
static size_t stage_group(struct stored_window *w, size_t chunk, uint8_t *staged)
{
	size_t unit = first_unit(chunk), len = 0;

	for (; chunk < plan.chunk_count && len < GROUP; chunk++)
		for (; unit < plan.chunks[chunk].units; unit++) {
			memcpy(staged + len, take_unit(w, unit), plan.units[unit].bytes);
			len += plan.units[unit].bytes;
		}
	return chunk;
}

static void run_codec(struct stored_window *w, run_fn *run, uint8_t *chunk)
{
	uint8_t *staged = mem_alloc(GROUP + plan.widest);

	for (size_t i = 0, end, unit = 0; i < plan.chunk_count;) {
		const uint8_t *at = staged;
		double start;

		end = stage_group(w, i, staged);
		start = now();
		for (; i < end; i++) {
			for (; unit < plan.chunks[i].units; at += plan.units[unit++].bytes)
				run_unit(run, unit, at, chunk);
			copy_sources(i, chunk);
		}
		bench.codec_seconds += now() - start;
	}
	free(staged);
}

static void run_floor(struct stored_window *w, run_fn *run, uint8_t *chunk)
{
	double start = now();

	for (size_t i = 0, unit = 0; i < plan.chunk_count; i++) {
		for (; unit < plan.chunks[i].units; unit++)
			run_unit(run, unit, take_unit(w, unit), chunk);
		copy_sources(i, chunk);
	}
	bench.floor_seconds += now() - start;
}

/* Over the segment that was listed, from its file's start to its end. */
static void run_listed(const struct stored_fields *fields,
		       void (*pass)(struct stored_window *w, run_fn *run, uint8_t *chunk))
{
	uint8_t *chunk = mem_alloc(plan.longest + LZ4_BLOCK_SLACK);
	struct stored_window w;
	struct err err;

	stored_window_init(&w, fields->source, false);
	if (stored_window_end(&w, fields->window.has_footer, &err) < 0)
		fail(err.message);
	pass(&w, run_of(fields->format), chunk);
	if (stored_window_skip(&w, stored_window_left(&w), &err) < 0 ||
	    stored_window_finish(&w, &err) < 0)
		fail(err.message);
	stored_window_release(&w);
	free(chunk);
}

static void run_segment(struct lucene_directory *dir, const struct segment_commit *commit)
{
	const struct field_info *source;
	struct segment_reader *segment;
	struct stored_format format;
	struct stored_chunk chunk;
	struct err err = {0};
	int got;

	if (segment_reader_open(dir, commit, &segment, &err) < 0)
		fail(err.message);
	source = field_infos_find(&segment->field_infos, STR("_source"));
	format = *segment->stored->format;
	format.decode = decode;
	segment->stored->format = &format;
	while ((got = stored_fields_next_chunk(segment->stored, NULL, &chunk, &err)) > 0)
		list_sources(segment->stored, &chunk, source ? source->number : -1);
	if (got < 0)
		fail(err.message);
	run_listed(segment->stored, run_codec);
	run_listed(segment->stored, run_floor);
	plan.chunk_count = plan.unit_count = plan.part_count = plan.source_count = 0;
	segment_reader_close(segment);
}

static void run_shard(const struct snapshot *snapshot, const struct snapshot_index *index,
		      int32_t number)
{
	struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct snapshot_shard *shard;
	struct segment_infos infos;
	struct err err = {0};

	if (snapshot_shard_open(snapshot, index, number, &shard, &err) < 0 ||
	    segment_infos_read(shard->directory, &mem, &infos, &err) < 0)
		fail(err.message);
	for (size_t i = 0; i < infos.count; i++)
		run_segment(shard->directory, &infos.segments[i]);
	arena_release(&mem);
	snapshot_shard_close(shard);
}

static void run_index(const struct snapshot *snapshot, const struct snapshot_index *index)
{
	struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct index_metadata metadata;
	struct err err = {0};

	if (snapshot_index_metadata(snapshot, index, &mem, &metadata, &err) < 0)
		fail(err.message);
	for (int32_t shard = 0; shard < metadata.shard_count; shard++)
		run_shard(snapshot, index, shard);
	arena_release(&mem);
}

int main(int argc, char **argv)
{
	struct repository *repository;
	struct snapshot *snapshot;
	struct blob_store *store;
	struct err err = {0};

	if (argc != 3) {
		fprintf(stderr, "usage: codec REPO SNAPSHOT\n");
		return 2;
	}
	bench.bulk = mem_alloc(BULK);
	bench.zstd = ZSTD_createDCtx();
	inflateInit2(&bench.z, -15);
	if (blob_store_open(argv[1], &store, &err) < 0 ||
	    repository_open(store, &repository, &err) < 0 ||
	    snapshot_open(repository, str_from(argv[2]), &snapshot, &err) < 0)
		fail(err.message);
	for (size_t i = 0; i < snapshot->index_count; i++)
		run_index(snapshot, &snapshot->indices[i]);
	printf("{\"codec_seconds\":%.3f,\"floor_seconds\":%.3f,"
	       "\"chunk_bytes\":%llu,\"source_bytes\":%llu,\"documents\":%llu}\n",
	       bench.codec_seconds, bench.floor_seconds, (unsigned long long)bench.chunk_bytes,
	       (unsigned long long)bench.source_bytes, (unsigned long long)bench.documents);
	snapshot_close(snapshot);
	repository_close(repository);
	blob_store_close(store);
	return 0;
}
