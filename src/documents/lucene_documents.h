/* The documents of an Elasticsearch or OpenSearch shard, out of its Lucene segments. */
#ifndef DOCUMENTS_LUCENE_DOCUMENTS_H
#define DOCUMENTS_LUCENE_DOCUMENTS_H

#include "documents/document.h"
#include "lucene/directory.h"

struct lucene_documents_options {
	bool include_deleted; /* give deleted documents too, with live = false */
};

/* Opens all segments of the newest commit of `dir` (borrowed). Nested children (no stored id) are
 * passed over. A live document with an id and no _source comes with source.ptr NULL. A segment with
 * live documents but no stored id at all is ERR_UNSUPPORTED. */
int lucene_documents_open(struct lucene_directory *dir,
			  const struct lucene_documents_options *options,
			  struct document_source **out, struct err *err);

/* What `inspect lucene --segments` and `snapshot show` tell of a shard. */
struct segment_summary {
	struct str name;
	struct str version;     /* "9.12.3" */
	struct str info_format; /* codec strings of .si, .fnm, .fdt */
	struct str fields_format;
	struct str stored_format;
	bool compound;
	int32_t max_doc, live_docs, deleted_docs, soft_deleted_docs;
	uint64_t stored_bytes;
};

int lucene_segments_summarise(struct lucene_directory *dir, struct arena *mem,
			      struct segment_summary **out, size_t *count, struct err *err);

#endif
