/* Finds the newest segments_N and hands it to the decoder of its format.
 *
 * Source: Lucene 9.12.1 index/SegmentInfos. */
#include "lucene/lucene_internal.h"

#define FORMAT_50 4 /* the first with an id and its generation in the header */
#define FORMAT_53 6
#define NEWEST_FORMAT 10
#define OLDEST_LUCENE_3 0xffffffe0u /* its formats are numbered down from -1 */

struct str generation_text(int64_t generation, char text[static GENERATION_TEXT])
{
	char *at = text + GENERATION_TEXT;
	uint64_t rest = (uint64_t)generation;

	do {
		*--at = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
		rest /= 36;
	} while (rest > 0);
	return str_of(at, (size_t)(text + GENERATION_TEXT - at));
}

void rd_skip_string_set(struct rd *rd)
{
	for (uint32_t left = rd_vint(rd); left > 0 && !rd->failed; left--)
		rd_string(rd);
}

void rd_skip_string_map(struct rd *rd)
{
	for (uint32_t left = rd_vint(rd); left > 0 && !rd->failed; left--) {
		rd_string(rd);
		rd_string(rd);
	}
}

static bool is_segment_name(struct str name)
{
	if (name.len < 2 || name.ptr[0] != '_')
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!((name.ptr[i] >= '0' && name.ptr[i] <= '9') ||
		      (name.ptr[i] >= 'a' && name.ptr[i] <= 'z')))
			return false;
	return true;
}

bool segment_commit_is_sane(const struct segment_commit *segment)
{
	return is_segment_name(segment->name) && segment->del_gen >= -1 &&
	       segment->field_infos_gen >= -1 && segment->doc_values_gen >= -1 &&
	       segment->del_count >= 0 && segment->soft_del_count >= 0 &&
	       (segment->del_gen >= 0 || segment->del_count == 0);
}

/* Lucene 3 had no codecs: its commits start with a negative number of their own. */
static int check_start(struct str body, struct err *err)
{
	struct rd rd = rd_over(body);
	uint32_t start = rd_be32(&rd);

	if (!rd.failed && start >= OLDEST_LUCENE_3)
		return err_set(err, ERR_UNSUPPORTED,
			       "is a commit of Lucene 3 or older (Elasticsearch before 0.90), "
			       "which is not supported: reindex it with the cluster that wrote it");
	return 0;
}

int segment_infos_decode(struct str body, struct str generation, struct arena *mem,
			 struct segment_infos *out, struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	struct codec_header header;

	if (check_start(body, err) < 0)
		return -(int)err->kind;
	/* The plain header is the same in all formats and says which one follows. */
	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, "segments"))
		return codec_header_unsupported(&header, err);
	if (header.version < 0 || header.version > NEWEST_FORMAT)
		return err_set(err, ERR_UNSUPPORTED,
			       "is a commit of format %d, newer than Lucene 10, and formats 0 to "
			       "%d are supported; " CODEC_NEXT_STEP,
			       header.version, NEWEST_FORMAT);
	out->format = header.version;
	if (header.version < FORMAT_50)
		return segment_infos_decode_40(&plain, mem, out, err);
	if (codec_index_header_expect(&rd, NULL, generation, &header, err) < 0)
		return -(int)err->kind;
	return header.version < FORMAT_53 ? segment_infos_decode_40(&rd, mem, out, err)
					  : segment_infos_decode_53(&rd, mem, out, err);
}

/* True, and the generation, for "segments_<base 36>". */
static bool is_commit(struct str name, uint64_t *generation)
{
	return str_starts(name, STR("segments_")) &&
	       str_to_u64_base36(str_from_offset(name, strlen("segments_")), generation);
}

static int find_newest(struct lucene_directory *dir, struct arena *mem, struct str *newest,
		       struct err *err)
{
	uint64_t generation, best = 0;
	struct str *names;
	size_t count;

	if (lucene_directory_list(dir, mem, &names, &count, err) < 0)
		return -(int)err->kind;
	*newest = STR_NONE;
	for (size_t i = 0; i < count; i++) {
		if (is_commit(names[i], &generation) && (!newest->ptr || generation > best)) {
			*newest = names[i];
			best = generation;
		}
	}
	if (!newest->ptr)
		return err_set(err, ERR_NOT_FOUND,
			       "no segments_N in '%s': it is no Lucene index, or an empty copy",
			       dir->name);
	return 0;
}

int segment_infos_read(struct lucene_directory *dir, struct arena *mem, struct segment_infos *out,
		       struct err *err)
{
	struct str name, body;

	*out = (struct segment_infos){0};
	if (find_newest(dir, mem, &name, err) < 0 ||
	    lucene_file_read(dir, name, mem, &body, err) < 0)
		return -(int)err->kind;
	out->file_name = name;
	if (segment_infos_decode(body, str_from_offset(name, strlen("segments_")), mem, out, err) <
	    0)
		return lucene_file_wrap(dir, name, err);
	return 0;
}
