/* Input, big-endian: u8 postings format (of a list), u8 bits of the terms format (meta file, trie,
 * most first, longs, compressed, bounds), u8 index options | 0x40 in one part | 0x80 payloads, u16
 * documents, u8 length of the description of field 0, u16 of the .doc, u16 of the .pos; these
 * three, then the .tim: files without their footers. */
#include "fuzz.h"
#include "fuzz_lucene.h"
#include "lucene/terms_internal.h"

#define MEMORY MIB(16)
#define IN_ONE_PART 0x40
#define PAYLOADS 0x80
/* Numbers of bits that real files have whole in an i64. */
#define SINGLE 0x16

static const char *const names[] = {"Lucene41",  "Lucene50",      "Lucene84",  "Lucene90",
				    "Lucene99",  "Lucene912",     "Lucene101", "Lucene103",
				    "Lucene104", "ES812Postings", "es090"};

struct parts {
	struct bytes_source *doc, *pos, *tim;
	struct byte_stream stream;
	struct postings postings;
};

static struct str take_part(struct rd *rd, size_t len)
{
	const uint8_t *bytes = rd_bytes(rd, len);

	return str_of(bytes, bytes ? len : 0);
}

static void stream_over(struct byte_stream *stream, struct bytes_source **source, struct str bytes,
			bool little)
{
	*source = memory_source_new(bytes, STR("part"));
	byte_stream_init(stream, *source, bytes.len, little);
}

static void look(struct inversion *inversion, int32_t max_doc)
{
	struct inverted_values values;

	inversion_finish(inversion);
	for (int32_t doc = 0; doc < max_doc; doc++) {
		inversion_get(inversion, doc, &values);
		for (size_t i = 0; i < values.count; i++)
			touch(values.list[i].bytes);
	}
}

static void walk(struct parts *p, const struct terms_format *format,
		 const struct terms_field *field, int32_t max_doc)
{
	struct inversion *inversion;
	struct err err = {0};
	uint64_t pairs = p->postings.with_positions ? field->total : field->postings;

	if (inversion_new(max_doc, (int64_t)MIN(pairs, (uint64_t)MEMORY), MEMORY, &inversion,
			  &err) < 0)
		return;
	if (terms_walk(&p->stream, format, field, &p->postings, inversion, &err) == 0)
		look(inversion, max_doc);
	inversion_free(inversion);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct parts p;
	struct rd rd = rd_over(str_of(data, size));
	const struct postings_format *postings =
		postings_format_find(str_from(names[rd_u8(&rd) % COUNT_OF(names)]));
	uint8_t bits = rd_u8(&rd), options = rd_u8(&rd);
	int32_t max_doc = rd_be16(&rd);
	size_t meta_length = rd_u8(&rd), doc_length = rd_be16(&rd), pos_length = rd_be16(&rd);
	struct rd meta = rd_over(take_part(&rd, meta_length));
	struct str doc = take_part(&rd, doc_length), pos = take_part(&rd, pos_length);
	const struct terms_format format = {bits & 1, bits & 2,  bits & 4,
					    bits & 8, bits & 16, bits & 32};
	struct field_info info = {.index_options = (enum index_options)(1 + (options & 3))};
	const struct field_infos infos = {.fields = &info, .count = 1};
	struct terms_field field;
	struct err err = {0};

	if (rd.failed || !postings)
		return 0;
	if (terms_field_find(&meta, &format, &infos, 0, &field, &err) < 0 || !field.found)
		return 0;
	if (format.trie) {
		struct rd root = rd_over(str_from_offset(str_of(data, size), rd.pos));

		field.root = terms_trie_output(&root);
	}
	p = (struct parts){0};
	p.postings.format = postings;
	p.postings.options = info.index_options;
	p.postings.payloads = options & PAYLOADS;
	p.postings.in_one_part = postings->plain && (options & IN_ONE_PART);
	p.postings.with_positions = info.index_options >= INDEX_POSITIONS;
	p.postings.single = SINGLE;
	stream_over(&p.postings.doc, &p.doc, doc, !postings->plain);
	stream_over(&p.postings.pos, &p.pos, pos, !postings->plain);
	stream_over(&p.stream, &p.tim, str_from_offset(str_of(data, size), rd.pos), false);
	walk(&p, &format, &field, max_doc);
	postings_close(&p.postings);
	byte_stream_release(&p.stream);
	bytes_source_close(p.doc);
	bytes_source_close(p.pos);
	bytes_source_close(p.tim);
	return 0;
}
