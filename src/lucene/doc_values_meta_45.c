/* Doc values metadata of Lucene 4.5 to 6: big-endian; entries "vInt field number, u8 type, …" until
 * vInt -1. What follows the type byte, N(t) being an entry inside an entry, number and type t
 * first:
 *
 *   numeric  vInt format | i64 missing | 5: vInt documents, MONOTONIC | 45: vInt packed version
 *            i64 offset | vLong count | 45: vInt block size
 *            0 delta: i64 min, vInt bits      1 gcd: i64 min, i64 gcd, vInt bits
 *            2 table: vInt n, i64 each, vInt bits       4 constant: i64
 *            3 addresses: 54: MONOTONIC of documents + 1; else vInt packed version, vInt block size
 *            5 sparse: u8 kind | N(numeric)
 *            49 on: i64 end   (45: no bits; 0 has no min; 2 no more than the table)
 *   binary   vInt format | i64 missing | vInt min, max length | vLong count | i64 offset
 *            1: i64 addresses | 54: MONOTONIC of count + 1, i64 end; else vInt, vInt
 *            2: 45, 49: vInt interval, i64, vInt, vInt; else i64, vInt, vInt, i64
 *   sorted          N(binary) N(numeric)
 *   sorted set      vInt 0: N(binary) N(numeric) N(numeric) | 1: N(sorted) | 2: TABLE N(binary)
 *                   N(numeric)                                        (45 version 0: as 0)
 *   sorted numeric  vInt 0: N(numeric) N(numeric) | 1: N(numeric) | 2: TABLE N(numeric)
 *   TABLE           i32 n, i64 each | i32 m, i32 each
 *   MONOTONIC       vInt shift | 21 bytes a block of 2^shift values
 *
 * `missing`: -1 every document has a value, -2 none has, else where the bits of those that have
 * lie.
 *
 * Source: Lucene 4.10.4 codecs/lucene45, lucene49, lucene410 DocValuesProducer; 5.3.2
 * codecs/lucene50, 6.6.6 codecs/lucene54. */
#include "lucene/doc_values_meta.h"

#define NO_MORE_FIELDS UINT32_MAX
#define PACKED_BYTE_ALIGNED 1 /* the packed version of Lucene 4.5; 2 from 4.8 on */
#define PACKED_NEWEST 2
#define BLOCK_SIZE_LEAST 64u
#define BLOCK_SIZE_MOST (1u << 27)
#define TERMS_BLOCK_SHIFT 4

enum numeric_format {
	DELTA = 0,
	GCD = 1,
	TABLE = 2,
	ADDRESSES = 3,
	CONSTANT = 4,
	SPARSE = 5,
};

struct old_format {
	struct doc_values_format common;
	bool packed_blocks; /* values in BlockPacked blocks, 45 */
	bool interval;      /* prefix-compressed terms say after how many an address stands */
	bool monotonic;     /* addresses are DirectMonotonic */
};

static const struct old_format formats[] = {
	{{.meta_codec = "Lucene45ValuesMetadata",
	  .data_codec = "Lucene45DocValuesData",
	  .newest_version = 2,
	  .plain = true},
	 .packed_blocks = true,
	 .interval = true},
	{{.meta_codec = "Lucene49ValuesMetadata",
	  .data_codec = "Lucene49DocValuesData",
	  .plain = true},
	 .interval = true},
	{{.meta_codec = "Lucene410ValuesMetadata",
	  .data_codec = "Lucene410DocValuesData",
	  .plain = true}},
	{{.meta_codec = "Lucene50DocValuesMetadata",
	  .data_codec = "Lucene50DocValuesData",
	  .newest_version = 1}},
	{{.meta_codec = "Lucene54DocValuesMetadata", .data_codec = "Lucene54DocValuesData"},
	 .monotonic = true},
};

/* The walk over one file. */
struct walk {
	struct rd *rd;
	struct arena *mem; /* of the entry at hand; NULL: nobody wants it */
	const struct old_format *format;
	int32_t version, max_doc;
};

const struct doc_values_format *doc_values_format_find_45(const struct codec_header *header)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_is(header->codec, formats[i].common.meta_codec) && header->version >= 0 &&
		    header->version <= formats[i].common.newest_version)
			return &formats[i].common;
	return NULL;
}

static void read_monotonic(const struct walk *w, int64_t count, struct monotonic_meta *out)
{
	rd_direct_monotonic_meta(w->rd, w->mem, count, rd_vint(w->rd), out);
}

static uint32_t read_packed_version(struct rd *rd)
{
	uint32_t version = rd_vint(rd);

	if (version < PACKED_BYTE_ALIGNED || version > PACKED_NEWEST)
		rd->failed = true;
	return version;
}

static uint32_t read_block_size(struct rd *rd)
{
	uint32_t size = rd_vint(rd);

	if (size < BLOCK_SIZE_LEAST || size > BLOCK_SIZE_MOST || (size & (size - 1))) {
		rd->failed = true;
		return BLOCK_SIZE_LEAST;
	}
	return size;
}

/* Blocks that stand in the data. */
static void read_packed_blocks(const struct walk *w, int64_t count, struct monotonic_meta *out)
{
	*out = (struct monotonic_meta){.count = (uint64_t)count, .length = -1, .in_data = true};
	out->zigzag = read_packed_version(w->rd) < PACKED_NEWEST;
	out->shift = (unsigned)__builtin_ctz(read_block_size(w->rd));
}

static void read_table(struct rd *rd, struct numeric_values *out)
{
	uint32_t size = rd_vint(rd);

	if (size > NUMERIC_TABLE_MAX) {
		rd->failed = true;
		return;
	}
	out->table_size = (int32_t)size;
	for (uint32_t i = 0; i < size; i++)
		out->table[i] = rd_i64(rd);
}

static uint8_t read_bits(struct rd *rd)
{
	uint32_t bits = rd_vint(rd);

	if (bits > 64)
		rd->failed = true;
	return rd->failed ? 0 : (uint8_t)bits;
}

/* A table's ordinals have as many bits as the last of them needs, and one at the least. */
static uint8_t bits_of_table(int32_t size)
{
	return (uint8_t)(size <= 2 ? 1 : 32 - __builtin_clz((uint32_t)size - 1));
}

/* Where values are in blocks, each says min and bits of its own; a table's are in one stream. */
static void read_values_45(struct rd *rd, enum numeric_format format, struct numeric_values *out)
{
	out->layout = NUMERIC_BLOCKS_45;
	if (format == GCD) {
		out->min = rd_i64(rd);
		out->gcd = rd_i64(rd);
	} else if (format == TABLE) {
		read_table(rd, out);
		out->layout = NUMERIC_WHOLE;
		out->bits = bits_of_table(out->table_size);
	} else if (format != DELTA) {
		rd->failed = true;
	}
}

/* The bounds of the values of each document, one more than there are documents. */
static void read_addresses(const struct walk *w, struct doc_values_meta *out)
{
	if (w->format->monotonic)
		read_monotonic(w, (int64_t)w->max_doc + 1, &out->addresses);
	else
		read_packed_blocks(w, out->values.count + 1, &out->addresses);
	out->addresses.offset = out->values.offset;
}

/* False for a sparse entry, whose values are an entry of their own. */
static bool read_values_49(const struct walk *w, enum numeric_format format,
			   struct doc_values_meta *entry)
{
	struct numeric_values *out = &entry->values;
	struct rd *rd = w->rd;

	switch (format) {
	case DELTA:
		out->min = rd_i64(rd);
		out->bits = read_bits(rd);
		break;
	case GCD:
		out->min = rd_i64(rd);
		out->gcd = rd_i64(rd);
		out->bits = read_bits(rd);
		break;
	case TABLE:
		read_table(rd, out);
		out->bits = read_bits(rd);
		break;
	case ADDRESSES:
		read_addresses(w, entry);
		break;
	case CONSTANT:
		out->min = rd_i64(rd);
		break;
	case SPARSE:
		return false;
	default:
		rd->failed = true;
	}
	return true;
}

static struct docs_with_field read_missing(const struct walk *w)
{
	struct docs_with_field docs = {
		.offset = rd_i64(w->rd), .jump_table_entries = -1, .dense_rank_power = -1};

	docs.bitset = docs.offset >= 0;
	docs.length = docs.bitset ? ((int64_t)w->max_doc + 7) / 8 : 0;
	return docs;
}

static uint64_t rd_count(struct rd *rd)
{
	uint64_t count = rd_vlong(rd);

	if (count > NUMBERS_MOST)
		rd->failed = true;
	return rd->failed ? 0 : count;
}

/* Blocks of numbers, or of addresses: the entry says both in the same way. */
static void read_blocks_45(const struct walk *w, enum numeric_format format, uint32_t version,
			   struct doc_values_meta *out)
{
	struct numeric_values *values = &out->values;

	values->block_size = read_block_size(w->rd);
	out->addresses = (struct monotonic_meta){
		.count = (uint64_t)values->count,
		.shift = (unsigned)__builtin_ctz(values->block_size),
		.offset = values->offset,
		.length = -1,
		.in_data = true,
		.zigzag = version < PACKED_NEWEST,
		.zero_left_out = true,
	};
	read_values_45(w->rd, format, values);
}

/* A numeric entry up to its end; false: its values are an entry behind it. */
static bool read_numeric_part(const struct walk *w, struct doc_values_meta *out)
{
	struct numeric_values *values = &out->values;
	struct rd *rd = w->rd;
	enum numeric_format format = (enum numeric_format)rd_vint(rd);
	uint32_t version = 0;

	*values = (struct numeric_values){.gcd = 1, .length = -1};
	out->docs = read_missing(w);
	if (format == SPARSE) {
		int64_t offset = out->docs.offset;
		uint32_t listed = rd_vint(rd);

		if (listed > (uint32_t)MAX(w->max_doc, 0))
			rd->failed = true;
		read_monotonic(w, (int64_t)listed, &out->list);
		out->list.offset = offset;
		out->docs = (struct docs_with_field){.offset = offset, .list = true};
	}
	if (w->format->packed_blocks)
		version = read_packed_version(rd);
	values->offset = rd_i64(rd);
	values->count = (int64_t)rd_count(rd);
	if (!w->format->packed_blocks)
		return read_values_49(w, format, out);
	read_blocks_45(w, format, version, out);
	return true;
}

static void read_end(const struct walk *w, struct numeric_values *values)
{
	int64_t end;

	if (w->format->packed_blocks)
		return;
	end = rd_i64(w->rd);
	if (end >= values->offset && values->offset >= 0)
		values->length = end - values->offset;
}

static void skip_nested_header(const struct walk *w, enum doc_values_entry type)
{
	rd_vint(w->rd);
	if (rd_u8(w->rd) != type)
		w->rd->failed = true;
}

static void read_numeric(const struct walk *w, struct doc_values_meta *out)
{
	struct doc_values_meta inner = {0};

	if (!read_numeric_part(w, out)) {
		rd_u8(w->rd); /* whether numbers or ordinals */
		skip_nested_header(w, ENTRY_NUMERIC);
		/* The values of a sparse entry are not sparse again. */
		if (!read_numeric_part(w, &inner))
			w->rd->failed = true;
		read_end(w, &inner.values);
		out->values = inner.values;
		read_end(w, &inner.values);
		return;
	}
	read_end(w, &out->values);
}

static void read_nested_numeric(const struct walk *w, struct doc_values_meta *out)
{
	skip_nested_header(w, ENTRY_NUMERIC);
	read_numeric(w, out);
}

static void read_binary_addresses(const struct walk *w, struct bytes_meta *out)
{
	int64_t offset = rd_i64(w->rd);

	out->layout = BYTES_VARIABLE;
	if (w->format->monotonic) {
		read_monotonic(w, out->count + 1, &out->addresses);
		rd_i64(w->rd);
	} else {
		read_packed_blocks(w, out->count + !w->format->packed_blocks, &out->addresses);
		out->addresses.zero_left_out = w->format->packed_blocks;
	}
	out->addresses.offset = offset;
}

static void read_prefix_addresses(const struct walk *w, struct bytes_meta *out)
{
	const uint32_t interval = 1u << TERMS_BLOCK_SHIFT;
	int64_t offset;

	if (w->format->interval && rd_vint(w->rd) != interval)
		w->rd->failed = true;
	offset = rd_i64(w->rd);
	out->layout = w->format->interval ? TERMS_45 : TERMS_410;
	out->block_shift = TERMS_BLOCK_SHIFT;
	read_packed_blocks(w, (out->count + interval - 1) / interval, &out->addresses);
	out->addresses.offset = offset;
	out->length = offset - out->offset;
	if (!w->format->interval)
		rd_i64(w->rd);
}

static void read_binary(const struct walk *w, struct doc_values_meta *entry)
{
	struct bytes_meta *out = &entry->bytes;
	struct rd *rd = w->rd;
	uint32_t format = rd_vint(rd);

	entry->docs = read_missing(w);
	out->length = -1;
	out->min_length = rd_vint(rd);
	out->max_length = rd_vint(rd);
	out->count = (int64_t)rd_count(rd);
	out->offset = rd_i64(rd);
	if (out->offset < 0 || format > 2)
		rd->failed = true;
	else if (format == 1)
		read_binary_addresses(w, out);
	else if (format == 2)
		read_prefix_addresses(w, out);
}

/* The terms; then the ordinals, whose set of documents is the field's. */
static void read_sorted(const struct walk *w, struct doc_values_meta *out)
{
	skip_nested_header(w, ENTRY_BINARY);
	read_binary(w, out);
	read_nested_numeric(w, out);
}

static bool is_count(int32_t count)
{
	return count >= 0 && count <= NUMERIC_TABLE_MAX;
}

static void read_set_table(struct rd *rd, struct set_table *out)
{
	int32_t values = rd_i32(rd), sets, at = 0;

	if (!is_count(values)) {
		rd->failed = true;
		return;
	}
	for (int32_t i = 0; i < values; i++)
		out->values[i] = rd_i64(rd);
	sets = rd_i32(rd);
	if (sets < 1 || !is_count(sets)) {
		rd->failed = true;
		return;
	}
	for (int32_t i = 0; i < sets && !rd->failed; i++) {
		int32_t length = rd_i32(rd);

		out->starts[i] = at;
		if (length < 0 || length > values - at)
			rd->failed = true;
		else
			at += length;
	}
	out->starts[sets] = at;
	out->count = sets;
}

/* Where each document's values are. What the addresses say of documents is the field's: all. */
static void read_bounds(const struct walk *w, struct doc_values_meta *out)
{
	struct doc_values_meta bounds = {0};

	read_nested_numeric(w, &bounds);
	out->several = true;
	out->addresses = bounds.addresses;
	out->docs = bounds.docs;
}

static void read_sorted_set(const struct walk *w, struct doc_values_meta *out)
{
	bool says = !w->format->packed_blocks || w->version > 0;
	uint32_t format = says ? rd_vint(w->rd) : 0;

	if (format == 1) {
		skip_nested_header(w, ENTRY_SORTED);
		read_sorted(w, out);
		return;
	}
	if (format == 2)
		read_set_table(w->rd, &out->sets);
	else if (format != 0)
		w->rd->failed = true;
	read_sorted(w, out);
	if (format == 0)
		read_bounds(w, out);
}

static void read_sorted_numeric(const struct walk *w, struct doc_values_meta *out)
{
	uint32_t format = rd_vint(w->rd);

	if (format > 2)
		w->rd->failed = true;
	if (format == 2)
		read_set_table(w->rd, &out->sets);
	read_nested_numeric(w, out);
	if (format == 0)
		read_bounds(w, out);
}

static void read_entry(const struct walk *w, uint8_t type, struct doc_values_meta *out)
{
	switch (type) {
	case ENTRY_NUMERIC:
		read_numeric(w, out);
		break;
	case ENTRY_BINARY:
		read_binary(w, out);
		break;
	case ENTRY_SORTED:
		read_sorted(w, out);
		break;
	case ENTRY_SORTED_SET:
		read_sorted_set(w, out);
		break;
	case ENTRY_SORTED_NUMERIC:
		read_sorted_numeric(w, out);
		break;
	default:
		w->rd->failed = true;
	}
}

int doc_values_entries_read_45(struct rd *rd, const struct field_infos *infos,
			       const struct doc_values_wanted *wanted, int32_t max_doc,
			       struct doc_values_meta *out, struct err *err)
{
	struct walk walk = {.rd = rd,
			    .format = (const struct old_format *)out->format,
			    .version = out->version,
			    .max_doc = max_doc};
	const struct doc_values_meta none = *out;
	struct doc_values_meta ignored;
	uint32_t next;

	while ((next = rd_vint(rd)) != NO_MORE_FIELDS && !rd->failed) {
		uint8_t type = rd_u8(rd);
		bool take = next == (uint32_t)wanted->number && type == wanted->type;
		struct doc_values_meta *entry = take ? out : &ignored;

		if (next > INT32_MAX || !field_infos_by_number(infos, (int32_t)next))
			return err_set(err, ERR_FORMAT,
				       "speaks of a field %u that the segment does not have", next);
		*entry = none;
		entry->found = true;
		walk.mem = take ? wanted->mem : NULL;
		read_entry(&walk, type, entry);
	}
	return 0;
}
