/* The documents of an Elasticsearch or OpenSearch shard, out of its Lucene segments. */
#ifndef DOCUMENTS_LUCENE_DOCUMENTS_H
#define DOCUMENTS_LUCENE_DOCUMENTS_H

#include "documents/document.h"
#include "documents/document_selection.h"
#include "documents/rebuild.h"
#include "lucene/directory.h"

#include <stdatomic.h>

struct lucene_documents_options {
	bool include_deleted; /* give deleted documents too, with live = false */
	bool versions;        /* read _version out of the doc values */
	/* Borrowed; NULL: all documents. Segments of which nothing is selected are not read. */
	const struct document_selection *selection;
	/* Borrowed; NULL: sources are given as they are stored. Else each is rebuilt, or what is
	 * stored of it completed; one that cannot be comes with its `problem`. */
	const struct rebuild_plan *rebuild;
	/* With `rebuild`: where a document has its _recovery_source, which newer versions keep of
	 * recent operations, that is its source, whole, and nothing is rebuilt. */
	bool recovery_source;
	/* Bytes that points and terms may hold meanwhile, for who makes a plan; 0: LIMIT_INDEXED */
	size_t rebuild_memory;
	/* What the plan's tally is to be, for who makes one; NULL: none. */
	struct rebuild_tally *rebuild_tally;
	/* Only documents [first_doc, end_doc) of the shard; end_doc 0: to the end. Both may lie
	 * anywhere, beyond the end too. Chunks before and after are not read; segments before and
	 * after not even opened. total_bytes and position are of the range. */
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
/* The parts that the source has read up to now, that is with the last call of document_source_next;
 * they change with the next one, so copy them. How to prove a shard that several workers read, each
 * a range, some of them one after the other within a range:
 *
 * 1. Take the parts between two calls of document_source_next, when a bulk is closed, and keep them
 *    with the bulk. They are for a checkpoint whose next_doc is d or d + 1, d being the `doc` of
 * the document that came last: so it does not matter whether a bulk is closed before or after the
 *    document that fills it is asked for.
 * 2. Write them with the checkpoint of that next_doc, together with those that were in the
 *    checkpoint from which the source was opened. (Those of an earlier bulk of the same source are
 *    replaced: each time, all parts since the source was opened are given.)
 * 3. Whoever goes on opens [next_doc, end_doc). Its parts begin with the chunk that holds next_doc.
 * 4. When document_source_next has returned 0, the parts are those of the whole range; they are
 *    written as the item completes, after those of its checkpoint.
 * 5. When all items of a shard are completed, all their parts, grouped by `segment`, go to
 *    checksum_parts_join: each group must be complete and agree. Parts of one item may be dropped
 * or joined only there.
 *
 * While a chunk is at hand it is a part of its own, and stays one when a range begins or ends
 * within it: that is what makes parts of neighbours meet. A segment whose file was read from front
 * to back by one source, and checked, has no parts any more once the source has gone on to the next
 * one, unless the range begins with its first document. A file without a footer (Lucene 4.0 to 4.7)
 * never has any: nothing of it can be proven. */
size_t lucene_documents_parts(const struct document_source *source,
			      const struct checksum_part **parts);
/* Joins parts of one segment's file, in any order (they are sorted). 0 when nothing contradicts;
 * then *complete: a chain of them, each beginning where another ends, leads from the first byte to
 * the last and gives the CRC that the footer says. False while some are missing: ranges not read
 * yet, or parts that were lost. ERR_FORMAT when the file is damaged: the CRC is another one, or two
 * workers read different bytes in the same place. Parts that the chain does not need are ignored.
 */
int checksum_parts_join(struct checksum_part *parts, size_t count, bool *complete, struct err *err);

/* Reads the stored fields of all segments, decompressing nothing, and compares their checksums: for
 * a shard whose parts are not complete. ERR_FORMAT: a file is damaged; ERR_CANCELLED: *cancel. */
int lucene_documents_check(struct lucene_directory *dir, const atomic_bool *cancel,
			   struct err *err);

/* Where a shard may be divided: document ids, ascending, at chunk boundaries, so that each piece
 * has about `bytes` of stored fields. Reads .si, .fdx (and .fdm) only. The arrays live in `mem`;
 * there is one piece at least, the first begins at 0 and the last ends at *total_docs. `sizes[i]`:
 * bytes of piece i. */
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
