#include "snapshot/file_checksum.h"

#include "base/limits.h"
#include "lucene/codec_file.h"

#include <stdlib.h>
#include <zlib.h>

/* "checksum" of an entry, in base 36, by its "written_by":
 *
 *   Lucene 4.8 on           the CRC-32 in the file's footer
 *   older, or none written  the Adler-32 of all bytes, which Elasticsearch kept itself before
 *                           Lucene had checksums. Elasticsearch up to 1.2 writes no "written_by",
 *                           and none of the two for files it had no checksum of
 *
 * "written_by" is "4.10.4"; while Lucene's versions were an enum (4.8, 4.9) "LUCENE_48" or
 * "LUCENE_4_9".
 *
 * Source: Elasticsearch 1.7.6 Store, StoreFileMetaData, LegacyVerification, Lucene. */

static bool next_number(struct str *text, uint64_t *out)
{
	size_t digits = 0;
	bool read;

	while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9')
		digits++;
	read = str_to_u64(str_of(text->ptr, digits), out);
	*text = str_from_offset(*text, digits);
	if (text->len > 0 && (text->ptr[0] == '.' || text->ptr[0] == '_'))
		*text = str_from_offset(*text, 1);
	return read;
}

static bool has_footer(struct str written_by)
{
	uint64_t major, minor;

	if (str_starts(written_by, STR("LUCENE_")))
		written_by = str_from_offset(written_by, strlen("LUCENE_"));
	if (!next_number(&written_by, &major))
		return false;
	if (!next_number(&written_by, &minor))
		minor = 0;
	/* Both digits in one: LUCENE_48. */
	if (major >= 30 && major <= 49) {
		minor = major % 10;
		major /= 10;
	}
	return major > 4 || (major == 4 && minor >= 8);
}

int file_checksum_read(const struct json *entry, struct snapshot_file *file, struct err *err)
{
	struct str text = json_string(json_get(entry, "checksum"));
	struct str written_by = json_string(json_get(entry, "written_by"));
	uint64_t checksum;

	if (text.len == 0)
		return 0;
	if (!str_to_u64_base36(text, &checksum) || checksum > UINT32_MAX)
		return err_set(err, ERR_FORMAT,
			       "its checksum '" STR_FMT "' is no CRC-32 or Adler-32",
			       STR_ARG(text));
	file->checksum = (uint32_t)checksum;
	file->checksum_kind = has_footer(written_by) ? FILE_CHECKSUM_FOOTER : FILE_CHECKSUM_WHOLE;
	return 0;
}

/* The footer of a file says which content it should have; so does the snapshot. Comparing them at
 * the cost of one small read finds a blob that is whole, but of another file. That the content is
 * what the footer says is checked by who reads it all. */
static int check_footer(const struct snapshot_file *file, struct bytes_source *source,
			struct err *err)
{
	char bytes[CODEC_FOOTER_LENGTH];
	struct rd rd = rd_over(str_of(bytes, sizeof(bytes)));
	uint64_t checksum;
	int rc;

	if (source->size < sizeof(bytes))
		return err_set(err, ERR_FORMAT, "has %llu bytes, too few for a Lucene file",
			       (unsigned long long)source->size);
	rc = bytes_source_read(source, source->size - sizeof(bytes), bytes, sizeof(bytes), err);
	if (rc < 0)
		return rc;
	if (rd_be32(&rd) != CODEC_FOOTER_MAGIC || rd_be32(&rd) != 0)
		return err_set(err, ERR_FORMAT, "does not end in a Lucene footer: it is damaged");
	checksum = rd_be64(&rd);
	if (checksum != file->checksum)
		return err_set(
			err, ERR_FORMAT,
			"has the checksum %08llx in its footer, and the snapshot took a file "
			"with %08x: the blob is damaged or another file's",
			(unsigned long long)checksum, file->checksum);
	return 0;
}

static int check_whole(const struct snapshot_file *file, struct bytes_source *source,
		       struct err *err)
{
	const size_t step = KIB(64);
	cleanup(mem_freep) char *bytes = mem_alloc(step);
	uLong sum = adler32(0, NULL, 0);

	for (uint64_t at = 0; at < source->size; at += step) {
		size_t n = (size_t)MIN((uint64_t)step, source->size - at);
		int rc = bytes_source_read(source, at, bytes, n, err);

		if (rc < 0)
			return rc;
		sum = adler32(sum, (const Bytef *)bytes, (uInt)n);
	}
	if (sum == file->checksum)
		return 0;
	return err_set(
		err, ERR_FORMAT,
		"has the Adler-32 %08lx, and the snapshot took a file with %08x: the blob is "
		"damaged or another file's",
		sum, file->checksum);
}

int file_checksum_check(const struct snapshot_file *file, struct bytes_source *source,
			struct err *err)
{
	switch (file->checksum_kind) {
	case FILE_CHECKSUM_NONE:
		return 0;
	case FILE_CHECKSUM_FOOTER:
		return check_footer(file, source, err);
	case FILE_CHECKSUM_WHOLE:
		return check_whole(file, source, err);
	}
	BUG("unknown kind of checksum");
}
