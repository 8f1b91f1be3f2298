/* One side of a comparison: where its documents are, in parts that are read at the same time.
 *
 * After verify_side_new_… a side is used by many threads; each reads a part at a time. */
#ifndef VERIFY_VERIFY_SIDE_H
#define VERIFY_VERIFY_SIDE_H

#include "cluster/cluster.h"
#include "documents/document.h"
#include "snapshot/repository.h"

struct verify_side;

/* What tells whether an index is still what it was when a checkpoint of it was written. */
struct verify_state {
	uint64_t identity; /* another one: it was made anew */
	uint64_t writes;   /* another one: it was written to, or nobody can tell */
};

/* An index of a side. */
struct verify_index {
	struct str name;
	size_t parts;       /* its shards, or slices of these */
	size_t slices;      /* of a shard; 0: shards are whole. The side's */
	uint64_t documents; /* about so many; 0: not known */
	bool counted;       /* `documents` is what the cluster counts, exactly what is to be read */
	bool several;       /* the name stands for several indices. The side's */
	bool rebuilt, synthetic;   /* its sources are not stored, or in part: they are rebuilt */
	struct verify_state state; /* zeros: it cannot change */
	struct str only_type;      /* of documents stored without one; the side's; ptr NULL: none */
};

struct verify_side_ops {
	/* Fills parts and documents. ERR_NOT_FOUND: there is no such index here. */
	int (*look)(struct verify_side *side, struct verify_index *index, struct err *err);
	/* The documents of a part, for one thread. */
	int (*open)(struct verify_side *side, const struct verify_index *index, size_t part,
		    struct document_source **out, struct err *err);
	/* Names of all its indices, in `mem`. */
	int (*list)(struct verify_side *side, struct arena *mem, struct str **names, size_t *count,
		    struct err *err);
	/* Documents by their ids (at most 100), with versions, as they are now; one thread at a
	 * time. Those that are not there are not given. NULL: they cannot change. */
	int (*fetch)(struct verify_side *side, const struct verify_index *index,
		     const struct str *ids, size_t count,
		     void (*visit)(void *user, const struct document *document), void *user,
		     struct err *err);
	void (*close)(struct verify_side *side);
};

/* Implementations embed this as their first member. */
struct verify_side {
	const struct verify_side_ops *ops;
	const char *what; /* "snapshot 'nightly'", "https://host:9200": for messages; borrowed */
};

/* The snapshot is borrowed. `rebuild`: documents whose source is not stored, or in part, are
 * compared as they are rebuilt (documents/rebuild.h); else such an index cannot be compared.
 * `rebuild_memory`, `recovery_source`: as of lucene_documents_options. */
struct verify_side *verify_side_of_snapshot(const struct snapshot *snapshot, const char *what,
					    bool rebuild, size_t rebuild_memory,
					    bool recovery_source);
/* How a cluster is read; strings are borrowed. */
struct verify_cluster_options {
	struct str query;   /* JSON of a clause that documents must fulfil; ptr NULL: all */
	int64_t page_bytes; /* of an answer, aimed at; 0: 8 MiB */
	int64_t documents_per_second; /* by all threads together; 0: no limit */
};

/* The cluster is borrowed; parts are read over clones of it. Indices are refreshed when looked at.
 */
struct verify_side *verify_side_of_cluster(struct cluster *cluster, const char *what,
					   const struct verify_cluster_options *options);
/* A folder that an export filled (dir:PATH), as a target; strings are borrowed. Files that are
 * damaged, or hold deletes, end the reading of their index; so do those without ids, but with
 * `ignore_ids`. */
struct verify_side *verify_side_of_files(const char *path, const char *what, bool ignore_ids);
/* Accepts NULL. */
void verify_side_close(struct verify_side *side);

#endif
