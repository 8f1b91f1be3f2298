/* Documents of a term (.doc), from its start on:
 *
 *   blocks of 128 (104: 256): documents | frequencies | ... last: fewer than a block
 *     41, 50    each plain                     last: vInt delta << 1 | (freq is 1) [vInt freq] ...
 *     84, 90    deltas in lanes (u8 bits; 0: all are 1), frequencies patched        last: the same
 *     (90: deltas patched)
 *     ES812     as 90
 *     99        as 84                          last: deltas << 1 | ... in groups of four (u8 with
 *                                              four lengths - 1, then their bytes), then vInt freqs
 *     912 on    vLong bytes to pass over before each; before 32 full ones vInt documents,
 *               vLong bytes, [where frequencies are kept u16 bytes to pass over]
 *     101 on    deltas: bits below 0: - words of 64 bits, a bit each document
 *   without frequencies: without those, and the last ones not shifted
 *
 * Positions of a term (.pos): blocks of 128 (256) deltas, plain or patched, one behind the other;
 * then vInt delta [payloads: << 1 | (another length: vInt), bytes] [offsets: vInt << 1 | (another
 * length: vInt)]. They begin anew with each document.
 *
 * A term of one document has it in the dictionary, and no bytes here. What the dictionary has of
 * a term (each number less the one of the term before, but in the first of a block):
 *
 *   41, 50  vLong doc, [pos, [pay]] | vInt document, of one | vLong, of more positions than a block
 *           | vLong, of more documents than a block
 *           (version 0 of 41: vInt document, of one, else vLong doc | vLong pos | vLong, of more
 *           positions than a block | vLong pay, of so many or more | vLong, of more documents)
 *   84 on   vLong doc << 1 [vInt document], or (zigzag document) << 1 | 1 | vLong pos | pay | ...
 *
 * "es090" of Elasticsearch 0.90 to 1.3 is 41, with a filter for _uid beside it (.blm) that nobody
 * needs who reads all.
 *
 * Source: Lucene41PostingsReader (4.10.4; version 0 is what 4.1.0 to 4.6.1 write), Lucene50
 * (5.5.5), 84 (8.11.3), 90, 99, 103 (backward-codecs 10.5.0), 912 (9.12.1), 101 (10.2.1), 104
 * (10.5.0); ES812PostingsReader (elasticsearch 8.19.21); Elasticsearch090PostingsFormat. */
#include "lucene/postings.h"

#include "lucene/lucene_internal.h"

#define LEVEL1_BLOCKS 32
#define PLAIN_BITS 32
#define FORMAT_SINGLE 1
#define GROUP 4
#define VERSION_41_TWO_PARTS 1

#define FORMAT_CODECS(n, codec, most)                                              \
	.name = n, .doc_codec = codec "WriterDoc", .pos_codec = codec "WriterPos", \
	.version_most = most
#define FORMAT(n, most) FORMAT_CODECS(n, n "Postings", most)
#define LONGS(narrow_most, middle_most) {64, 128, narrow_most, middle_most}

static const struct postings_format formats[] = {
	{FORMAT("Lucene41", 2), .plain = true, .skip_offset = true, .others = {.count = 128}},
	{FORMAT_CODECS("es090", "Lucene41Postings", 2), .plain = true, .skip_offset = true,
	 .others = {.count = 128}},
	{FORMAT("Lucene50", 1), .plain = true, .skip_offset = true, .others = {.count = 128}},
	{FORMAT("Lucene84", 1), .skip_offset = true, .deltas = LONGS(8, 16),
	 .others = LONGS(8, 16)},
	{FORMAT("Lucene90", 0), .patched_docs = true, .nine = true, .skip_offset = true,
	 .deltas = LONGS(8, 16), .others = LONGS(8, 16)},
	{FORMAT_CODECS("ES812Postings", "ES812Postings", 0), .patched_docs = true, .nine = true,
	 .skip_offset = true, .deltas = LONGS(8, 16), .others = LONGS(8, 16)},
	{FORMAT("Lucene99", 0), .nine = true, .skip_offset = true, .groups = true,
	 .deltas = LONGS(8, 16), .others = LONGS(8, 16)},
	{FORMAT("Lucene912", 0), .nine = true, .inline_skips = true, .groups = true,
	 .deltas = LONGS(4, 11), .others = LONGS(8, 16)},
	{FORMAT("Lucene101", 1), .nine = true, .inline_skips = true, .groups = true,
	 .deltas = {32, 128, 3, 10}, .others = {32, 128, 8, 16}},
	{FORMAT("Lucene103", 0), .nine = true, .trie = true, .inline_skips = true, .groups = true,
	 .deltas = {32, 128, 3, 10}, .others = {32, 128, 8, 16}},
	{FORMAT("Lucene104", 0), .nine = true, .trie = true, .inline_skips = true, .groups = true,
	 .deltas = {32, 256, 8, 16}, .others = {32, 256, 8, 16}},
};

const struct postings_format *postings_format_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_is(name, formats[i].name))
			return &formats[i];
	return NULL;
}

static int open_file(const struct segment_reader *segment, struct str suffix, const char *extension,
		     const struct postings_format *format, const char *codec, struct arena *mem,
		     struct checked_file *file, struct err *err)
{
	struct str name = arena_printf(mem, STR_FMT "_" STR_FMT ".%s",
				       STR_ARG(segment->commit.name), STR_ARG(suffix), extension);

	if (!name.ptr)
		return arena_fail(mem, "postings", err);
	if (checked_file_open(segment, name, suffix, codec, file, err) < 0)
		return -(int)err->kind;
	if (file->version <= format->version_most)
		return 0;
	err_set(err, ERR_UNSUPPORTED, "is of '%s' version %d, which is not supported", codec,
		file->version);
	return lucene_file_wrap(segment->files.inner, name, err);
}

/* How many bits which numbers take, behind the header: vInt version, then 32 vInts. */
static void read_plain_table(struct postings *p)
{
	byte_stream_seek(&p->doc, p->doc_file.start);
	byte_stream_vint(&p->doc);
	for (unsigned bits = 1; bits <= PLAIN_BITS; bits++) {
		uint32_t code = byte_stream_vint(&p->doc);

		if ((code & 31) + 1 != bits || code >> 5 > FORMAT_SINGLE)
			p->doc.failed = true;
		if (code >> 5 == FORMAT_SINGLE)
			p->single |= 1ULL << bits;
	}
}

int postings_open(struct postings *p, const struct segment_reader *segment,
		  const struct field_info *field, const struct postings_format *format,
		  struct str suffix, struct arena *mem, bool with_positions, struct err *err)
{
	/* From Lucene 9 on all is little-endian; words of lanes are so from their beginning. */
	bool little = !format->plain;

	p->format = format;
	p->options = field->index_options;
	p->payloads = field->payloads;
	p->with_positions = with_positions && field->index_options >= INDEX_POSITIONS;
	if (open_file(segment, suffix, "doc", format, format->doc_codec, mem, &p->doc_file, err) <
	    0)
		return -(int)err->kind;
	byte_stream_init(&p->doc, p->doc_file.source, p->doc_file.end, little);
	p->in_one_part = str_starts(str_from(format->doc_codec), STR("Lucene41")) &&
			 p->doc_file.version < VERSION_41_TWO_PARTS;
	if (format->plain)
		read_plain_table(p);
	if (byte_stream_check(&p->doc, "the table of its blocks", err) < 0)
		return lucene_file_wrap(segment->files.inner, p->doc_file.name, err);
	if (!p->with_positions)
		return 0;
	if (open_file(segment, suffix, "pos", format, format->pos_codec, mem, &p->pos_file, err) <
	    0)
		return -(int)err->kind;
	byte_stream_init(&p->pos, p->pos_file.source, p->pos_file.end, little);
	return 0;
}

void postings_close(struct postings *p)
{
	byte_stream_release(&p->doc);
	byte_stream_release(&p->pos);
	checked_file_close(&p->doc_file);
	checked_file_close(&p->pos_file);
}

static void read_starts(const struct postings *p, struct rd *meta, struct postings_term *term)
{
	if (p->options < INDEX_POSITIONS)
		return;
	term->pos_start += rd_vlong(meta);
	if (p->options >= INDEX_OFFSETS || p->payloads)
		term->pay_start += rd_vlong(meta);
}

/* Lucene41 of version 0. */
static void read_in_one_part(const struct postings *p, struct rd *meta, struct postings_term *term)
{
	uint64_t block = p->format->others.count;

	term->only_doc = term->docs == 1 ? (int32_t)rd_vint(meta) : -1;
	if (term->docs != 1)
		term->doc_start += rd_vlong(meta);
	if (p->options < INDEX_POSITIONS)
		return;
	term->pos_start += rd_vlong(meta);
	if (term->total > block)
		rd_vlong(meta);
	if ((p->options >= INDEX_OFFSETS || p->payloads) && term->total >= block)
		term->pay_start += rd_vlong(meta);
}

static void read_in_two_parts(const struct postings *p, struct rd *meta, struct postings_term *term)
{
	uint64_t code = rd_vlong(meta);

	if (!p->format->plain && (code & 1)) {
		term->only_doc =
			(int32_t)((uint32_t)term->only_doc + (uint32_t)rd_zigzag(code >> 1));
		read_starts(p, meta, term);
	} else if (p->format->plain) {
		term->doc_start += code;
		read_starts(p, meta, term);
		term->only_doc = term->docs == 1 ? (int32_t)rd_vint(meta) : -1;
	} else {
		term->doc_start += code >> 1;
		term->only_doc = term->docs == 1 ? (int32_t)rd_vint(meta) : -1;
		read_starts(p, meta, term);
	}
	if (p->options >= INDEX_POSITIONS && term->total > p->format->others.count)
		rd_vlong(meta);
}

void postings_term_read(const struct postings *p, struct rd *meta, bool first,
			struct postings_term *term)
{
	if (first)
		term->doc_start = term->pos_start = term->pay_start = 0;
	if (p->in_one_part)
		read_in_one_part(p, meta, term);
	else
		read_in_two_parts(p, meta, term);
	if (p->format->skip_offset && term->docs > p->format->others.count)
		rd_vlong(meta);
}

/* ---- positions ---- */

static uint32_t last_position(struct postings *p)
{
	uint32_t code = byte_stream_vint(&p->pos), delta = code;

	if (p->payloads) {
		delta = code >> 1;
		if (code & 1)
			p->payload_length = byte_stream_vint(&p->pos);
		byte_stream_skip(&p->pos, p->payload_length);
	}
	if (p->options >= INDEX_OFFSETS && (byte_stream_vint(&p->pos) & 1))
		p->offset_length = byte_stream_vint(&p->pos);
	return delta;
}

static void next_positions(struct postings *p)
{
	unsigned block = p->format->others.count;

	p->position_next = 0;
	p->position_count = (unsigned)MIN(p->positions_left, block);
	if (p->positions_left < block)
		for (unsigned i = 0; i < p->position_count; i++)
			p->positions[i] = last_position(p);
	else if (p->format->plain)
		packed_block_plain(&p->pos, p->single, p->positions);
	else
		packed_block_patched(&p->pos, &p->format->others, p->positions);
	p->positions_left -= p->position_count;
}

static int add_positions(struct postings *p, int32_t doc, uint32_t freq,
			 struct inversion *inversion, struct err *err)
{
	uint32_t position = 0;

	for (uint32_t i = 0; i < freq; i++) {
		if (p->position_next == p->position_count) {
			if (p->positions_left == 0)
				return err_set(err, ERR_FORMAT,
					       "has fewer positions of a term than it speaks of");
			next_positions(p);
			if (byte_stream_check(&p->pos, "positions", err) < 0)
				return -(int)err->kind;
		}
		position += p->positions[p->position_next++];
		if (inversion_add(inversion, doc, (int32_t)(position & INT32_MAX), err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* ---- documents ---- */

static bool has_freqs(const struct postings *p)
{
	return p->options >= INDEX_FREQS;
}

static void read_bits(struct postings *p, unsigned words)
{
	unsigned count = p->format->deltas.count, found = 0;
	int64_t last = -1;

	for (unsigned i = 0; i < words; i++) {
		uint64_t bits = byte_stream_64(&p->doc);

		for (; bits && found < count; bits &= bits - 1) {
			int64_t at = (int64_t)i * 64 + __builtin_ctzll(bits);

			p->docs[found++] = (uint32_t)(at - last);
			last = at;
		}
	}
	if (found < count)
		p->doc.failed = true;
}

static void read_deltas(struct postings *p)
{
	int8_t bits;

	if (p->format->plain) {
		packed_block_plain(&p->doc, p->single, p->docs);
		return;
	}
	if (p->format->patched_docs) {
		packed_block_patched(&p->doc, &p->format->deltas, p->docs);
		return;
	}
	bits = (int8_t)byte_stream_u8(&p->doc);
	if (bits < 0 && p->format->deltas.word == 32)
		read_bits(p, (unsigned)-bits);
	else if (bits == 0)
		for (unsigned i = 0; i < p->format->deltas.count; i++)
			p->docs[i] = 1;
	else
		packed_block_lanes(&p->doc, &p->format->deltas, (unsigned)bits, p->docs);
}

static void read_block(struct postings *p)
{
	if (p->format->inline_skips)
		byte_stream_skip(&p->doc, byte_stream_vlong(&p->doc));
	read_deltas(p);
	if (!has_freqs(p))
		return;
	if (p->format->plain)
		packed_block_plain(&p->doc, p->single, p->freqs);
	else
		packed_block_patched(&p->doc, &p->format->others, p->freqs);
}

static void read_last_plain(struct postings *p, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t code = byte_stream_vint(&p->doc);

		p->docs[i] = has_freqs(p) ? code >> 1 : code;
		p->freqs[i] = !has_freqs(p) || code & 1 ? 1 : byte_stream_vint(&p->doc);
	}
}

static uint32_t grouped(struct postings *p, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)byte_stream_u8(&p->doc) << 8 * i;
	return value;
}

static void read_last_grouped(struct postings *p, unsigned count)
{
	unsigned i = 0;

	for (; i + GROUP <= count; i += GROUP) {
		uint8_t lengths = byte_stream_u8(&p->doc);

		for (unsigned k = 0; k < GROUP; k++)
			p->docs[i + k] = grouped(p, (lengths >> (6 - 2 * k) & 3) + 1U);
	}
	for (; i < count; i++)
		p->docs[i] = byte_stream_vint(&p->doc);
	for (i = 0; i < count && has_freqs(p); i++) {
		bool once = p->docs[i] & 1;

		p->docs[i] >>= 1;
		p->freqs[i] = once ? 1 : byte_stream_vint(&p->doc);
	}
}

/* Before 32 full blocks. */
static void pass_level(struct postings *p)
{
	byte_stream_vint(&p->doc);
	byte_stream_vlong(&p->doc);
	if (has_freqs(p))
		byte_stream_skip(&p->doc, byte_stream_16(&p->doc));
}

static int add_documents(struct postings *p, unsigned count, int32_t *last,
			 struct inversion *inversion, struct err *err)
{
	int64_t doc = *last;

	if (byte_stream_check(&p->doc, "postings", err) < 0)
		return -(int)err->kind;
	for (unsigned i = 0; i < count; i++) {
		uint32_t freq = has_freqs(p) ? p->freqs[i] : 1;

		doc += p->docs[i];
		if (doc > INT32_MAX)
			return err_set(err, ERR_FORMAT, "has a document beyond all");
		if (freq == 0)
			return err_set(err, ERR_FORMAT, "has a term 0 times in a document");
		if ((p->with_positions ? add_positions(p, (int32_t)doc, freq, inversion, err)
				       : inversion_add(inversion, (int32_t)doc, -1, err)) < 0)
			return -(int)err->kind;
	}
	*last = (int32_t)doc;
	return 0;
}

static int invert_blocks(struct postings *p, const struct postings_term *term,
			 struct inversion *inversion, struct err *err)
{
	unsigned block = p->format->others.count;
	/* Deltas of the formats before are from 0 on, those after from -1 on. */
	int32_t last = p->format->inline_skips ? -1 : 0;
	uint32_t left = term->docs;

	byte_stream_seek(&p->doc, term->doc_start);
	for (uint32_t done = 0; left >= block; done++, left -= block) {
		if (p->format->inline_skips && done % LEVEL1_BLOCKS == 0 &&
		    left >= block * LEVEL1_BLOCKS)
			pass_level(p);
		read_block(p);
		if (add_documents(p, block, &last, inversion, err) < 0)
			return -(int)err->kind;
	}
	if (left == 0)
		return 0;
	if (p->format->groups)
		read_last_grouped(p, left);
	else
		read_last_plain(p, left);
	return add_documents(p, left, &last, inversion, err);
}

int postings_invert(struct postings *p, const struct postings_term *term,
		    struct inversion *inversion, struct err *err)
{
	p->position_next = p->position_count = 0;
	p->positions_left = term->total;
	p->payload_length = p->offset_length = 0;
	if (p->with_positions)
		byte_stream_seek(&p->pos, term->pos_start);
	if (term->docs > 1)
		return invert_blocks(p, term, inversion, err);
	if (!p->with_positions)
		return inversion_add(inversion, term->only_doc, -1, err);
	if (term->total > UINT32_MAX)
		return err_set(err, ERR_FORMAT, "has a term %llu times in one document",
			       (unsigned long long)term->total);
	return add_positions(p, term->only_doc, (uint32_t)term->total, inversion, err);
}
