/* The documents of a live index, by point in time (Elasticsearch 7.10, OpenSearch 2.4 and later) or
 * scroll, as the iterator that snapshots give. One thread a source; slices are sources of their
 * own, each with its way to the cluster. */
#ifndef DOCUMENTS_LIVE_DOCUMENTS_H
#define DOCUMENTS_LIVE_DOCUMENTS_H

#include "cluster/cluster.h"
#include "documents/document.h"

struct live_documents_options {
	struct str index;      /* one name, not a pattern */
	int32_t slice, slices; /* slices 0 or 1: whole */
	int32_t shard;      /* -1: all; else only documents of this shard (preference=_shards:N) */
	struct str query;   /* JSON of a query clause; ptr NULL: all */
	int64_t page_bytes; /* aimed at; pages shrink and grow with the documents. 0: 8 MiB */
	int64_t page_documents; /* at most; 0: 1000 */
	bool versions;          /* document.version and seq_no */
	bool by_sequence;       /* sorted by _seq_no (ES 6, OS): resumes after `after_sequence`.
				   One shard: ERR_USAGE without */
	int64_t after_sequence; /* -1: from the start */
	bool or_scroll; /* by_sequence needs a point in time: by scroll where none is opened. Not
			   with after_sequence: ERR_USAGE */
	bool ids_only;  /* no sources */
};

/* Opens nothing on the cluster before the first document is asked for. A lost point in time is
 * opened again where the order allows to go on (by_sequence); where none lasts the search goes on
 * without one, but for slices, which need it. That, and an expired scroll, is ERR_CONFLICT: the
 * slice must start anew. `cluster` is borrowed; used by this source alone meanwhile. document.doc
 * counts up from 0; total_bytes is an estimate from the index's size. */
int live_documents_open(struct cluster *cluster, const struct live_documents_options *options,
			struct document_source **out, struct err *err);
/* _seq_no of the document given last; -1: not known. */
int64_t live_documents_sequence(const struct document_source *source);
/* Whether _seq_no can be sorted by. */
bool live_documents_has_sequence(const struct cluster_version *version);
/* Whether every document that such a cluster can hold has a _seq_no: Elasticsearch 6 may hold
 * indices of 5, which have none. Slices then go by it, which costs less than by id. */
bool live_documents_number_all(const struct cluster_version *version);

#endif
