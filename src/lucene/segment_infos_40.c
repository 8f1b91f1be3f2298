/* The commit point of Lucene 4.0 to 5.2 (formats 0 to 5), behind its header:
 *
 *   i64 version | i32 counter | i32 segments
 *   each segment:
 *     string name | 4+: u8 1 and id of 16 bytes, or u8 0 for a segment of Lucene 4 | string codec
 *     i64 delGen | i32 delCount
 *     1+: i64 fieldInfosGen | 3+: i64 docValuesGen
 *     1, 2: i32 n, n x (i64 generation, set of files)
 *     3+: set of field infos files | i32 n, n x (i32 field, set of doc values files)
 *   map of user data
 *
 *   format: 0 of Lucene 4.0, 1 of 4.6, 2 of 4.8, 3 of 4.9, 4 of 5.0, 5 of 5.1
 *
 * Sets and maps start with their number as i32, from format 5 on as vInt. All integers are
 * big-endian. The header has an id and a suffix from format 4 on.
 *
 * Source: Lucene 5.2.1 and 4.10.4 index/SegmentInfos. */
#include "lucene/lucene_internal.h"

/* The least a segment takes: name "_0", a codec of one letter, a generation and a count. */
#define SEGMENT_LEAST_BYTES 17

void rd_skip_old_string_set(struct rd *rd)
{
	for (int32_t left = (int32_t)rd_be32(rd); left > 0 && !rd->failed; left--)
		rd_string(rd);
}

void rd_skip_old_string_map(struct rd *rd)
{
	for (int32_t left = (int32_t)rd_be32(rd); left > 0 && !rd->failed; left--) {
		rd_string(rd);
		rd_string(rd);
	}
}

static void skip_set(struct rd *rd, int32_t format)
{
	if (format >= 5)
		rd_skip_string_set(rd);
	else
		rd_skip_old_string_set(rd);
}

/* Files of updates: by generation in formats 1 and 2, by field from 3 on. */
static void skip_update_files(struct rd *rd, int32_t format)
{
	if (format == 0)
		return;
	if (format >= 3)
		skip_set(rd, format);
	for (int32_t left = rd_i32(rd); left > 0 && !rd->failed; left--) {
		rd_skip(rd, format >= 3 ? 4 : 8);
		skip_set(rd, format);
	}
}

static const uint8_t *read_id(struct rd *rd)
{
	uint8_t has_id = rd_u8(rd);

	if (has_id > 1)
		rd->failed = true;
	return has_id == 1 ? rd_bytes(rd, CODEC_ID_LENGTH) : NULL;
}

static void read_segment(struct rd *rd, int32_t format, struct segment_commit *out)
{
	out->name = rd_string(rd);
	out->id = format >= 4 ? read_id(rd) : NULL;
	out->codec = rd_string(rd);
	out->del_gen = rd_i64(rd);
	out->del_count = rd_i32(rd);
	out->field_infos_gen = format >= 1 ? rd_i64(rd) : -1;
	out->doc_values_gen = format >= 3 ? rd_i64(rd) : out->field_infos_gen;
	skip_update_files(rd, format);
}

static int read_segments(struct rd *rd, struct arena *mem, size_t count, struct segment_infos *out,
			 struct err *err)
{
	out->segments = arena_zalloc(mem, count, sizeof(*out->segments));
	if (!out->segments)
		return arena_fail(mem, "the list of segments", err);
	for (out->count = 0; out->count < count; out->count++) {
		struct segment_commit *segment = &out->segments[out->count];

		read_segment(rd, out->format, segment);
		if (rd_check(rd, "list of segments", err) < 0)
			return -(int)err->kind;
		if (!segment_commit_is_sane(segment))
			return err_set(err, ERR_FORMAT,
				       "has impossible generations or counts for its segment %zu, "
				       "'" STR_FMT "'",
				       out->count, STR_ARG(segment->name));
	}
	return 0;
}

int segment_infos_decode_40(struct rd *rd, struct arena *mem, struct segment_infos *out,
			    struct err *err)
{
	int32_t count;

	out->created_major = 0;
	rd_i64(rd);
	rd_i32(rd);
	count = rd_i32(rd);
	if (count < 0 || (size_t)count > rd_left(rd) / SEGMENT_LEAST_BYTES)
		return err_set(err, ERR_FORMAT, "cannot hold the %d segments it speaks of", count);
	if (read_segments(rd, mem, (size_t)count, out, err) < 0)
		return -(int)err->kind;
	if (out->format >= 5)
		rd_skip_string_map(rd);
	else
		rd_skip_old_string_map(rd);
	if (rd_check(rd, "user data of the commit", err) < 0)
		return -(int)err->kind;
	if (rd_left(rd) != 0)
		return err_set(err, ERR_FORMAT, "has %zu bytes too many", rd_left(rd));
	return 0;
}
