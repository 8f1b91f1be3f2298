/* The .fnm of Lucene 4.0 to 5.5, behind its header:
 *
 *   vInt n, then n fields:
 *     string name | vInt number | u8 bits
 *     40, 42: u8 norms type << 4 | doc values type
 *     46:     u8 norms type << 4 | doc values type | i64 doc values generation
 *     50:     u8 index options | u8 doc values type | i64 doc values generation
 *     map of attributes
 *
 * Maps start with their number as i32, in version 1 of format 50 (Lucene 5.1) as vInt. Format 40
 * has doc values types of its own, several of which became one. Integers are big-endian. The header
 * has an id and a suffix from format 50 on.
 *
 * Source: Lucene 4.10.4 codecs/lucene40/Lucene40FieldInfosReader, codecs/lucene42 and 46;
 * Lucene 5.2.1 codecs/lucene50/Lucene50FieldInfosFormat. */
#include "lucene/lucene_internal.h"

/* The least a field takes: a name of no byte, number, bits, types and an empty map. */
#define FIELD_LEAST_BYTES 5
#define IMPOSSIBLE 0xff
/* The bits of a field; where the options are a byte of their own, only payloads are told here. */
#define BIT_INDEXED 0x01u
#define BIT_OFFSETS 0x04u
#define BIT_PAYLOADS 0x20u
#define BIT_ONLY_DOCS 0x40u
#define BIT_NO_POSITIONS 0x80u
#define BIT_PAYLOADS_50 0x04u

struct format {
	const char *codec;
	int32_t version;
	bool own_types, generation, index_options, new_maps, id;
};

static const struct format formats[] = {
	{"Lucene40FieldInfos", 0, .own_types = true},
	{"Lucene42FieldInfos", 0, .own_types = false},
	{"Lucene46FieldInfos", 0, .generation = true},
	{"Lucene46FieldInfos", 1, .generation = true},
	{"Lucene46FieldInfos", 2, .generation = true},
	{"Lucene50FieldInfos", 0, .generation = true, .index_options = true, .id = true},
	{"Lucene50FieldInfos", 1, .generation = true, .index_options = true, .id = true,
	 .new_maps = true},
};

static const struct format *find_format(const struct codec_header *header)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_is(header->codec, formats[i].codec) &&
		    header->version == formats[i].version)
			return &formats[i];
	return NULL;
}

bool field_infos_is_40(const struct codec_header *header)
{
	return find_format(header) != NULL;
}

/* What Lucene 4.2 and later read of the fourteen types that 4.0 and 4.1 had. */
static uint8_t type_of_40(uint8_t type)
{
	static const uint8_t types[] = {
		[0] = DOC_VALUES_NONE,     [1] = DOC_VALUES_NUMERIC, /* integers of any size */
		[2] = DOC_VALUES_NUMERIC,                            /* float */
		[3] = DOC_VALUES_NUMERIC,                            /* double */
		[4] = DOC_VALUES_BINARY,                             /* of one length */
		[5] = DOC_VALUES_BINARY,                             /* of one length, each once */
		[6] = DOC_VALUES_BINARY,                             /* of any length */
		[7] = DOC_VALUES_BINARY,                             /* of any length, each once */
		[8] = DOC_VALUES_NUMERIC,                            /* 16 bits */
		[9] = DOC_VALUES_NUMERIC,                            /* 32 bits */
		[10] = DOC_VALUES_NUMERIC,                           /* 64 bits */
		[11] = DOC_VALUES_NUMERIC,                           /* 8 bits */
		[12] = DOC_VALUES_SORTED,                            /* of one length */
		[13] = DOC_VALUES_SORTED,                            /* of any length */
	};

	return type < COUNT_OF(types) ? types[type] : IMPOSSIBLE;
}

static enum index_options options_of(uint8_t bits)
{
	if (!(bits & BIT_INDEXED))
		return INDEX_NONE;
	if (bits & BIT_ONLY_DOCS)
		return INDEX_DOCS;
	if (bits & BIT_NO_POSITIONS)
		return INDEX_FREQS;
	return bits & BIT_OFFSETS ? INDEX_OFFSETS : INDEX_POSITIONS;
}

static int read_field(struct rd *rd, const struct format *format, struct arena *mem,
		      struct field_info *out, struct err *err)
{
	uint8_t types, bits, options;
	size_t attributes;

	out->name = rd_string(rd);
	out->number = (int32_t)rd_vint(rd);
	bits = rd_u8(rd);
	options = format->index_options ? rd_u8(rd) : (uint8_t)options_of(bits);
	out->payloads = bits & (format->index_options ? BIT_PAYLOADS_50 : BIT_PAYLOADS);
	types = rd_u8(rd);
	/* From format 50 on, the byte has no second type in it. */
	if (!format->index_options)
		types &= 0xf;
	if (format->own_types)
		types = type_of_40(types);
	out->doc_values_gen = format->generation ? rd_i64(rd) : -1;
	attributes = format->new_maps ? rd_vint(rd) : rd_be32(rd);
	if (rd_check(rd, "list of fields", err) < 0 ||
	    field_infos_read_attributes(rd, attributes, mem, out, err) < 0 ||
	    rd_check(rd, "list of fields", err) < 0)
		return -(int)err->kind;
	if (out->number < 0 || options > INDEX_OFFSETS || types > DOC_VALUES_SORTED_NUMERIC ||
	    out->doc_values_gen < -1)
		return err_set(err, ERR_FORMAT, "describes the field '" STR_FMT "' impossibly",
			       STR_ARG(out->name));
	out->index_options = (enum index_options)options;
	out->doc_values = (enum doc_values_type)types;
	return 0;
}

int field_infos_decode_40(struct str body, const uint8_t *id, struct str generation,
			  struct arena *mem, struct field_infos *out, struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	const struct format *format;
	struct codec_header header;
	size_t count;

	*out = (struct field_infos){0};
	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	format = find_format(&header);
	if (!format)
		return codec_header_unsupported(&header, err);
	if ((format->id ? codec_index_header_expect(&rd, id, generation, &header, err)
			: codec_plain_header_expect(&rd, id, &header, err)) < 0)
		return -(int)err->kind;
	out->format = header.codec;
	out->version = header.version;
	count = rd_vint(&rd);
	if (count > rd_left(&rd) / FIELD_LEAST_BYTES)
		return err_set(err, ERR_FORMAT, "cannot hold the %zu fields it speaks of", count);
	out->fields = arena_zalloc(mem, count, sizeof(*out->fields));
	if (!out->fields)
		return arena_fail(mem, "the list of fields", err);
	for (out->count = 0; out->count < count; out->count++)
		if (read_field(&rd, format, mem, &out->fields[out->count], err) < 0)
			return -(int)err->kind;
	if (rd_left(&rd) != 0)
		return err_set(err, ERR_FORMAT, "has %zu bytes too many", rd_left(&rd));
	return field_infos_sort(out, err);
}
