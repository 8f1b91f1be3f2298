/* _version of each document, out of the doc values of its segment. */
#ifndef DOCUMENTS_DOCUMENT_VERSIONS_H
#define DOCUMENTS_DOCUMENT_VERSIONS_H

#include "lucene/numeric_doc_values.h"

/* Of one segment after the other; zero-initialised. */
struct document_versions {
	struct numeric_doc_values *values; /* NULL: the segment has none */
};

/* Starts with another segment, which is borrowed. `prove` as in numeric_doc_values_open. */
int document_versions_start(struct document_versions *versions,
			    const struct segment_reader *segment, bool prove, struct err *err);
/* Before the segment is closed; may be called again. */
void document_versions_end(struct document_versions *versions);
/* *version of a document, in ascending order; -1 where it has none: the segment is from before
 * Elasticsearch 1.0, which kept versions in the postings of _uid. */
int document_versions_get(struct document_versions *versions, int32_t doc, int64_t *version,
			  struct err *err);

#endif
