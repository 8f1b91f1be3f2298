/* Stored fields (.fdt): chunks of documents, each decompressed once, in document order.
 *
 * Formats, one file each: 40, 41, 50 Fast and High (stored_fields_50.c), 87 Fast and High, 90 Fast
 * and High, ZstdStoredFields814, and zstd of OpenSearch. The file's own header decides. A
 * sequential pass needs no .fdx but in format 40; the .fdm is read where the chunk size lies there.
 * The CRC of the whole .fdt is computed as it streams by and checked at its end: until
 * stored_fields_next_chunk has returned 0, what came is not yet proven. A pass that begins in the
 * middle (stored_fields_seek) or stops there proves nothing alone: its marks are for joining with
 * those of other passes. Not thread-safe: one pass, one thread. */
#ifndef LUCENE_STORED_FIELDS_H
#define LUCENE_STORED_FIELDS_H

#include "base/rd.h"
#include "lucene/directory.h"
#include "lucene/live_docs.h"
#include "lucene/stored_index.h"

struct stored_fields;

struct stored_chunk {
	int32_t first_doc, doc_count; /* segment-local document ids */
	const uint8_t *bytes;   /* all documents of the chunk, decompressed; NULL if skipped */
	const uint32_t *starts; /* doc_count + 1 offsets into bytes */
	const uint32_t *field_counts; /* stored fields of each document */
};

/* Opens <segment>.fdt of `dir` (the compound file where the segment has one; borrowed). `id` is the
 * segment's id or NULL; max_doc from its .si. ERR_UNSUPPORTED names an unknown codec string. */
int stored_fields_open(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		       int32_t max_doc, struct stored_fields **out, struct err *err);
/* The codec string, such as "Lucene90StoredFieldsFastData"; lives as long as the reader. */
struct str stored_fields_format(const struct stored_fields *fields);
/* Length of the .fdt, and how much of it the pass has read so far: bytes. */
uint64_t stored_fields_size(const struct stored_fields *fields);
uint64_t stored_fields_position(const struct stored_fields *fields);
/* 1: the next chunk, borrowed until the next call. A chunk in which no document is live (`live` may
 * be NULL: all) is passed over undecompressed, with bytes NULL. 0: the end; all documents came and
 * the footer's CRC is right. */
int stored_fields_next_chunk(struct stored_fields *fields, const struct live_docs *live,
			     struct stored_chunk *out, struct err *err);
/* Only chunks with a document of [first, end) are decompressed; all others are passed over, with
 * bytes NULL, as those without a live document are. */
void stored_fields_limit(struct stored_fields *fields, int32_t first, int32_t end);
/* The pass will most likely end at this byte of the file, so that nothing behind it is read in
 * advance. */
void stored_fields_expect_end(struct stored_fields *fields, uint64_t position);
/* Before the first chunk: begins with another one. The CRC begins there too. */
int stored_fields_seek(struct stored_fields *fields, const struct stored_chunk_start *start,
		       struct err *err);

/* How far a pass has come, and the CRC-32 of the bytes since it began or was last cut. */
struct stored_mark {
	uint64_t position; /* in the .fdt */
	uint32_t crc;
};
/* What the CRC of a whole .fdt is of: all but the footer's last eight bytes. 0: it has no footer
 * (Lucene 4.0 to 4.7), and nothing of it can be proven. */
uint64_t stored_fields_proven_length(const struct stored_fields *fields);
/* Between two chunks. Behind the last one, at stored_fields_proven_length: what is between them is
 * read with the last chunk. */
struct stored_mark stored_fields_mark(struct stored_fields *fields);
/* Begins the CRC anew, here. The footer is then only read, not held against it. */
void stored_fields_cut(struct stored_fields *fields);
/* True once the last chunk has been read and the end behind it is as it should be; *expected: the
 * CRC that the footer says. */
bool stored_fields_ended(const struct stored_fields *fields, uint32_t *expected);
/* Accepts NULL. */
void stored_fields_close(struct stored_fields *fields);

enum stored_type {
	STORED_STRING = 0,
	STORED_BYTES = 1,
	STORED_INT = 2,
	STORED_FLOAT = 3,
	STORED_LONG = 4,
	STORED_DOUBLE = 5,
};

struct stored_field {
	int32_t number; /* of the field, as in field_infos */
	enum stored_type type;
	struct str bytes; /* STORED_STRING (UTF-8), STORED_BYTES: borrowed from the chunk */
	int64_t integer;  /* STORED_INT, STORED_LONG */
	double floating;  /* STORED_FLOAT, STORED_DOUBLE */
};

/* The fields of document i of a chunk, one after the other. */
struct stored_field_cursor {
	struct rd rd;
	uint32_t left;
	/* Reads a field as Lucene 4 wrote it; NULL: as Lucene 5 and later do. */
	int (*next)(struct stored_field_cursor *cursor, struct stored_field *out, struct err *err);
};

struct stored_field_cursor stored_field_cursor_at(const struct stored_fields *fields,
						  const struct stored_chunk *chunk, int32_t i);
/* 1: a field; 0: no more; -ERR_FORMAT. */
int stored_field_next(struct stored_field_cursor *cursor, struct stored_field *out,
		      struct err *err);

#endif
