/* The documents of an Elasticsearch or OpenSearch shard, out of its Lucene segments. */
#ifndef DOCUMENTS_LUCENE_DOCUMENTS_H
#define DOCUMENTS_LUCENE_DOCUMENTS_H

#include "documents/document.h"
#include "documents/document_selection.h"
#include "lucene/directory.h"

struct lucene_documents_options {
	bool include_deleted; /* give deleted documents too, with live = false */
	bool versions;        /* read _version out of the doc values */
	/* Borrowed; NULL: all documents. Segments of which nothing is selected are not opened. */
	const struct document_selection *selection;
	/* Only documents [first_doc, end_doc) of the shard; end_doc 0: to the end. Chunks before
	 * and after are not read. */
	int64_t first_doc, end_doc;
};

/* Opens all segments of the newest commit of `dir` (borrowed). Nested children (no stored id) are
 * passed over. A live document with an id and no _source comes with source.ptr NULL. A segment with
 * live documents but no stored id at all is ERR_UNSUPPORTED. */
int lucene_documents_open(struct lucene_directory *dir,
			  const struct lucene_documents_options *options,
			  struct document_source **out, struct err *err);

/* A piece of a .fdt that was read in one go: its CRC joins with those of its neighbours to the
 * file's, so that workers who read a part each still prove the whole. */
struct checksum_part {
	struct str segment; /* name, such as "_3"; lives as long as the source */
	uint64_t offset, length;
	uint32_t crc;         /* CRC-32 of these bytes */
	uint64_t file_length; /* without the footer's last eight bytes: what the parts cover in all
			       */
	uint32_t expected;    /* as the footer says; only where the part reaches the end */
	bool at_end;
};
/* The parts that a source opened for a range has read up to now, ended ones only; the last is ended
 * by document_source_next's 0. A segment whose file was read whole, and checked, has none. */
size_t lucene_documents_parts(const struct document_source *source,
			      const struct checksum_part **parts);
/* Joins parts of one segment's file, in any order: 0 when they cover it without a gap and give what
 * the footer says; overlaps are allowed only when equal. *complete: false while some are missing.
 */
int checksum_parts_join(struct checksum_part *parts, size_t count, bool *complete, struct err *err);

/* Where a shard may be divided: document ids, ascending, at chunk boundaries, so that each piece
 * has about `bytes` of stored fields. Reads .si, .fdx (and .fdm) only. The array lives in `mem`;
 * the first piece begins at 0 and the last ends at *total_docs. `sizes[i]`: bytes of piece i. */
int lucene_documents_divide(struct lucene_directory *dir, uint64_t bytes, struct arena *mem,
			    int64_t **starts, uint64_t **sizes, size_t *count, int64_t *total_docs,
			    struct err *err);

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
