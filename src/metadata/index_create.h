/* Indices on the target from a snapshot's index metadata: mappings out of their type, private
 * settings removed, aliases, replicas. */
#ifndef METADATA_INDEX_CREATE_H
#define METADATA_INDEX_CREATE_H

#include "cluster/cluster.h"
#include "metadata/source_kind.h"
#include "snapshot/repository.h"

struct index_create_options {
	struct cluster_version target;
	int64_t replicas;    /* -1: as in the snapshot */
	bool allow_existing; /* an existing index is no failure */
};

/* The body for PUT /<index> in `mem`. Mapping types are unwrapped (several types are united when
 * their fields agree; ERR_UNSUPPORTED names the field when not). *changes says in words what of the
 * user's own was left out or altered, and why; empty if nothing. */
int index_create_body(const struct index_metadata *metadata,
		      const struct index_create_options *options, struct arena *mem,
		      struct json **out, struct str *changes, struct err *err);

enum index_create_outcome { INDEX_CREATED, INDEX_EXISTED, INDEX_FAILED };

struct index_create_result {
	enum index_create_outcome outcome;
	struct str reason; /* why INDEX_FAILED or INDEX_EXISTED where that is a failure; else what
			      was changed on the way, may be empty. In the arena given */
};

/* Creates one index; repairs what the target's 400 names (unknown or private settings, unsupported
 * mapping parameters) as long as each repair changes the body. An index that is there already is
 * INDEX_EXISTED with allow_existing, else INDEX_FAILED; it is never touched. Negative only when the
 * target cannot be used at all. */
int index_create(struct cluster *target, struct str name, const struct index_metadata *metadata,
		 const struct index_create_options *options, struct arena *mem,
		 struct index_create_result *result, struct err *err);

#endif
