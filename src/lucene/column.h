/* The doc values of one field of a segment, of any kind, document by document.
 *
 * Lucene 4.5 to 10 (Lucene45, 49, 410, 50, 54, 70, 80, 90 and the skippers of 10.5), base files or
 * the newest generation; docs/formats/doc-values.md draws them. Read forward, a window at a time;
 * terms dictionaries of sorted fields are decoded a block at a time and looked up by ordinal. Not
 * thread-safe: one column, one thread. */
#ifndef LUCENE_COLUMN_H
#define LUCENE_COLUMN_H

#include "lucene/segment_reader.h"

struct column;

/* What one document has. Borrowed until the next call. */
struct column_values {
	size_t count;           /* 0: the document has none */
	const int64_t *numbers; /* numeric (one), sorted numeric (ascending); NULL for the others */
	const struct str *bytes; /* binary and sorted (one), sorted set (ascending, each once) */
};

/* `segment` is borrowed. *out is NULL where the segment has no doc values of that field, which is
 * no error. All values of the field are checked against the file's checksum when the column is
 * opened (one pass over the file for all columns of it). ERR_UNSUPPORTED names a format that is not
 * read; ERR_FORMAT file, offset and reason. */
int column_open(const struct segment_reader *segment, struct str field, struct column **out,
		struct err *err);
/* Of which kind its values are; never DOC_VALUES_NONE. */
enum doc_values_type column_type(const struct column *column);
/* The values of document `doc` of the segment. Each call's document is no smaller than that of the
 * call before. */
int column_get(struct column *column, int32_t doc, struct column_values *out, struct err *err);
/* Bytes that the column holds in memory, for a caller who must bound many of them. */
size_t column_memory(const struct column *column);
/* Accepts NULL. */
void column_close(struct column *column);

#endif
