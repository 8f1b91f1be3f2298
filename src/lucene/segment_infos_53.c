/* The commit point of Lucene 5.3 to 10 (formats 6 to 10), behind its index header:
 *
 *   vInt x 3 version that wrote it          7+: vInt major that created the index
 *   i64 version | counter (vLong; i32 up to 7) | i32 segments
 *   segments > 0: vInt x 3 oldest version of a segment
 *   each segment:
 *     string name | id (16 bytes; format 6: u8 1 and id, or u8 0 for one of Lucene 4)
 *     string codec | i64 delGen | i32 delCount | i64 fieldInfosGen | i64 docValuesGen
 *     9+: i32 softDelCount
 *     10: u8 1 and id of this commit of the segment, or u8 0
 *     set of field infos files | i32 n, n x (i32 field, set of doc values files)
 *   map of user data
 *
 * All integers are big-endian, in Lucene 9 and 10 too.
 * Source: Lucene 9.12.1 index/SegmentInfos; 6.6.6 for format 6. */
#include "lucene/lucene_internal.h"

/* The least a segment takes: name "_0" and a codec of one letter, in format 6 with no id. */
#define SEGMENT_LEAST_BYTES 38

static void skip_version(struct rd *rd)
{
	for (int i = 0; i < 3; i++)
		rd_vint(rd);
}

static void read_doc_values_files(struct rd *rd)
{
	for (int32_t left = rd_i32(rd); left > 0 && !rd->failed; left--) {
		rd_i32(rd);
		rd_skip_string_set(rd);
	}
}

static void read_segment(struct rd *rd, int32_t format, struct segment_commit *out)
{
	bool has_id;

	out->name = rd_string(rd);
	has_id = format >= 7 || rd_u8(rd) == 1;
	out->id = has_id ? rd_bytes(rd, CODEC_ID_LENGTH) : NULL;
	out->codec = rd_string(rd);
	out->del_gen = rd_i64(rd);
	out->del_count = rd_i32(rd);
	out->field_infos_gen = rd_i64(rd);
	out->doc_values_gen = rd_i64(rd);
	out->soft_del_count = format >= 9 ? rd_i32(rd) : 0;
	if (format >= 10 && rd_u8(rd) == 1)
		rd_skip(rd, CODEC_ID_LENGTH);
	rd_skip_string_set(rd);
	read_doc_values_files(rd);
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

int segment_infos_decode_53(struct rd *rd, struct arena *mem, struct segment_infos *out,
			    struct err *err)
{
	int32_t count;

	skip_version(rd);
	out->created_major = out->format >= 7 ? (int32_t)rd_vint(rd) : 0;
	rd_i64(rd);
	if (out->format <= 7)
		rd_i32(rd);
	else
		rd_vlong(rd);
	count = rd_i32(rd);
	if (count < 0 || (size_t)count > rd_left(rd) / SEGMENT_LEAST_BYTES)
		return err_set(err, ERR_FORMAT, "cannot hold the %d segments it speaks of", count);
	if (count > 0)
		skip_version(rd);
	if (read_segments(rd, mem, (size_t)count, out, err) < 0)
		return -(int)err->kind;
	rd_skip_string_map(rd);
	if (rd_check(rd, "user data of the commit", err) < 0)
		return -(int)err->kind;
	if (rd_left(rd) != 0)
		return err_set(err, ERR_FORMAT, "has %zu bytes too many", rd_left(rd));
	return 0;
}
