/* Finds the newest segments_N and hands it to the decoder of its format.
 *
 * Source: Lucene 9.12.1 index/SegmentInfos. */
#include "lucene/lucene_internal.h"

#define OLDEST_FORMAT 6 /* Lucene 5.3 */
#define NEWEST_FORMAT 10

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

int segment_infos_decode(struct str body, struct str generation, struct arena *mem,
			 struct segment_infos *out, struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	struct codec_header header;

	/* The plain header is the same in all formats and says which one follows. */
	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, "segments"))
		return codec_header_unsupported(&header, err);
	if (header.version < OLDEST_FORMAT || header.version > NEWEST_FORMAT)
		return err_set(err, ERR_UNSUPPORTED,
			       "is a commit of format %d (%s), and formats %d to %d are supported",
			       header.version,
			       header.version < OLDEST_FORMAT ? "Lucene 5.2 or older"
							      : "newer than Lucene 10",
			       OLDEST_FORMAT, NEWEST_FORMAT);
	out->format = header.version;
	if (codec_index_header_expect(&rd, NULL, generation, &header, err) < 0)
		return -(int)err->kind;
	return segment_infos_decode_53(&rd, mem, out, err);
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
