#include "lucene/checked_file.h"

#include "base/crc32.h"
#include "lucene/lucene_internal.h"

#define PIECE_BYTES ((size_t)256 << 10)
/* More bytes than a header can have: magic, codec, version, id, suffix. */
#define HEADER_MOST 512

static bool is_one_of(struct str codec, const char *codecs, struct str *out)
{
	while (*codecs) {
		size_t len = strcspn(codecs, " ");

		*out = str_of(codecs, len);
		if (str_eq(codec, *out))
			return true;
		codecs += len + strspn(codecs + len, " ");
	}
	return false;
}

static int read_header(struct checked_file *file, const struct segment_reader *segment,
		       struct str suffix, const char *codecs, bool *footer, struct err *err)
{
	char bytes[HEADER_MOST];
	size_t len = (size_t)MIN(file->source->size, sizeof(bytes));
	struct rd rd = rd_over(str_of(bytes, len)), plain = rd;
	struct codec_header header;
	bool old = segment->info.version.major < 5;

	if (bytes_source_read(file->source, 0, bytes, len, err) < 0 ||
	    codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	if (!is_one_of(header.codec, codecs, &file->codec))
		return codec_header_unsupported(&header, err);
	if ((old ? codec_plain_header_expect(&rd, segment->commit.id, &header, err)
		 : codec_index_header_expect(&rd, segment->commit.id, suffix, &header, err)) < 0)
		return -(int)err->kind;
	*footer = !old || segment->info.version.minor >= 8;
	file->version = header.version;
	file->start = rd.pos;
	return 0;
}

static int compare_checksum(const struct checked_file *file, struct err *err)
{
	cleanup(mem_freep) char *bytes = mem_alloc((size_t)MIN(file->end, PIECE_BYTES) + 1);
	uint8_t footer[CODEC_FOOTER_LENGTH];
	uint32_t crc = 0;

	for (uint64_t at = 0; at < file->end;) {
		size_t len = (size_t)MIN(file->end - at, PIECE_BYTES);

		if (bytes_source_read(file->source, at, bytes, len, err) < 0)
			return -(int)err->kind;
		crc = crc32_update(crc, bytes, len);
		at += len;
	}
	if (bytes_source_read(file->source, file->end, footer, sizeof(footer), err) < 0)
		return -(int)err->kind;
	return codec_footer_check_crc(footer, crc, err);
}

static int open_content(struct checked_file *file, const struct segment_reader *segment,
			struct str suffix, const char *codecs, struct err *err)
{
	bool footer = false;

	if (read_header(file, segment, suffix, codecs, &footer, err) < 0)
		return -(int)err->kind;
	if (file->source->size < file->start + (footer ? CODEC_FOOTER_LENGTH : 0))
		return err_set(err, ERR_FORMAT, "has %llu bytes, too few for its content",
			       (unsigned long long)file->source->size);
	file->end = file->source->size - (footer ? CODEC_FOOTER_LENGTH : 0);
	if (!footer || proven_files_has(segment->proven, file->name))
		return 0;
	if (compare_checksum(file, err) < 0)
		return -(int)err->kind;
	proven_files_add(segment->proven, file->name);
	return 0;
}

int checked_file_open(const struct segment_reader *segment, struct str name, struct str suffix,
		      const char *codecs, struct checked_file *out, struct err *err)
{
	struct lucene_directory *dir = segment->files.inner;

	*out = (struct checked_file){.name = name};
	if (lucene_directory_open(dir, name, &out->source, err) < 0)
		return -(int)err->kind;
	if (open_content(out, segment, suffix, codecs, err) < 0) {
		checked_file_close(out);
		return lucene_file_wrap(dir, name, err);
	}
	return 0;
}

void checked_file_close(struct checked_file *file)
{
	bytes_source_close(file->source);
	file->source = NULL;
}
