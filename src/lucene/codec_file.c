#include "lucene/codec_file.h"

#include "base/crc32.h"
#include "base/limits.h"

int codec_header_read(struct rd *rd, struct codec_header *out, struct err *err)
{
	*out = (struct codec_header){0};
	if (rd_be32(rd) != CODEC_MAGIC)
		return err_set(err, ERR_FORMAT, "does not start with a Lucene codec header");
	out->codec = rd_string(rd);
	out->version = (int32_t)rd_be32(rd);
	return rd_check(rd, "codec header", err);
}

int codec_index_header_read(struct rd *rd, struct codec_header *out, struct err *err)
{
	int failed = codec_header_read(rd, out, err);

	if (failed < 0)
		return failed;
	out->id = rd_bytes(rd, CODEC_ID_LENGTH);
	out->suffix.len = rd_u8(rd);
	out->suffix.ptr = (const char *)rd_bytes(rd, out->suffix.len);
	return rd_check(rd, "codec header", err);
}

int codec_index_header_expect(struct rd *rd, const uint8_t *id, struct str suffix,
			      struct codec_header *out, struct err *err)
{
	int failed = codec_index_header_read(rd, out, err);

	if (failed < 0)
		return failed;
	if (id && memcmp(id, out->id, CODEC_ID_LENGTH) != 0)
		return err_set(err, ERR_FORMAT,
			       "belongs to another segment: its id is not that of the commit");
	if (!str_eq(suffix, out->suffix))
		return err_set(err, ERR_FORMAT,
			       "calls itself '" STR_FMT "' where '" STR_FMT "' is expected",
			       STR_ARG(out->suffix), STR_ARG(suffix));
	return 0;
}

int codec_header_unsupported(const struct codec_header *header, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "is of Lucene format '" STR_FMT
		       "' version %d, which is not supported; " CODEC_NEXT_STEP,
		       STR_ARG(header->codec), header->version);
}

int codec_footer_read(const uint8_t footer[static CODEC_FOOTER_LENGTH], uint32_t *crc,
		      struct err *err)
{
	struct rd rd = rd_over(str_of(footer, CODEC_FOOTER_LENGTH));
	bool good = rd_be32(&rd) == CODEC_FOOTER_MAGIC;

	/* The kind of the checksum, then its upper half: a CRC-32 has none. */
	good &= rd_be32(&rd) == 0;
	good &= rd_be32(&rd) == 0;
	if (!good)
		return err_set(err, ERR_FORMAT,
			       "does not end in a Lucene codec footer: damaged or truncated");
	*crc = rd_be32(&rd);
	return 0;
}

int codec_footer_check_crc(const uint8_t footer[static CODEC_FOOTER_LENGTH], uint32_t crc,
			   struct err *err)
{
	uint32_t stored;

	if (codec_footer_read(footer, &stored, err) < 0)
		return -(int)err->kind;
	/* The stored checksum covers the footer's first eight bytes too. */
	crc = crc32_update(crc, footer, CODEC_FOOTER_LENGTH - CODEC_FOOTER_CRC_LENGTH);
	if (stored != crc)
		return err_set(err, ERR_FORMAT,
			       "is damaged: its bytes have the checksum %08x, its footer says %08x",
			       crc, stored);
	return 0;
}

int codec_footer_check(struct str file, struct err *err)
{
	const uint8_t *bytes = (const uint8_t *)file.ptr;
	size_t body;

	if (file.len < CODEC_FOOTER_LENGTH)
		return err_set(err, ERR_FORMAT, "has %zu bytes, too few for a Lucene file",
			       file.len);
	body = file.len - CODEC_FOOTER_LENGTH;
	return codec_footer_check_crc(bytes + body, crc32_update(0, bytes, body), err);
}

int lucene_file_wrap(struct lucene_directory *dir, struct str name, struct err *err)
{
	return err_wrap(err, "'" STR_FMT "' in '%s'", STR_ARG(name), dir->name);
}

int lucene_file_read(struct lucene_directory *dir, struct str name, struct arena *mem,
		     struct str *body, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	int failed = lucene_directory_open(dir, name, &source, err);

	if (failed < 0)
		return failed;
	failed = bytes_source_read_all(source, mem, LIMIT_LUCENE_META_FILE, body, err);
	if (failed < 0)
		return failed;
	if (codec_file_check_end(body, err) < 0)
		return lucene_file_wrap(dir, name, err);
	return 0;
}
