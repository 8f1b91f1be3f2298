/* What a request does to the target, read from its method and path. Source: the REST APIs of
 * Elasticsearch 5 to 9 and OpenSearch 1 to 3. Thread-safe. */
#ifndef REPLAY_OPERATION_H
#define REPLAY_OPERATION_H

#include "transform/request_path.h"

enum operation_kind {
	OPERATION_READ,   /* changes no document */
	OPERATION_OTHER,  /* may change something, not one document: settings, mappings, … */
	OPERATION_INDEX,  /* a whole document; `create` where it must not be there */
	OPERATION_DELETE, /* one document */
	OPERATION_UPDATE,
	OPERATION_BULK,
	OPERATION_BY_QUERY, /* _update_by_query, _delete_by_query, _reindex: reads what others
			       wrote */
	OPERATION_CURSOR,   /* of scrolls or points in time: goes on with, opens or ends one */
};

struct operation {
	enum operation_kind kind;
	bool create;
	bool opens;           /* a scroll or point in time: its answer holds an id */
	struct str index, id; /* decoded; id "": the target makes one */
	struct str raw_index, raw_type, raw_id; /* as in the path; type "": none, or _doc */
	struct str query;                       /* with its '?'; may be empty */
};

/* Slices of `target`, or in `mem`. */
void operation_read(struct str method, struct str target, struct arena *mem, struct operation *out);

#endif
