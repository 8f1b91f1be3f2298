/* The .fnm of Lucene 6 to 10, behind its index header:
 *
 *   vInt n, then n fields:
 *     string name | vInt number | u8 bits (0x08 soft-deletes field)
 *     u8 index options | u8 doc values type | 94 version 2: u8 skip index type
 *     i64 doc values generation | map of attributes
 *     vInt point dimensions; if not 0: [vInt index dimensions,] vInt bytes each
 *     90, 94: vInt vector dimension | 94: u8 vector encoding | 90, 94: u8 similarity
 *
 * The index dimensions came with version 2 of format 60. Integers are big-endian in 60,
 * little-endian from 90 on.
 *
 * Source: Lucene 10.5.0 codecs/lucene94/Lucene94FieldInfosFormat, and of backward-codecs 9.12.1
 * Lucene90FieldInfosFormat, Lucene60FieldInfosFormat. */
#include "lucene/lucene_internal.h"

#include <stdlib.h>

#define BIT_PAYLOADS 0x04u
#define BIT_SOFT_DELETES 0x08u
/* The least a field takes: a name of no byte, all numbers small, no attribute. */
#define FIELD_LEAST_BYTES 15

struct format {
	const char *codec;
	int32_t version;
	bool little;
	bool soft_deletes, index_dimensions, vectors, vector_encoding, skip_index;
};

static const struct format formats[] = {
	{"Lucene60FieldInfos", 0, .little = false},
	{"Lucene60FieldInfos", 1, .soft_deletes = true},
	{"Lucene60FieldInfos", 2, .soft_deletes = true, .index_dimensions = true},
	{"Lucene90FieldInfos", 0, .little = true, .soft_deletes = true, .index_dimensions = true,
	 .vectors = true},
	{"Lucene94FieldInfos", 0, .little = true, .soft_deletes = true, .index_dimensions = true,
	 .vectors = true, .vector_encoding = true},
	{"Lucene94FieldInfos", 1, .little = true, .soft_deletes = true, .index_dimensions = true,
	 .vectors = true, .vector_encoding = true},
	{"Lucene94FieldInfos", 2, .little = true, .soft_deletes = true, .index_dimensions = true,
	 .vectors = true, .vector_encoding = true, .skip_index = true},
};

static const struct format *find_format(const struct codec_header *header)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_is(header->codec, formats[i].codec) &&
		    header->version == formats[i].version)
			return &formats[i];
	return NULL;
}

int field_infos_read_attributes(struct rd *rd, size_t count, struct arena *mem,
				struct field_info *out, struct err *err)
{
	/* Each takes two lengths at least. */
	if (count > rd_left(rd) / 2)
		return err_set(err, ERR_FORMAT, "cannot hold the %zu attributes it speaks of",
			       count);
	if (count == 0)
		return 0;
	out->attributes = arena_zalloc(mem, count, sizeof(*out->attributes));
	if (!out->attributes)
		return arena_fail(mem, "field attributes", err);
	for (size_t i = 0; i < count; i++) {
		out->attributes[i].key = rd_string(rd);
		out->attributes[i].value = rd_string(rd);
	}
	out->attribute_count = count;
	return 0;
}

/* The number of dimensions of the points. */
static uint32_t read_points_and_vectors(struct rd *rd, const struct format *format)
{
	uint32_t dimensions = rd_vint(rd);

	if (dimensions != 0) {
		if (format->index_dimensions)
			rd_vint(rd);
		rd_vint(rd);
	}
	if (format->vectors)
		rd_vint(rd);
	if (format->vector_encoding)
		rd_u8(rd);
	if (format->vectors)
		rd_u8(rd);
	return dimensions;
}

static int read_field(struct rd *rd, const struct format *format, struct arena *mem,
		      struct field_info *out, struct err *err)
{
	uint8_t bits, options, doc_values;

	out->name = rd_string(rd);
	out->number = (int32_t)rd_vint(rd);
	bits = rd_u8(rd);
	out->soft_deletes = format->soft_deletes && (bits & BIT_SOFT_DELETES);
	out->payloads = bits & BIT_PAYLOADS;
	options = rd_u8(rd);
	doc_values = rd_u8(rd);
	out->doc_values_skip = format->skip_index ? rd_u8(rd) : 0;
	out->doc_values_gen = rd_i64(rd);
	if (rd_check(rd, "list of fields", err) < 0 ||
	    field_infos_read_attributes(rd, rd_vint(rd), mem, out, err) < 0)
		return -(int)err->kind;
	out->point_dimensions = read_points_and_vectors(rd, format);
	if (rd_check(rd, "list of fields", err) < 0)
		return -(int)err->kind;
	if (out->number < 0 || options > INDEX_OFFSETS || doc_values > DOC_VALUES_SORTED_NUMERIC ||
	    out->doc_values_gen < -1)
		return err_set(err, ERR_FORMAT, "describes the field '" STR_FMT "' impossibly",
			       STR_ARG(out->name));
	out->index_options = (enum index_options)options;
	out->doc_values = (enum doc_values_type)doc_values;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct field_info *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

int field_infos_sort(struct field_infos *infos, struct err *err)
{
	qsort(infos->fields, infos->count, sizeof(*infos->fields), by_number);
	for (size_t i = 1; i < infos->count; i++)
		if (infos->fields[i].number == infos->fields[i - 1].number)
			return err_set(err, ERR_FORMAT, "has two fields of number %d",
				       infos->fields[i].number);
	return 0;
}

static int read_fields(struct rd *rd, const struct format *format, struct arena *mem,
		       struct field_infos *out, struct err *err)
{
	size_t count = rd_vint(rd);

	if (count > rd_left(rd) / FIELD_LEAST_BYTES)
		return err_set(err, ERR_FORMAT, "cannot hold the %zu fields it speaks of", count);
	out->fields = arena_zalloc(mem, count, sizeof(*out->fields));
	if (!out->fields)
		return arena_fail(mem, "the list of fields", err);
	for (out->count = 0; out->count < count; out->count++)
		if (read_field(rd, format, mem, &out->fields[out->count], err) < 0)
			return -(int)err->kind;
	if (rd_left(rd) != 0)
		return err_set(err, ERR_FORMAT, "has %zu bytes too many", rd_left(rd));
	return field_infos_sort(out, err);
}

int field_infos_decode(struct str body, const uint8_t *id, struct str generation, struct arena *mem,
		       struct field_infos *out, struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	const struct format *format;
	struct codec_header header;

	*out = (struct field_infos){0};
	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	if (field_infos_is_40(&header))
		return field_infos_decode_40(body, id, generation, mem, out, err);
	format = find_format(&header);
	if (!format)
		return codec_header_unsupported(&header, err);
	if (codec_index_header_expect(&rd, id, generation, &header, err) < 0)
		return -(int)err->kind;
	rd.little = format->little;
	out->format = header.codec;
	out->version = header.version;
	return read_fields(&rd, format, mem, out, err);
}

int field_infos_read(struct lucene_directory *dir, struct str segment, int64_t generation,
		     const uint8_t *id, struct arena *mem, struct field_infos *out, struct err *err)
{
	char text[GENERATION_TEXT];
	struct str suffix = generation < 0 ? STR("") : generation_text(generation, text);
	struct str name = arena_printf(mem, STR_FMT "%s" STR_FMT ".fnm", STR_ARG(segment),
				       generation < 0 ? "" : "_", STR_ARG(suffix));
	struct str body;

	if (!name.ptr)
		return arena_fail(mem, "field infos", err);
	if (lucene_file_read(dir, name, mem, &body, err) < 0)
		return -(int)err->kind;
	if (field_infos_decode(body, id, suffix, mem, out, err) < 0)
		return lucene_file_wrap(dir, name, err);
	return 0;
}

const struct field_info *field_infos_find(const struct field_infos *infos, struct str name)
{
	for (size_t i = 0; i < infos->count; i++)
		if (str_eq(infos->fields[i].name, name))
			return &infos->fields[i];
	return NULL;
}

const struct field_info *field_infos_by_number(const struct field_infos *infos, int32_t number)
{
	struct field_info wanted = {.number = number};

	if (infos->count == 0)
		return NULL;
	return bsearch(&wanted, infos->fields, infos->count, sizeof(*infos->fields), by_number);
}

struct str field_info_attribute(const struct field_info *field, const char *key)
{
	for (size_t i = 0; i < field->attribute_count; i++)
		if (str_is(field->attributes[i].key, key))
			return field->attributes[i].value;
	return STR_NONE;
}
