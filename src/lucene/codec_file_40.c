/* How the files of Lucene 4 end. The footer came with 4.8, each format in a version of its own;
 * before it there was a checksum at the end of segments_N, and nothing at the end of the rest.
 *
 *   footer      16 bytes, see codec_file.h, from the version below on
 *   checksum    BE64 CRC-32 of all before: segments_N of Lucene 4.0 to 4.7
 *   nothing     a flipped bit shows only where it breaks the structure
 *
 * A damaged version cannot hide a footer from its check: without one, these 16 bytes are read as
 * content, and every decoder refuses what is left over.
 *
 * Source: Lucene 4.10.4 index/SegmentInfos and codecs/lucene4x, each format's VERSION_CHECKSUM. */
#include "lucene/codec_file.h"

#include "base/crc32.h"
#include "lucene/lucene_internal.h"

#define CHECKSUM_LENGTH 8u

struct ending {
	const char *codec;
	int32_t footer_version; /* the first that ends in a footer */
};

#define NEVER INT32_MAX

static const struct ending endings[] = {
	{"Lucene40SegmentInfo", NEVER},
	{"Lucene46SegmentInfo", 1},
	{"Lucene40FieldInfos", NEVER},
	{"Lucene42FieldInfos", NEVER},
	{"Lucene46FieldInfos", 1},
	{"CompoundFileWriterEntries", 1},
	{"CompoundFileWriterData", 1},
	{"BitVector", 2},
	{"Lucene40StoredFieldsIndex", NEVER},
	{"Lucene40StoredFieldsData", NEVER},
	{"Lucene41StoredFieldsIndex", 2},
	{"Lucene41StoredFieldsData", 2},
	{"Lucene45ValuesMetadata", 2},
	{"Lucene45DocValuesData", 2},
};

bool codec_header_has_footer(const struct codec_header *header)
{
	if (str_is(header->codec, "segments"))
		return header->version >= 2;
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (str_is(header->codec, endings[i].codec))
			return header->version >= endings[i].footer_version;
	return true;
}

/* False when there is no header: such a file is damaged, and its footer says so. */
static bool find_header(struct str file, struct codec_header *out)
{
	struct rd rd = rd_over(file);
	struct err ignored = {0};

	/* A .del starts with a number that no vector of bits has as its size. */
	if (rd_be32(&rd) != BIT_VECTOR_MARK)
		rd = rd_over(file);
	return codec_header_read(&rd, out, &ignored) == 0;
}

static int cut_checksum(struct str *body, struct err *err)
{
	size_t length = body->len - CHECKSUM_LENGTH;
	struct rd rd = rd_over(str_from_offset(*body, length));
	uint32_t crc = crc32_update(0, body->ptr, length);
	uint64_t stored = rd_be64(&rd);

	if (stored != crc)
		return err_set(err, ERR_FORMAT,
			       "is damaged: its bytes have the checksum %08x, and it says %08llx "
			       "at its end",
			       crc, (unsigned long long)stored);
	body->len = length;
	return 0;
}

int codec_file_check_end(struct str *body, struct err *err)
{
	struct codec_header header;

	if (find_header(*body, &header) && !codec_header_has_footer(&header))
		return str_is(header.codec, "segments") ? cut_checksum(body, err) : 0;
	if (codec_footer_check(*body, err) < 0)
		return -(int)err->kind;
	body->len -= CODEC_FOOTER_LENGTH;
	return 0;
}

int codec_plain_header_expect(struct rd *rd, const uint8_t *id, struct codec_header *out,
			      struct err *err)
{
	if (codec_header_read(rd, out, err) < 0)
		return -(int)err->kind;
	if (id)
		return err_set(err, ERR_FORMAT,
			       "is of Lucene 4, '" STR_FMT "', in a segment that has an id and so "
			       "is not",
			       STR_ARG(out->codec));
	return 0;
}
