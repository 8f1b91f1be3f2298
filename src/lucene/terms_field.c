/* Of each field:
 *
 *   vInt number | vLong terms | 8.6 to 10.2 and before: vInt length, code of the root
 *   vLong occurrences, vLong postings (where no frequencies are kept, one number) | vInt documents
 *   up to 8.3: vInt numbers of metadata | 4.9 on: least, greatest term (vInt length, bytes)
 *   8.6 to 10.2: vLong index | FST: header, u8 1 and (vInt length, bytes) or 0, u8, vLong, vLong
 *   10.3 on: vLong start of the trie, root, end
 *
 * The code of the root: a vLong (9.4 on the most significant seven bits first), place << 2 | flags.
 *
 * The root of a trie, little-endian: the two lowest bits of the first byte tell its kind
 *
 *   0     no children: bits 2 to 4 bytes of the place - 1, which follows
 *   1, 2  one child, with or without a place: u8 label, (bits 2 to 4) + 1 bytes child,
 *         (bits 5 to 7) + 1 bytes place << 2 | flags
 *   3     several: bit 5: there is a place; u16 in all, u8 label,
 *         (bits 6 to 8) + 1 bytes place << 2
 *
 * Source: BlockTreeTermsReader and FieldReader of 4.10.4, 5.5.5, 8.11.3, lucene90 of 9.12.1,
 * lucene103 of 10.5.0 (TrieReader, TrieBuilder). */
#include "lucene/lucene_internal.h"
#include "lucene/terms_internal.h"

#define OUTPUT_FLAG_BITS 2
#define KIND_LEAF 0
#define KIND_SEVERAL 3
#define KIND_ONE_WITH_PLACE 1
#define SEVERAL_HAS_PLACE 0x20

static uint64_t most_first(struct rd *rd)
{
	uint64_t value = 0;

	for (int i = 0; i < 10; i++) {
		uint8_t b = rd_u8(rd);

		value = value << 7 | (b & 0x7f);
		if (!(b & 0x80))
			return value;
	}
	rd->failed = true;
	return 0;
}

static int pass_fst(struct rd *rd, struct err *err)
{
	struct codec_header header;

	if (codec_header_read(rd, &header, err) < 0)
		return -(int)err->kind;
	if (rd_u8(rd) == 1)
		rd_string(rd);
	rd_u8(rd);
	rd_vlong(rd);
	rd_vlong(rd);
	return 0;
}

static int read_field(struct rd *rd, const struct terms_format *format, enum index_options options,
		      struct terms_field *out, struct err *err)
{
	out->terms = rd_vlong(rd);
	if (!format->trie) {
		struct rd root = rd_over(rd_string(rd));

		out->root = (format->most_first ? most_first(&root) : rd_vlong(&root)) >>
			    OUTPUT_FLAG_BITS;
		rd->failed |= root.failed;
	}
	out->total = out->postings = rd_vlong(rd);
	if (options != INDEX_DOCS)
		out->postings = rd_vlong(rd);
	rd_vint(rd);
	if (format->longs)
		rd_vint(rd);
	if (format->bounds) {
		rd_string(rd);
		rd_string(rd);
	}
	if (format->trie) {
		out->trie_start = rd_vlong(rd);
		out->trie_root = rd_vlong(rd);
		rd_vlong(rd);
	} else if (format->meta_file) {
		rd_vlong(rd);
		return rd->failed ? 0 : pass_fst(rd, err);
	}
	return 0;
}

int terms_field_find(struct rd *rd, const struct terms_format *format,
		     const struct field_infos *infos, int32_t number, struct terms_field *out,
		     struct err *err)
{
	uint32_t count = rd_vint(rd);

	*out = (struct terms_field){0};
	for (uint32_t i = 0; i < count && !rd->failed; i++) {
		int32_t at = (int32_t)rd_vint(rd);
		const struct field_info *info = field_infos_by_number(infos, at);
		struct terms_field field = {.found = true};

		if (!info)
			return err_set(err, ERR_FORMAT, "has terms of a field %d that is not there",
				       at);
		if (read_field(rd, format, info->index_options, &field, err) < 0)
			return -(int)err->kind;
		if (at == number)
			*out = field;
	}
	return rd_check(rd, "the list of fields", err);
}

static uint64_t place_of(struct rd *rd, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)rd_u8(rd) << 8 * i;
	return value;
}

uint64_t terms_trie_output(struct rd *rd)
{
	uint32_t first = rd_u8(rd);

	switch (first & 3) {
	case KIND_LEAF:
		return place_of(rd, (first >> 2 & 7) + 1);
	case KIND_SEVERAL:
		first |= (uint32_t)rd_u8(rd) << 8;
		rd_u8(rd);
		if (!(first & SEVERAL_HAS_PLACE))
			rd->failed = true;
		return place_of(rd, (first >> 6 & 7) + 1) >> OUTPUT_FLAG_BITS;
	case KIND_ONE_WITH_PLACE:
		rd_u8(rd);
		rd_skip(rd, (first >> 2 & 7) + 1);
		return place_of(rd, (first >> 5 & 7) + 1) >> OUTPUT_FLAG_BITS;
	default:
		rd->failed = true;
		return 0;
	}
}
