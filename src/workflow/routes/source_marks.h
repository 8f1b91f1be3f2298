/* How far each index of a live cluster was written when a session began, so that writes meanwhile
 * are told at its end: the highest sequence number of each shard where the source has them, else
 * counts of documents and of operations. */
#ifndef WORKFLOW_ROUTES_SOURCE_MARKS_H
#define WORKFLOW_ROUTES_SOURCE_MARKS_H

#include "cluster/cluster.h"

struct source_marks {
	struct cluster *source; /* borrowed */
	const char *path;       /* of the file that keeps them for later runs; NULL: none does */
	struct arena mem;
	struct json *before; /* index -> mark */
};

/* Reads what an earlier run kept. ERR_FORMAT names a file that is damaged. */
int source_marks_open(struct cluster *source, const char *path, struct source_marks *out,
		      struct err *err);
void source_marks_release(struct source_marks *marks);
/* Marks an index, unless an earlier run of the session did. */
int source_marks_add(struct source_marks *marks, struct str index, struct err *err);
/* Keeps them, before the first document is read. */
int source_marks_keep(const struct source_marks *marks, struct err *err);
/* What was written to the index since it was marked, in words (in `mem`); empty: nothing. */
int source_marks_compare(const struct source_marks *marks, struct str index, struct arena *mem,
			 struct str *words, struct err *err);

#endif
