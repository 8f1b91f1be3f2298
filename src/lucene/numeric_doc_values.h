/* The values of one numeric field of a segment: _version, _seq_no, _primary_term.
 *
 * Doc values of Lucene 4.5 to 10 (Lucene45, 49, 410, 50, 54, 70, 80, 90), base files or the newest
 * generation. Large files are read forward, a window at a time; where all values are the same,
 * which a freshly loaded index's versions are, nothing but the metadata is read. */
#ifndef LUCENE_NUMERIC_DOC_VALUES_H
#define LUCENE_NUMERIC_DOC_VALUES_H

#include "lucene/segment_reader.h"

struct numeric_doc_values;

/* `segment` is borrowed. *out is NULL where the segment has no numeric field of that name, which is
 * no error: Elasticsearch before 1.0 kept versions elsewhere, sequence numbers came with 6, and may
 * be dropped again. `prove`: check the checksum of the file first, for which all of it is read
 * once; who reads only a part of a segment may leave that to whoever reads its beginning.
 * ERR_UNSUPPORTED names a format that is not read. */
int numeric_doc_values_open(const struct segment_reader *segment, struct str field, bool prove,
			    struct numeric_doc_values **out, struct err *err);
/* Whether document `doc` of the segment has a value, and which. Each call's document is no smaller
 * than that of the call before. Errors name the file. */
int numeric_doc_values_get(struct numeric_doc_values *values, int32_t doc, int64_t *value,
			   bool *has, struct err *err);
/* Accepts NULL. */
void numeric_doc_values_close(struct numeric_doc_values *values);

#endif
