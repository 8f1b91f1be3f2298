/* The .si of Lucene 6.2 to 10, behind its index header:
 *
 *   i32 x 3 version of Lucene
 *   70+: u8 1 and i32 x 3 oldest version that contributed documents, or u8 0
 *   i32 maxDoc | i8 compound (1 yes, -1 no)
 *   99: i8 has blocks (1 yes, -1 no)
 *   map of diagnostics | set of files | map of attributes | vInt sort fields, each in its own way
 *
 * Integers are big-endian up to 86, little-endian from 90 on. The format of Lucene 9.9 (99) carries
 * the name and version of its forerunner: only the version of Lucene in the file tells them apart.
 *
 * Source: Lucene 9.12.1 codecs/lucene99/Lucene99SegmentInfoFormat, and of backward-codecs
 * Lucene86SegmentInfoFormat, Lucene70SegmentInfoFormat; 6.6.6 Lucene62SegmentInfoFormat. */
#include "lucene/lucene_internal.h"

struct format {
	const char *codec;
	int32_t newest_version;
	bool little;
	bool has_min_version;
};

static const struct format formats[] = {
	{"Lucene62SegmentInfo", 1, false, false},
	{"Lucene70SegmentInfo", 0, false, true},
	{"Lucene86SegmentInfo", 0, false, true},
	{"Lucene90SegmentInfo", 0, true, true},
};

static const struct format *find_format(const struct codec_header *header)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_is(header->codec, formats[i].codec) && header->version >= 0 &&
		    header->version <= formats[i].newest_version)
			return &formats[i];
	return NULL;
}

static struct lucene_version read_version(struct rd *rd)
{
	struct lucene_version version;

	version.major = rd_i32(rd);
	version.minor = rd_i32(rd);
	version.bugfix = rd_i32(rd);
	return version;
}

static bool has_blocks_byte(const struct format *format, struct lucene_version version)
{
	return format->little && (version.major > 9 || (version.major == 9 && version.minor >= 9));
}

bool rd_yes_no(struct rd *rd)
{
	int8_t value = (int8_t)rd_u8(rd);

	if (value != 1 && value != -1)
		rd->failed = true;
	return value == 1;
}

static void read_body(struct rd *rd, const struct format *format, struct segment_info *out)
{
	out->version = read_version(rd);
	if (format->has_min_version && rd_u8(rd) != 0)
		read_version(rd);
	out->max_doc = rd_i32(rd);
	out->compound = rd_yes_no(rd);
	if (has_blocks_byte(format, out->version))
		rd_yes_no(rd);
	rd_skip_string_map(rd);
	rd_skip_string_set(rd);
	rd_skip_string_map(rd);
	/* The sort order is nothing to us. Without one the file must end here. */
	if (rd_vint(rd) == 0 && rd_left(rd) != 0)
		rd->failed = true;
}

int segment_info_decode(struct str body, const uint8_t *id, struct segment_info *out,
			struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	const struct format *format;
	struct codec_header header;

	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	if (segment_info_is_40(&header))
		return segment_info_decode_40(body, id, out, err);
	format = find_format(&header);
	if (!format)
		return codec_header_unsupported(&header, err);
	if (codec_index_header_expect(&rd, id, STR(""), &header, err) < 0)
		return -(int)err->kind;
	rd.little = format->little;
	out->format = header.codec;
	read_body(&rd, format, out);
	if (rd_check(&rd, "segment info", err) < 0)
		return -(int)err->kind;
	if (out->max_doc < 0)
		return err_set(err, ERR_FORMAT, "has an impossible number of documents, %d",
			       out->max_doc);
	return 0;
}

int segment_info_read(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		      struct arena *mem, struct segment_info *out, struct err *err)
{
	struct str name = arena_printf(mem, STR_FMT ".si", STR_ARG(segment)), body;

	if (!name.ptr)
		return arena_fail(mem, "segment info", err);
	if (lucene_file_read(dir, name, mem, &body, err) < 0)
		return -(int)err->kind;
	if (segment_info_decode(body, id, out, err) < 0)
		return lucene_file_wrap(dir, name, err);
	return 0;
}
