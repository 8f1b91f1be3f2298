/* Meta, behind a plain header ("BKD", version):
 *
 *   vInt dims | 6 on: vInt index dims | vInt most points in a leaf | vInt bytes of a dimension
 *   vInt leaves | least, greatest value (index dims each) | vLong points | vInt documents
 *   4 on: vInt bytes of the inner nodes
 *
 * Leaves lie one behind the other, in the order of the tree:
 *
 *   vInt count | document ids (bkd_docs.c)
 *   each dimension: vInt length, bytes: what all values have in common
 *   5, 6, several index dims: each: least, greatest suffix
 *   2 on: i8 how | 7 on, several index dims, not -1: each: least, greatest suffix
 *     -1, 5 on: all values are the same: nothing follows    before: all suffixes, one by one
 *     -2      runs: vInt n, suffix of all dimensions
 *     d       runs: u8 first byte of the suffix of dimension d, u8 n,
 *             n x suffixes (that of d without its first byte)
 *
 * Source: util/bkd/BKDReader of Lucene 6.6.6 (versions 0 to 4), 7.7.3, 8.11.3, 10.5.0. */
#include "lucene/bkd.h"

#include "base/compiler.h"
#include "lucene/codec_file.h"

#define VERSION_COMPRESSED_VALUES 2
#define VERSION_PACKED_INDEX 4
#define VERSION_LEAF_BOUNDS 5
#define VERSION_SELECTIVE 6
#define VERSION_RUNS 7
#define VERSION_MOST 10
#define DIMS_MOST 16
#define BYTES_MOST 16
#define ALL_SAME (-1)
#define RUNS (-2)

struct leaf {
	const struct bkd *bkd;
	struct rd rd;
	uint32_t count;
	int32_t docs[BKD_LEAF_MOST];
	uint32_t prefix[DIMS_MOST];
	uint8_t value[DIMS_MOST * BYTES_MOST];
	uint8_t last[DIMS_MOST * BYTES_MOST];
	bool has_last;
};

int bkd_meta_read(struct rd *rd, struct bkd *out, struct err *err)
{
	struct codec_header header;

	*out = (struct bkd){.little = rd->little};
	if (codec_header_read(rd, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, "BKD") || header.version < 0 || header.version > VERSION_MOST)
		return codec_header_unsupported(&header, err);
	out->version = header.version;
	out->dims = out->index_dims = rd_vint(rd);
	if (out->version >= VERSION_SELECTIVE)
		out->index_dims = rd_vint(rd);
	out->leaf_most = rd_vint(rd);
	out->bytes = rd_vint(rd);
	out->leaves = rd_vint(rd);
	if (rd->failed || out->dims == 0 || out->dims > DIMS_MOST || out->index_dims > out->dims ||
	    out->bytes == 0 || out->bytes > BYTES_MOST || out->leaf_most > BKD_LEAF_MOST)
		return err_set(err, ERR_FORMAT,
			       "has points of %u dimensions of %u bytes, %u in a leaf: damaged",
			       out->dims, out->bytes, out->leaf_most);
	rd_skip(rd, 2 * (uint64_t)out->index_dims * out->bytes);
	out->points = rd_vlong(rd);
	rd_vint(rd);
	if (out->version >= VERSION_PACKED_INDEX)
		rd_vint(rd);
	return rd_check(rd, "the description of points", err);
}

static uint8_t *part_of(struct leaf *leaf, uint32_t dim)
{
	return leaf->value + (size_t)dim * leaf->bkd->bytes;
}

/* Takes what dimension `dim` has behind its first `from` bytes. */
static void take_suffix(struct leaf *leaf, uint32_t dim, uint32_t from)
{
	size_t len = leaf->bkd->bytes - from;
	const uint8_t *bytes = rd_bytes(&leaf->rd, len);

	if (bytes)
		memcpy(part_of(leaf, dim) + from, bytes, len);
}

static void take_suffixes(struct leaf *leaf)
{
	for (uint32_t dim = 0; dim < leaf->bkd->dims; dim++)
		take_suffix(leaf, dim, leaf->prefix[dim]);
}

static int read_prefixes(struct leaf *leaf, struct err *err)
{
	for (uint32_t dim = 0; dim < leaf->bkd->dims; dim++) {
		const uint8_t *bytes;

		leaf->prefix[dim] = rd_vint(&leaf->rd);
		if (leaf->prefix[dim] > leaf->bkd->bytes)
			return err_set(err, ERR_FORMAT, "has a prefix of %u bytes of %u",
				       leaf->prefix[dim], leaf->bkd->bytes);
		bytes = rd_bytes(&leaf->rd, leaf->prefix[dim]);
		if (bytes)
			memcpy(part_of(leaf, dim), bytes, leaf->prefix[dim]);
	}
	return 0;
}

static void skip_bounds(struct leaf *leaf)
{
	if (leaf->bkd->index_dims == 1)
		return;
	for (uint32_t dim = 0; dim < leaf->bkd->index_dims; dim++)
		rd_skip(&leaf->rd, 2 * (uint64_t)(leaf->bkd->bytes - leaf->prefix[dim]));
}

/* The value at hand is that of point `i`. Points of one value follow one another. */
static int put(struct leaf *leaf, uint32_t i, struct inversion *inversion, struct err *err)
{
	size_t len = (size_t)leaf->bkd->dims * leaf->bkd->bytes;

	if (leaf->rd.failed || i >= leaf->count)
		return err_set(err, ERR_FORMAT, "has a leaf of points that is damaged");
	if (!leaf->has_last || memcmp(leaf->last, leaf->value, len) != 0) {
		if (inversion_value(inversion, str_of(leaf->value, len), err) < 0)
			return -(int)err->kind;
		memcpy(leaf->last, leaf->value, len);
		leaf->has_last = true;
	}
	return inversion_add(inversion, leaf->docs[i], -1, err);
}

static int put_run(struct leaf *leaf, uint32_t from, uint32_t count, struct inversion *inversion,
		   struct err *err)
{
	for (uint32_t i = 0; i < count; i++)
		if (put(leaf, from + i, inversion, err) < 0)
			return -(int)err->kind;
	return 0;
}

static int read_plain(struct leaf *leaf, struct inversion *inversion, struct err *err)
{
	for (uint32_t i = 0; i < leaf->count; i++) {
		take_suffixes(leaf);
		if (put(leaf, i, inversion, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int read_runs(struct leaf *leaf, struct inversion *inversion, struct err *err)
{
	for (uint32_t i = 0; i < leaf->count;) {
		uint32_t run = rd_vint(&leaf->rd);

		take_suffixes(leaf);
		if (run == 0 || run > leaf->count - i)
			return err_set(err, ERR_FORMAT, "has a leaf of points that is damaged");
		if (put_run(leaf, i, run, inversion, err) < 0)
			return -(int)err->kind;
		i += run;
	}
	return 0;
}

static int read_compressed(struct leaf *leaf, uint32_t dim, struct inversion *inversion,
			   struct err *err)
{
	uint32_t at = leaf->prefix[dim]++;

	if (at >= leaf->bkd->bytes)
		return err_set(err, ERR_FORMAT, "has a leaf of points that is damaged");
	for (uint32_t i = 0; i < leaf->count;) {
		uint8_t byte = rd_u8(&leaf->rd), run = rd_u8(&leaf->rd);

		part_of(leaf, dim)[at] = byte;
		if (run == 0)
			return err_set(err, ERR_FORMAT, "has a leaf of points that is damaged");
		for (uint32_t k = 0; k < run; k++) {
			take_suffixes(leaf);
			if (put(leaf, i++, inversion, err) < 0)
				return -(int)err->kind;
		}
	}
	return 0;
}

static int read_values(struct leaf *leaf, struct inversion *inversion, struct err *err)
{
	int32_t version = leaf->bkd->version;
	int8_t how;

	if (read_prefixes(leaf, err) < 0)
		return -(int)err->kind;
	if (version == VERSION_LEAF_BOUNDS || version == VERSION_SELECTIVE)
		skip_bounds(leaf);
	how = version < VERSION_COMPRESSED_VALUES ? ALL_SAME : (int8_t)rd_u8(&leaf->rd);
	if (how == ALL_SAME && version < VERSION_LEAF_BOUNDS)
		return read_plain(leaf, inversion, err);
	if (how == ALL_SAME)
		return put_run(leaf, 0, leaf->count, inversion, err);
	if (version >= VERSION_RUNS)
		skip_bounds(leaf);
	if (how == RUNS && version >= VERSION_RUNS)
		return read_runs(leaf, inversion, err);
	if (how < 0 || (uint32_t)how >= leaf->bkd->dims)
		return err_set(err, ERR_FORMAT, "has points compressed in a way %d", how);
	return read_compressed(leaf, (uint32_t)how, inversion, err);
}

static int read_leaf(struct leaf *leaf, struct inversion *inversion, struct err *err)
{
	leaf->count = rd_vint(&leaf->rd);
	if (leaf->rd.failed || leaf->count == 0 || leaf->count > leaf->bkd->leaf_most)
		return err_set(err, ERR_FORMAT, "has a leaf of %u points, and %u are the most",
			       leaf->count, leaf->bkd->leaf_most);
	if (bkd_docs_read(&leaf->rd, leaf->bkd->version, leaf->count, leaf->docs, err) < 0)
		return -(int)err->kind;
	return read_values(leaf, inversion, err);
}

int bkd_read(const struct bkd *bkd, struct range_window *data, struct inversion *inversion,
	     struct err *err)
{
	cleanup(mem_freep) struct leaf *leaf = mem_zalloc(sizeof(*leaf));
	uint64_t at = bkd->first_leaf, points = 0;

	leaf->bkd = bkd;
	for (uint32_t i = 0; i < bkd->leaves; i++) {
		size_t len = RANGE_WINDOW_SIZE;
		const uint8_t *bytes;

		if (range_window_want(data, at, &len, &bytes, err) < 0)
			return -(int)err->kind;
		leaf->rd = rd_over(str_of(bytes, len));
		leaf->rd.little = bkd->little;
		if (read_leaf(leaf, inversion, err) < 0)
			return -(int)err->kind;
		at += leaf->rd.pos;
		points += leaf->count;
	}
	if (points != bkd->points)
		return err_set(err, ERR_FORMAT, "has %llu points and speaks of %llu",
			       (unsigned long long)points, (unsigned long long)bkd->points);
	return 0;
}
