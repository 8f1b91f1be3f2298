/* The walk over a .dvm: index header, then entries "i32 field number, u8 type, …" until -1, which
 * stands right before the footer. Sources: at the generations. */
#include "lucene/doc_values_meta.h"

#include "lucene/codec_file.h"

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

int64_t rd_skip_numeric_values(struct rd *rd, bool jump_tables)
{
	struct numeric_values values;

	rd_numeric_values(rd, jump_tables, &values);
	return values.count;
}

void rd_skip_direct_monotonic(struct rd *rd, int64_t count, uint32_t shift)
{
	uint64_t blocks;

	if (count < 0 || shift < 1 || shift > 31) {
		rd->failed = true;
		return;
	}
	blocks = ((uint64_t)count >> shift) + (((uint64_t)count & ((1u << shift) - 1)) != 0);
	if (blocks > rd_left(rd) / 21)
		rd->failed = true;
	else
		rd_skip(rd, blocks * 21);
}

void rd_skip_addresses(struct rd *rd, int64_t count)
{
	rd_i64(rd);
	rd_skip_direct_monotonic(rd, count, rd_vint(rd));
	rd_i64(rd);
}

void rd_skip_sorted_numeric(struct rd *rd, bool jump_tables)
{
	int64_t values;
	int32_t documents;

	rd_docs_with_field(rd, jump_tables);
	values = rd_skip_numeric_values(rd, jump_tables);
	documents = rd_i32(rd);
	if (documents != values)
		rd_skip_addresses(rd, (int64_t)documents + 1);
}

void rd_skip_binary(struct rd *rd, bool jump_tables)
{
	int32_t documents, min, max;

	rd_skip(rd, 16); /* offset and length */
	rd_docs_with_field(rd, jump_tables);
	documents = rd_i32(rd);
	min = rd_i32(rd);
	max = rd_i32(rd);
	if (min < max)
		rd_skip_addresses(rd, (int64_t)documents + 1);
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

void rd_skip_terms(struct rd *rd, int64_t count, uint32_t block_shift, bool compressed)
{
	uint32_t shift = (uint32_t)rd_i32(rd), index_shift;

	rd_skip_direct_monotonic(rd, block_count(rd, count, block_shift), shift);
	rd_i32(rd); /* longest term */
	if (compressed)
		rd_i32(rd); /* largest block */
	rd_skip(rd, 32);    /* terms and addresses: offset and length each */
	index_shift = (uint32_t)rd_i32(rd);
	rd_skip_direct_monotonic(rd, 1 + block_count(rd, count, index_shift), shift);
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

static void read_wanted(struct rd *rd, const struct field_info *field, struct doc_values_meta *out)
{
	const struct doc_values_format *format = out->format;

	if (format->skip_skipper)
		format->skip_skipper(rd, out->version, field);
	out->docs = rd_docs_with_field(rd, format->jump_tables);
	rd_numeric_values(rd, format->jump_tables, &out->values);
	out->found = true;
}

static int read_entries_70(struct rd *rd, const struct field_infos *infos, int32_t number,
			   struct doc_values_meta *out, struct err *err)
{
	const struct field_info *field;
	int32_t next;
	uint8_t type;

	while ((next = rd_i32(rd)) != NO_MORE_FIELDS && !rd->failed) {
		type = rd_u8(rd);
		field = field_infos_by_number(infos, next);
		if (!field)
			return err_set(err, ERR_FORMAT,
				       "speaks of a field %d that the segment does not have", next);
		if (next == number && type == ENTRY_NUMERIC)
			read_wanted(rd, field, out);
		else
			out->format->skip_entry(rd, out->version, field, type);
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

int doc_values_meta_decode(struct str body, const uint8_t *id, struct str suffix,
			   const struct field_infos *infos, int32_t number, int32_t max_doc,
			   struct doc_values_meta *out, struct err *err)
{
	struct rd rd = rd_over(body);
	bool old = false;
	int failed;

	*out = (struct doc_values_meta){0};
	if (read_header(&rd, id, suffix, &old, out, err) < 0)
		return -(int)err->kind;
	failed = old ? doc_values_entries_read_45(&rd, infos, number, max_doc, out, err)
		     : read_entries_70(&rd, infos, number, out, err);
	if (failed < 0)
		return failed;
	if (rd_check(&rd, "list of doc values", err) < 0)
		return -(int)err->kind;
	if (rd_left(&rd) != 0)
		return err_set(err, ERR_FORMAT, "has %zu bytes behind its end mark", rd_left(&rd));
	return 0;
}
