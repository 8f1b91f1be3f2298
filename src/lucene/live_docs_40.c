/* The .del of Lucene 4: a vector of bits, set = live, the lowest bit of a byte first.
 *
 *   i32 -2 | header "BitVector"
 *   dense:   i32 size | i32 set bits | bytes
 *   sparse:  i32 -1 | i32 size | i32 set bits | for each byte that is not all ones:
 *            vInt bytes since the last of them | u8
 *   footer (version 2, Lucene 4.8)
 *
 * Version 0, and what has no header, is of Lucene 3. Segments of Lucene 4 inside an index of
 * Lucene 5 still have their deletes written like this.
 *
 * Source: Lucene 4.10.4 codecs/lucene40/BitVector. */
#include "lucene/lucene_internal.h"

#define VERSION_SET_IS_LIVE 1
#define VERSION_NEWEST 2

static void put_byte(uint64_t *words, size_t i, uint8_t byte)
{
	unsigned shift = 8 * (i & 7);

	words[i >> 3] = (words[i >> 3] & ~((uint64_t)0xff << shift)) | (uint64_t)byte << shift;
}

static void read_dense(struct rd *rd, size_t length, uint64_t *words)
{
	memset(words, 0, (length + 7) / 8 * sizeof(*words));
	for (size_t i = 0; i < length && !rd->failed; i++)
		put_byte(words, i, rd_u8(rd));
}

/* `words` are all ones, as far as there are documents. */
static void read_sparse(struct rd *rd, size_t length, uint64_t *words)
{
	size_t at = 0;

	while (rd_left(rd) > 0) {
		at += rd_vint(rd);
		if (at >= length)
			rd->failed = true;
		else
			put_byte(words, at, rd_u8(rd));
	}
}

static int count_live(struct live_docs *live, int32_t set, struct err *err)
{
	size_t words = ((size_t)live->max_doc + 63) / 64;
	unsigned rest = (unsigned)live->max_doc % 64;
	int64_t count = 0;

	for (size_t i = 0; i < words; i++)
		count += __builtin_popcountll(live->words[i]);
	if (rest && live->words[words - 1] >> rest)
		return err_set(err, ERR_FORMAT, "has live documents beyond the last, %d",
			       live->max_doc);
	if (count != set)
		return err_set(err, ERR_FORMAT, "has %lld live documents, and says %d",
			       (long long)count, set);
	live->live_count = (int32_t)count;
	return 0;
}

static int read_bits(struct rd *rd, int32_t max_doc, struct arena *mem, struct live_docs *out,
		     struct err *err)
{
	size_t length = ((size_t)max_doc + 7) / 8;
	int32_t size = rd_i32(rd), set;
	bool sparse = size == -1;

	if (sparse)
		size = rd_i32(rd);
	set = rd_i32(rd);
	if (rd_check(rd, "vector of bits", err) < 0)
		return -(int)err->kind;
	if (size != max_doc)
		return err_set(err, ERR_FORMAT, "is of %d documents, and the segment has %d", size,
			       max_doc);
	if (!sparse && rd_left(rd) != length)
		return err_set(err, ERR_FORMAT, "has %zu bytes of bits for %d documents",
			       rd_left(rd), max_doc);
	out->max_doc = max_doc;
	out->words = live_docs_all_set(mem, max_doc);
	if (!out->words)
		return arena_fail(mem, "live documents", err);
	if (sparse)
		read_sparse(rd, length, out->words);
	else
		read_dense(rd, length, out->words);
	if (rd_check(rd, "vector of bits", err) < 0)
		return -(int)err->kind;
	return count_live(out, set, err);
}

int live_docs_decode_40(struct str body, const struct segment_commit *commit, int32_t max_doc,
			struct arena *mem, struct live_docs *out, struct err *err)
{
	struct rd rd = rd_over(body);
	struct codec_header header;

	if (rd_be32(&rd) != BIT_VECTOR_MARK)
		return err_set(err, ERR_FORMAT, "does not start as a vector of bits of Lucene 4");
	if (codec_plain_header_expect(&rd, commit->id, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, "BitVector") || header.version < VERSION_SET_IS_LIVE ||
	    header.version > VERSION_NEWEST)
		return codec_header_unsupported(&header, err);
	if (read_bits(&rd, max_doc, mem, out, err) < 0)
		return -(int)err->kind;
	return live_docs_check_count(out, commit, err);
}
