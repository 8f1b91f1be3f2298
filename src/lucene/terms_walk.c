/* A block of terms that begin alike:
 *
 *   vInt entries << 1 | (last of its floor)
 *   suffixes, up to 8.3:  vInt length << 1 | leaf, bytes: each vInt length, suffix
 *             8.4 on:     vLong length << 3 | leaf << 2 | 0 as they are, 1 lower case, 2 LZ4; bytes
 *                         vInt length << 1 | (all one byte), lengths
 *   vInt length, stats    vInt documents, [vLong occurrences - documents]
 *             8.4 on:     vInt documents << 1, ..., or n << 1 | 1: n + 1 terms once in a document
 *   vInt length, metadata (postings.c)
 *
 * In a block that is no leaf lengths are << 1 | (a block: its place, this block's place - vLong,
 * follows the length). Of a floor the next block begins where this one ends.
 *
 * Source: SegmentTermsEnumFrame of 4.10.4, 8.11.3, 9.12.1, 10.5.0; util/compress. */
#include "lucene/terms_internal.h"

#include "base/limits.h"
#include "base/lz4_block.h"

#include <stdlib.h>

#define TERM_MOST 32766
#define DEPTH_MOST 2000
/* Of the block at hand and those that it is in, unpacked. */
#define HELD_MOST MIB(64)
/* More bytes than the two numbers of an entry take. */
#define LENGTHS_OF_ENTRY 16

enum { SUFFIXES_PLAIN, SUFFIXES_LOWER_CASE, SUFFIXES_LZ4 };

struct walk {
	struct byte_stream *tim;
	const struct terms_format *format;
	struct postings *postings;
	struct inversion *inversion;
	struct str prefix;               /* of the terms that are wanted */
	uint64_t terms_left, bytes_left; /* of all blocks: each is met once */
	size_t held;
	unsigned depth;
	char term[TERM_MOST];
};

struct block {
	struct walk *walk;
	size_t held; /* bytes */
	uint64_t start, end;
	uint32_t entries;
	bool last, leaf;
	uint8_t *bytes;                           /* all of it, unpacked */
	struct rd suffixes, lengths, stats, meta; /* lengths: of their own, or those of suffixes */
	uint32_t once;                            /* terms that are once in one document */
	struct postings_term at_hand;
	bool first;
};

static void block_release(struct block *block)
{
	if (block->walk)
		block->walk->held -= block->held;
	free(block->bytes);
}

/* Room for `more` bytes behind the `len` that are there. */
static uint8_t *room(struct block *block, size_t len, uint64_t more, struct byte_stream *s)
{
	if (s->failed || more > HELD_MOST - MIN(block->walk->held, HELD_MOST)) {
		s->failed = true;
		return NULL;
	}
	block->walk->held += (size_t)more;
	block->held += (size_t)more;
	block->bytes = mem_realloc(block->bytes, len + (size_t)more + LZ4_BLOCK_SLACK);
	return block->bytes + len;
}

/* Bytes of 32 to 63 and 96 to 127 in six bits, four in three bytes; what is none of these apart. */
static void unpack_lower_case(struct byte_stream *s, uint8_t *out, size_t len)
{
	size_t saved = len >> 2, packed = len - saved, at = 0;
	uint32_t exceptions;

	byte_stream_copy(s, out, packed);
	if (s->failed)
		return;
	for (size_t i = 0; i < saved; i++)
		out[packed + i] = (uint8_t)((out[i] & 0xc0) >> 2 | (out[saved + i] & 0xc0) >> 4 |
					    (out[2 * saved + i] & 0xc0) >> 6);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(((out[i] & 0x1f) | 0x20 | (out[i] & 0x20) << 1) - 1);
	exceptions = byte_stream_vint(s);
	for (uint32_t i = 0; i < exceptions && !s->failed; i++) {
		at += byte_stream_u8(s);
		if (at >= len)
			s->failed = true;
		else
			out[at] = byte_stream_u8(s);
	}
}

static void unpack_lz4(struct byte_stream *s, uint8_t *out, size_t len)
{
	uint64_t at = byte_stream_at(s);
	size_t most = (size_t)MIN(lz4_block_bound(len), s->end - MIN(at, s->end)), used;
	cleanup(mem_freep) uint8_t *packed = mem_alloc(most + 1);
	struct err err;

	byte_stream_copy(s, packed, most);
	if (s->failed || lz4_block_decode(packed, most, out, 0, len, &used, &err) < 0)
		s->failed = true;
	else
		byte_stream_seek(s, at + used);
}

/* Returns how many bytes of block->bytes they take. */
static size_t read_suffixes(struct walk *w, struct block *block)
{
	struct byte_stream *s = w->tim;
	uint64_t code = byte_stream_vlong(s);
	unsigned flags = w->format->compressed ? 3 : 1;
	uint64_t len = code >> flags;
	uint8_t *out = room(block, 0, len, s);

	block->leaf = w->format->compressed ? code >> 2 & 1 : code & 1;
	if (!out)
		return 0;
	if (!w->format->compressed || (code & 3) == SUFFIXES_PLAIN)
		byte_stream_copy(s, out, (size_t)len);
	else if ((code & 3) == SUFFIXES_LOWER_CASE)
		unpack_lower_case(s, out, (size_t)len);
	else if ((code & 3) == SUFFIXES_LZ4)
		unpack_lz4(s, out, (size_t)len);
	else
		s->failed = true;
	return (size_t)len;
}

static size_t read_lengths(struct walk *w, struct block *block, size_t at)
{
	struct byte_stream *s = w->tim;
	uint32_t code = w->format->compressed ? byte_stream_vint(s) : 0;
	size_t len = code >> 1;
	uint8_t *out;

	if (len > (uint64_t)block->entries * LENGTHS_OF_ENTRY)
		s->failed = true;
	out = room(block, at, len, s);
	if (out && (code & 1))
		memset(out, byte_stream_u8(s), len);
	else if (out)
		byte_stream_copy(s, out, len);
	return len;
}

static size_t read_part(struct walk *w, struct block *block, size_t at)
{
	size_t len = byte_stream_vint(w->tim);
	uint8_t *out = room(block, at, len, w->tim);

	if (out)
		byte_stream_copy(w->tim, out, len);
	return len;
}

static int load(struct walk *w, uint64_t start, struct block *block, struct err *err)
{
	size_t suffixes, lengths, stats, meta;
	uint32_t code;

	*block = (struct block){.walk = w, .start = start, .first = true};
	byte_stream_seek(w->tim, start);
	code = byte_stream_vint(w->tim);
	block->entries = code >> 1;
	block->last = code & 1;
	suffixes = read_suffixes(w, block);
	lengths = read_lengths(w, block, suffixes);
	stats = read_part(w, block, suffixes + lengths);
	meta = read_part(w, block, suffixes + lengths + stats);
	if (byte_stream_check(w->tim, "a block of terms", err) < 0)
		return -(int)err->kind;
	block->end = byte_stream_at(w->tim);
	if (block->end - start > w->bytes_left)
		return err_set(err, ERR_FORMAT,
			       "has blocks of terms that lead to one another, at byte %llu",
			       (unsigned long long)start);
	w->bytes_left -= block->end - start;
	block->suffixes = rd_over(str_of(block->bytes, suffixes));
	block->lengths = rd_over(str_of(block->bytes + suffixes, lengths));
	block->stats = rd_over(str_of(block->bytes + suffixes + lengths, stats));
	block->meta = rd_over(str_of(block->bytes + suffixes + lengths + stats, meta));
	return 0;
}

static void read_counts(struct walk *w, struct block *block)
{
	struct postings_term *term = &block->at_hand;
	uint32_t count;

	if (block->once > 0) {
		block->once--;
		term->docs = 1;
		term->total = 1;
		return;
	}
	count = rd_vint(&block->stats);
	if (w->format->compressed && (count & 1)) {
		block->once = count >> 1;
		term->docs = 1;
		term->total = 1;
		return;
	}
	term->docs = w->format->compressed ? count >> 1 : count;
	term->total = term->docs;
	if (w->postings->options != INDEX_DOCS)
		term->total += rd_vlong(&block->stats);
}

static int take_term(struct walk *w, struct block *block, size_t len, struct err *err)
{
	if (w->terms_left-- == 0)
		return err_set(err, ERR_FORMAT, "has more terms than it speaks of");
	read_counts(w, block);
	postings_term_read(w->postings, &block->meta, block->first, &block->at_hand);
	block->first = false;
	if (block->stats.failed || block->meta.failed || block->at_hand.docs == 0)
		return err_set(err, ERR_FORMAT,
			       "has a block of terms that is damaged, at byte %llu",
			       (unsigned long long)block->start);
	if (!str_starts(str_of(w->term, len), w->prefix))
		return 0;
	if (inversion_value(w->inversion, str_of(w->term, len), err) < 0)
		return -(int)err->kind;
	return postings_invert(w->postings, &block->at_hand, w->inversion, err);
}

static int walk_floor(struct walk *w, uint64_t start, size_t prefix, struct err *err);

static int take_entry(struct walk *w, struct block *block, size_t prefix, struct err *err)
{
	struct rd *lengths = w->format->compressed ? &block->lengths : &block->suffixes;
	uint32_t code = rd_vint(lengths);
	size_t len = block->leaf ? code : code >> 1;
	const uint8_t *suffix = rd_bytes(&block->suffixes, len);
	uint64_t back;

	if (!suffix || lengths->failed || len > TERM_MOST - prefix)
		return err_set(err, ERR_FORMAT,
			       "has a block of terms that is damaged, at byte %llu",
			       (unsigned long long)block->start);
	memcpy(w->term + prefix, suffix, len);
	if (block->leaf || !(code & 1))
		return take_term(w, block, prefix + len, err);
	back = rd_vlong(lengths);
	if (lengths->failed || back == 0 || back > block->start)
		return err_set(err, ERR_FORMAT,
			       "has a block of terms that is damaged, at byte %llu",
			       (unsigned long long)block->start);
	return walk_floor(w, block->start - back, prefix + len, err);
}

static int walk_block(struct walk *w, uint64_t start, size_t prefix, uint64_t *next,
		      struct err *err)
{
	cleanup(block_release) struct block block = {0};

	if (load(w, start, &block, err) < 0)
		return -(int)err->kind;
	for (uint32_t i = 0; i < block.entries; i++)
		if (take_entry(w, &block, prefix, err) < 0)
			return -(int)err->kind;
	*next = block.end;
	return block.last ? 0 : 1;
}

/* A block, and those that continue it. */
static int walk_floor(struct walk *w, uint64_t start, size_t prefix, struct err *err)
{
	int more = 1;

	if (++w->depth > DEPTH_MOST)
		return err_set(err, ERR_LIMIT, "has blocks of terms in %u levels", w->depth);
	while (more > 0)
		more = walk_block(w, start, prefix, &start, err);
	w->depth--;
	return more;
}

int terms_walk(struct byte_stream *tim, const struct terms_format *format,
	       const struct terms_field *field, struct postings *postings,
	       struct inversion *inversion, struct err *err)
{
	cleanup(mem_freep) struct walk *w = mem_alloc(sizeof(*w));

	w->tim = tim;
	w->format = format;
	w->postings = postings;
	w->inversion = inversion;
	w->prefix = field->prefix;
	w->terms_left = field->terms;
	w->bytes_left = tim->end;
	w->held = 0;
	w->depth = 0;
	if (walk_floor(w, field->root, 0, err) < 0)
		return -(int)err->kind;
	if (w->terms_left > 0)
		return err_set(err, ERR_FORMAT, "has %llu terms fewer than the %llu it speaks of",
			       (unsigned long long)w->terms_left, (unsigned long long)field->terms);
	return 0;
}
