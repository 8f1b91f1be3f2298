/* What every Lucene file starts and ends with.
 *
 *   header:       BE32 0x3FD76C17 | string codec | BE32 version
 *   index header: header | 16 bytes id | u8 length, suffix                      (Lucene 5.0 on)
 *   footer:       BE32 0xC02893E8 | BE32 0 | BE64 CRC-32 of all before these 8 bytes  (4.8 on)
 *
 * Source: Lucene 9.12.1 codecs/CodecUtil. */
#ifndef LUCENE_CODEC_FILE_H
#define LUCENE_CODEC_FILE_H

#include "base/rd.h"
#include "lucene/directory.h"

#define CODEC_MAGIC 0x3FD76C17u
#define CODEC_FOOTER_MAGIC 0xC02893E8u
#define CODEC_FOOTER_LENGTH 16u
#define CODEC_FOOTER_CRC_LENGTH 8u /* its end, which the CRC is not of */
#define CODEC_ID_LENGTH 16u
/* What to do about an index that is not readable here: its cluster reads it. */
#define CODEC_NEXT_STEP "take the index from its cluster, with shardlift copy"

struct codec_header {
	struct str codec; /* borrowed from the bytes read */
	int32_t version;
	const uint8_t *id; /* index header only: 16 bytes, borrowed; else NULL */
	struct str suffix; /* index header only */
};

/* Reads a plain header at the cursor. ERR_FORMAT when the magic is missing. */
int codec_header_read(struct rd *rd, struct codec_header *out, struct err *err);
/* Reads a header with id and suffix. */
int codec_index_header_read(struct rd *rd, struct codec_header *out, struct err *err);
/* As codec_index_header_read, and holds id (NULL: any will do) and suffix against what is expected:
 * a file of another segment or generation is ERR_FORMAT. */
int codec_index_header_expect(struct rd *rd, const uint8_t *id, struct str suffix,
			      struct codec_header *out, struct err *err);
/* The error of a header that names a format we do not read: ERR_UNSUPPORTED names it. */
int codec_header_unsupported(const struct codec_header *header, struct err *err);
/* Checks that `file`, whole, ends in a footer and that its CRC is right. */
int codec_footer_check(struct str file, struct err *err);
/* Checks that the last 16 bytes are a footer; *crc: what it says. */
int codec_footer_read(const uint8_t footer[static CODEC_FOOTER_LENGTH], uint32_t *crc,
		      struct err *err);
/* Checks the last 16 bytes against the CRC of all before these 16, computed elsewhere. */
int codec_footer_check_crc(const uint8_t footer[static CODEC_FOOTER_LENGTH], uint32_t crc,
			   struct err *err);
/* Reads a header of Lucene 4, which has no id. `id` (or NULL) is the segment's: one that has an id
 * has no file of Lucene 4, which is ERR_FORMAT. */
int codec_plain_header_expect(struct rd *rd, const uint8_t *id, struct codec_header *out,
			      struct err *err);
/* False for what Lucene wrote before 4.8: such files end in no footer. */
bool codec_header_has_footer(const struct codec_header *header);
/* Checks a whole file's end, whatever it has: footer, checksum or nothing; *body is cut before it.
 */
int codec_file_check_end(struct str *body, struct err *err);
/* Reads a whole small file into the arena (at most LIMIT_LUCENE_META_FILE) and checks its end.
 * The returned bytes include a footer; *body leaves it out. Errors name the file. */
int lucene_file_read(struct lucene_directory *dir, struct str name, struct arena *mem,
		     struct str *body, struct err *err);
/* Puts "'name' in 'directory': " before an error about the content of a file; returns its -kind. */
int lucene_file_wrap(struct lucene_directory *dir, struct str name, struct err *err);

#endif
