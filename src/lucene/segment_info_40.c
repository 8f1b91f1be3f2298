/* The .si of Lucene 4.0 to 6.1, behind its header:
 *
 *   40, 46: string version of Lucene       50: i32 x 3
 *   i32 maxDoc | i8 compound (1 yes, -1 no) | map of diagnostics
 *   40: map of attributes
 *   set of files
 *   50: map of attributes
 *
 * Sets and maps start with their number as i32, in version 1 of format 50 (Lucene 5.1) as vInt.
 * Integers are big-endian. The header has an id from format 50 on.
 *
 * Source: Lucene 4.10.4 codecs/lucene40/Lucene40SegmentInfoReader and
 * codecs/lucene46/Lucene46SegmentInfoReader, Lucene 5.2.1
 * codecs/lucene50/Lucene50SegmentInfoFormat.
 */
#include "lucene/lucene_internal.h"

enum generation {
	INFO_40,
	INFO_46,
	INFO_50,
};

struct format {
	const char *codec;
	int32_t version;
	enum generation generation;
	bool old_maps;
};

static const struct format formats[] = {
	{"Lucene40SegmentInfo", 0, INFO_40, true},  {"Lucene46SegmentInfo", 0, INFO_46, true},
	{"Lucene46SegmentInfo", 1, INFO_46, true},  {"Lucene50SegmentInfo", 0, INFO_50, true},
	{"Lucene50SegmentInfo", 1, INFO_50, false},
};

static const struct format *find_format(const struct codec_header *header)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_is(header->codec, formats[i].codec) &&
		    header->version == formats[i].version)
			return &formats[i];
	return NULL;
}

bool segment_info_is_40(const struct codec_header *header)
{
	return find_format(header) != NULL;
}

/* "4.10.4" or "4.0"; what is no number counts as 0: all that depends on it is whether files have
 * footers, from 4.8 on. */
static struct lucene_version version_of(struct str text)
{
	struct lucene_version version = {0};
	int32_t *parts[] = {&version.major, &version.minor, &version.bugfix};
	uint64_t number;
	struct str part;

	for (size_t i = 0; i < COUNT_OF(parts) && text.len > 0; i++) {
		str_split(text, '.', &part, &text);
		if (str_to_u64(part, &number) && number <= INT32_MAX)
			*parts[i] = (int32_t)number;
	}
	return version;
}

static void skip_map(struct rd *rd, bool old)
{
	if (old)
		rd_skip_old_string_map(rd);
	else
		rd_skip_string_map(rd);
}

static void read_body(struct rd *rd, const struct format *format, struct segment_info *out)
{
	if (format->generation == INFO_50) {
		out->version.major = rd_i32(rd);
		out->version.minor = rd_i32(rd);
		out->version.bugfix = rd_i32(rd);
	} else {
		out->version = version_of(rd_string(rd));
	}
	out->max_doc = rd_i32(rd);
	out->compound = rd_yes_no(rd);
	skip_map(rd, format->old_maps);
	if (format->generation == INFO_40)
		skip_map(rd, true);
	if (format->old_maps)
		rd_skip_old_string_set(rd);
	else
		rd_skip_string_set(rd);
	if (format->generation == INFO_50)
		skip_map(rd, format->old_maps);
	if (rd_left(rd) != 0)
		rd->failed = true;
}

int segment_info_decode_40(struct str body, const uint8_t *id, struct segment_info *out,
			   struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	const struct format *format;
	struct codec_header header;
	int failed;

	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	format = find_format(&header);
	if (!format)
		return codec_header_unsupported(&header, err);
	if (format->generation == INFO_50)
		failed = codec_index_header_expect(&rd, id, STR(""), &header, err);
	else
		failed = codec_plain_header_expect(&rd, id, &header, err);
	if (failed < 0)
		return failed;
	out->format = header.codec;
	read_body(&rd, format, out);
	if (rd_check(&rd, "segment info", err) < 0)
		return -(int)err->kind;
	if (out->max_doc < 0)
		return err_set(err, ERR_FORMAT, "has an impossible number of documents, %d",
			       out->max_doc);
	return 0;
}
