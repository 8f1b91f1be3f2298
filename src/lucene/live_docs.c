/* The .liv: index header with the delete generation as suffix, then a bit for each document in
 * words of 64, set = live. Big-endian in format 50, little-endian in 90.
 *
 * Source: Lucene 9.12.1 codecs/lucene90/Lucene90LiveDocsFormat and backward-codecs
 * Lucene50LiveDocsFormat. */
#include "lucene/lucene_internal.h"

static size_t word_count(int32_t max_doc)
{
	return ((size_t)max_doc + 63) / 64;
}

/* The bits of the last word that stand for documents. */
static uint64_t last_mask(int32_t max_doc)
{
	return max_doc % 64 == 0 ? UINT64_MAX : ((uint64_t)1 << (max_doc % 64)) - 1;
}

uint64_t *live_docs_all_set(struct arena *mem, int32_t max_doc)
{
	size_t count = word_count(max_doc);
	uint64_t *words = arena_alloc(mem, count * sizeof(*words));

	if (!words)
		return NULL;
	memset(words, 0xff, count * sizeof(*words));
	if (count > 0)
		words[count - 1] = last_mask(max_doc);
	return words;
}

bool live_docs_any(const struct live_docs *live, int32_t first, int32_t count)
{
	int32_t doc = first, end = first + count;

	if (!live->words)
		return count > 0;
	while (doc < end) {
		uint64_t word = live->words[doc >> 6] >> (doc & 63);
		int32_t span = MIN(64 - (doc & 63), end - doc);

		if (span < 64)
			word &= ((uint64_t)1 << span) - 1;
		if (word)
			return true;
		doc += span;
	}
	return false;
}

static int read_words(struct rd *rd, int32_t max_doc, uint64_t *words, int32_t *live_count,
		      struct err *err)
{
	size_t count = word_count(max_doc);
	int64_t live = 0;

	for (size_t i = 0; i < count; i++) {
		words[i] = (uint64_t)rd_i64(rd);
		live += __builtin_popcountll(words[i]);
	}
	if (count > 0 && (words[count - 1] & ~last_mask(max_doc)))
		return err_set(err, ERR_FORMAT, "has live documents beyond the last, %d", max_doc);
	*live_count = (int32_t)live;
	return 0;
}

int live_docs_check_count(const struct live_docs *live, const struct segment_commit *commit,
			  struct err *err)
{
	int32_t dead = live->max_doc - live->live_count;

	if (dead != commit->del_count)
		return err_set(err, ERR_FORMAT, "has %d dead documents, and the commit says %d",
			       dead, commit->del_count);
	return 0;
}

int live_docs_decode(struct str body, const struct segment_commit *commit, int32_t max_doc,
		     struct arena *mem, struct live_docs *out, struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	char text[GENERATION_TEXT];
	struct codec_header header;

	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	rd.little = str_is(header.codec, "Lucene90LiveDocs");
	if (header.version != 0 || (!rd.little && !str_is(header.codec, "Lucene50LiveDocs")))
		return codec_header_unsupported(&header, err);
	if (codec_index_header_expect(&rd, commit->id, generation_text(commit->del_gen, text),
				      &header, err) < 0)
		return -(int)err->kind;
	if (rd_left(&rd) != word_count(max_doc) * 8)
		return err_set(err, ERR_FORMAT, "has %zu bytes of bits for %d documents",
			       rd_left(&rd), max_doc);
	out->max_doc = max_doc;
	out->words = arena_alloc(mem, word_count(max_doc) * sizeof(*out->words));
	if (!out->words)
		return arena_fail(mem, "live documents", err);
	if (read_words(&rd, max_doc, out->words, &out->live_count, err) < 0)
		return -(int)err->kind;
	return live_docs_check_count(out, commit, err);
}

int live_docs_read(struct lucene_directory *dir, const struct segment_commit *commit,
		   int32_t max_doc, struct arena *mem, struct live_docs *out, struct err *err)
{
	char text[GENERATION_TEXT];
	struct str name, body;
	int failed;

	*out = (struct live_docs){.max_doc = max_doc, .live_count = max_doc};
	if (commit->del_gen < 0)
		return 0;
	name = arena_printf(mem, STR_FMT "_" STR_FMT "%s", STR_ARG(commit->name),
			    STR_ARG(generation_text(commit->del_gen, text)),
			    commit->id ? ".liv" : ".del");
	if (!name.ptr)
		return arena_fail(mem, "live documents", err);
	if (lucene_file_read(dir, name, mem, &body, err) < 0)
		return -(int)err->kind;
	failed = commit->id ? live_docs_decode(body, commit, max_doc, mem, out, err)
			    : live_docs_decode_40(body, commit, max_doc, mem, out, err);
	return failed < 0 ? lucene_file_wrap(dir, name, err) : 0;
}
