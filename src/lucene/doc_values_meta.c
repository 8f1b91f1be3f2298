/* The walk over a .dvm: index header, then entries "i32 field number, u8 type, …" until -1, which
 * stands right before the footer. Sources: at the generations. */
#include "lucene/doc_values_meta.h"

#include "lucene/codec_file.h"
#include "lucene/direct_monotonic.h"

#define NO_MORE_FIELDS (-1)
#define BLOCK_SHIFT_MAX 30
#define TERMS_MAX ((uint64_t)1 << 48)

struct docs_with_field rd_docs_with_field(struct rd *rd, bool jump_tables)
{
	struct docs_with_field docs = {.jump_table_entries = -1, .dense_rank_power = -1};

	docs.offset = rd_i64(rd);
	docs.length = rd_i64(rd);
	if (jump_tables) {
		docs.jump_table_entries = rd_i16(rd);
		docs.dense_rank_power = (int8_t)rd_u8(rd);
	}
	return docs;
}

/* The size of a table; -1: none; else -2 - shift of the blocks' size. */
static void read_table(struct rd *rd, struct numeric_values *out)
{
	int32_t table = rd_i32(rd);

	if (table > NUMERIC_TABLE_MAX || table < -2 - BLOCK_SHIFT_MAX) {
		rd->failed = true;
		return;
	}
	if (table < -1) {
		out->layout = NUMERIC_BLOCKS_70;
		out->block_size = (uint32_t)1 << (-2 - table);
	}
	out->table_size = MAX(table, 0);
	for (int32_t i = 0; i < table; i++)
		out->table[i] = rd_i64(rd);
}

void rd_numeric_values(struct rd *rd, bool jump_tables, struct numeric_values *out)
{
	out->count = rd_i64(rd);
	out->layout = NUMERIC_WHOLE;
	read_table(rd, out);
	out->bits = rd_u8(rd);
	out->min = rd_i64(rd);
	out->gcd = rd_i64(rd);
	out->offset = rd_i64(rd);
	out->length = rd_i64(rd);
	if (jump_tables)
		rd_i64(rd);
}

void rd_ordinals(struct rd *rd, int64_t count, struct numeric_values *out)
{
	*out = (struct numeric_values){.count = count, .gcd = 1, .layout = NUMERIC_WHOLE};
	out->bits = rd_u8(rd);
	out->offset = rd_i64(rd);
	out->length = rd_i64(rd);
}

static struct monotonic_block read_line(struct rd *rd)
{
	struct monotonic_block block;
	uint32_t average;

	block.min = rd_i64(rd);
	average = (uint32_t)rd_i32(rd);
	memcpy(&block.average, &average, sizeof(average));
	block.data = (uint64_t)rd_i64(rd);
	block.bits = rd_u8(rd);
	return block;
}

void rd_direct_monotonic_meta(struct rd *rd, struct arena *mem, int64_t count, uint32_t shift,
			      struct monotonic_meta *out)
{
	uint64_t blocks;

	*out = (struct monotonic_meta){.count = (uint64_t)count, .shift = shift, .length = -1};
	if (count < 0 || shift < 1 || shift > BLOCK_SHIFT_MAX) {
		rd->failed = true;
		return;
	}
	blocks = ((uint64_t)count >> shift) + (((uint64_t)count & ((1u << shift) - 1)) != 0);
	if (blocks > rd_left(rd) / DIRECT_MONOTONIC_META_LENGTH) {
		rd->failed = true;
	} else if (!mem) {
		rd_skip(rd, blocks * DIRECT_MONOTONIC_META_LENGTH);
	} else if (blocks > 0) {
		out->blocks = arena_zalloc(mem, (size_t)blocks, sizeof(*out->blocks));
		rd->failed |= !out->blocks;
		for (uint64_t i = 0; i < blocks && !rd->failed; i++)
			out->blocks[i] = read_line(rd);
	}
}

void rd_addresses(struct rd *rd, struct arena *mem, int64_t count, struct monotonic_meta *out)
{
	int64_t offset = rd_i64(rd);

	rd_direct_monotonic_meta(rd, mem, count, rd_vint(rd), out);
	out->offset = offset;
	out->length = rd_i64(rd);
}

void rd_sorted_numeric(struct rd *rd, struct arena *mem, bool jump_tables,
		       struct doc_values_meta *out)
{
	int32_t documents;

	out->docs = rd_docs_with_field(rd, jump_tables);
	rd_numeric_values(rd, jump_tables, &out->values);
	documents = rd_i32(rd);
	out->several = documents != out->values.count;
	if (out->several)
		rd_addresses(rd, mem, (int64_t)documents + 1, &out->addresses);
}

void rd_binary_head(struct rd *rd, bool jump_tables, struct doc_values_meta *out)
{
	out->bytes.layout = BYTES_FIXED;
	out->bytes.offset = rd_i64(rd);
	out->bytes.length = rd_i64(rd);
	out->docs = rd_docs_with_field(rd, jump_tables);
	out->bytes.count = rd_i32(rd);
	out->bytes.min_length = rd_i32(rd);
	out->bytes.max_length = rd_i32(rd);
}

void rd_binary_addresses(struct rd *rd, struct arena *mem, struct bytes_meta *out)
{
	if (out->min_length >= out->max_length)
		return;
	out->layout = BYTES_VARIABLE;
	rd_addresses(rd, mem, out->count + 1, &out->addresses);
}

int64_t rd_term_count(struct rd *rd)
{
	uint64_t count = rd_vlong(rd);

	if (count > TERMS_MAX)
		rd->failed = true;
	return rd->failed ? 0 : (int64_t)count;
}

/* How many blocks of 2^shift hold `count` terms; makes the cursor fail at an impossible shift. */
static int64_t block_count(struct rd *rd, int64_t count, uint32_t shift)
{
	if (shift > 31) {
		rd->failed = true;
		return 0;
	}
	return (count + ((int64_t)1 << shift) - 1) >> shift;
}

void rd_terms(struct rd *rd, struct arena *mem, struct bytes_meta *out)
{
	uint32_t shift = (uint32_t)rd_i32(rd), index_shift;
	struct monotonic_meta unused;

	rd_direct_monotonic_meta(rd, mem, block_count(rd, out->count, out->block_shift), shift,
				 &out->addresses);
	out->max_length = rd_i32(rd);
	if (out->layout == TERMS_LZ4)
		out->block_most = rd_i32(rd);
	out->offset = rd_i64(rd);
	out->length = rd_i64(rd);
	out->addresses.offset = rd_i64(rd);
	out->addresses.length = rd_i64(rd);
	index_shift = (uint32_t)rd_i32(rd);
	rd_direct_monotonic_meta(rd, NULL, 1 + block_count(rd, out->count, index_shift), shift,
				 &unused);
	rd_skip(rd, 32); /* index and its addresses */
}

static const struct doc_values_format *find_format(const struct codec_header *header)
{
	static const struct doc_values_format *const formats[] = {
		&doc_values_format_70, &doc_values_format_80, &doc_values_format_90};

	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_is(header->codec, formats[i]->meta_codec) && header->version >= 0 &&
		    header->version <= formats[i]->newest_version)
			return formats[i];
	return NULL;
}

static int read_entries_70(struct rd *rd, const struct field_infos *infos,
			   const struct doc_values_wanted *wanted, struct doc_values_meta *out,
			   struct err *err)
{
	const struct doc_values_meta none = *out;
	struct doc_values_meta ignored;
	const struct field_info *field;
	int32_t next;

	while ((next = rd_i32(rd)) != NO_MORE_FIELDS && !rd->failed) {
		uint8_t type = rd_u8(rd);
		bool take = next == wanted->number && type == wanted->type;
		struct doc_values_meta *entry = take ? out : &ignored;

		field = field_infos_by_number(infos, next);
		if (!field)
			return err_set(err, ERR_FORMAT,
				       "speaks of a field %d that the segment does not have", next);
		*entry = none;
		entry->found = true;
		out->format->read_entry(rd, take ? wanted->mem : NULL, field, type, entry);
	}
	return 0;
}

static int read_header(struct rd *rd, const uint8_t *id, struct str suffix, bool *old,
		       struct doc_values_meta *out, struct err *err)
{
	struct rd peek = *rd;
	struct codec_header header;

	if (codec_header_read(&peek, &header, err) < 0)
		return -(int)err->kind;
	out->format = find_format(&header);
	*old = !out->format;
	if (!out->format)
		out->format = doc_values_format_find_45(&header);
	if (!out->format)
		return codec_header_unsupported(&header, err);
	out->version = header.version;
	out->footer = codec_header_has_footer(&header);
	rd->little = out->format->little;
	if (out->format->plain)
		return codec_plain_header_expect(rd, id, &header, err);
	return codec_index_header_expect(rd, id, suffix, &header, err);
}

int doc_values_meta_decode_entry(struct str body, const uint8_t *id, struct str suffix,
				 const struct field_infos *infos,
				 const struct doc_values_wanted *wanted, int32_t max_doc,
				 struct doc_values_meta *out, struct err *err)
{
	struct rd rd = rd_over(body);
	bool old = false;
	int failed;

	*out = (struct doc_values_meta){0};
	if (read_header(&rd, id, suffix, &old, out, err) < 0)
		return -(int)err->kind;
	failed = old ? doc_values_entries_read_45(&rd, infos, wanted, max_doc, out, err)
		     : read_entries_70(&rd, infos, wanted, out, err);
	if (failed < 0)
		return failed;
	if (wanted->mem && wanted->mem->failed)
		return arena_fail(wanted->mem, "the addresses of doc values", err);
	if (rd_check(&rd, "list of doc values", err) < 0)
		return -(int)err->kind;
	if (rd_left(&rd) != 0)
		return err_set(err, ERR_FORMAT, "has %zu bytes behind its end mark", rd_left(&rd));
	return 0;
}

int doc_values_meta_decode(struct str body, const uint8_t *id, struct str suffix,
			   const struct field_infos *infos, int32_t number, int32_t max_doc,
			   struct doc_values_meta *out, struct err *err)
{
	const struct doc_values_wanted wanted = {.number = number, .type = ENTRY_NUMERIC};

	return doc_values_meta_decode_entry(body, id, suffix, infos, &wanted, max_doc, out, err);
}
