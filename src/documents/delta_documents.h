/* What changed in a shard between two snapshots, as documents to delete and documents to index.
 *
 * Only segments and live documents that differ are read. First come the documents to delete
 * (`deleted`, without a source): those that were live in the previous snapshot, are not live in the
 * segments that both have, and whose id no live document of the other segments of the current one
 * has. Then the documents to index: all that are live in the current snapshot and were not, as the
 * same Lucene document, in the previous one; new, changed, or only moved by a merge. Applied to the
 * documents of the previous snapshot, in any order, they give those of the current one.
 *
 * document.doc numbers the stream: a deleted document has its Lucene document id in the previous
 * commit; one to index has that in the current commit plus the number of documents (dead ones
 * included) of the previous commit. It is strictly ascending and the same at each run, so that
 * checkpoints, and ranges, work as for a shard: whoever starts at first_doc gets exactly what comes
 * after it. Past the deletes they are not computed again.
 *
 * document.version of one to delete is its version in the previous snapshot and one more: what the
 * target has of it is older, and what a client wrote since is not. (Deletions leave a version in
 * tombstones that are soon merged away, and may restart from 1.)
 *
 * The ids of vanished documents are hashed to 128 bits with a random key, in as many partitions as
 * `memory` demands; for each partition the changed documents of both commits are read once. Two ids
 * of one hash would keep a document alive that should be deleted; never the reverse.
 *
 * lucene_documents_parts is not for this source: checksums are compared where a segment is read
 * from front to back, which the comparison of ids does.
 *
 * Both shards must be of indices with the same number of shards and the same routing: else an id
 * may live on in another shard. The caller checks that. */
#ifndef DOCUMENTS_DELTA_DOCUMENTS_H
#define DOCUMENTS_DELTA_DOCUMENTS_H

#include "documents/lucene_documents.h"

enum delta_mode {
	DELTA_UPDATES,
	DELTA_UPDATES_AND_DELETES,
	DELTA_DELETES,
};

/* "updates", "updates-and-deletes", "deletes"; also as the Java tool calls them: UPDATES_ONLY,
 * UPDATES_AND_DELETES, DELETES_ONLY. False for any other. */
bool delta_mode_parse(struct str text, enum delta_mode *out);
/* The first of its names. */
const char *delta_mode_name(enum delta_mode mode);

struct delta_options {
	enum delta_mode mode;
	bool versions;
	size_t memory;              /* bytes for ids; 0: 64 MiB */
	int64_t first_doc, end_doc; /* of the numbering above; end_doc 0: to the end */
};

/* `previous` NULL: the previous snapshot does not have the shard, and all documents are to be
 * indexed. `current` NULL: the current one does not have it, and all are to be deleted. Both are
 * borrowed. */
int delta_documents_open(struct lucene_directory *previous, struct lucene_directory *current,
			 const struct delta_options *options, struct document_source **out,
			 struct err *err);

#endif
