/* Indices on the target from a snapshot's index metadata: mappings out of their type, private
 * settings removed, aliases, replicas. */
#ifndef METADATA_INDEX_CREATE_H
#define METADATA_INDEX_CREATE_H

#include "cluster/cluster.h"
#include "snapshot/repository.h"

/* How an index keeps its documents' sources. */
enum source_kind {
	SOURCE_STORED,    /* whole */
	SOURCE_FILTERED,  /* _source includes or excludes: stored in part */
	SOURCE_DISABLED,  /* _source.enabled: false */
	SOURCE_SYNTHETIC, /* synthetic _source, logsdb, time series */
};

/* Decides from mappings and settings (index.mode, index.mapping.source.mode). */
enum source_kind index_source_kind(const struct index_metadata *metadata);

struct index_create_options {
	struct cluster_version target;
	int64_t replicas;    /* -1: as in the snapshot */
	bool allow_existing; /* an existing index is no failure */
};

/* The body for PUT /<index> in `mem`. Mapping types are unwrapped (several types are united when
 * their fields agree; ERR_UNSUPPORTED names the field when not). */
int index_create_body(const struct index_metadata *metadata,
		      const struct index_create_options *options, struct arena *mem,
		      struct json **out, struct err *err);

enum index_create_outcome { INDEX_CREATED, INDEX_EXISTED, INDEX_FAILED };

struct index_create_result {
	enum index_create_outcome outcome;
	struct str reason; /* INDEX_FAILED, and what was changed on the way; in the arena given */
};

/* Creates one index; repairs what the target's 400 names (unknown or private settings) at most a
 * few times. Negative only when the target cannot be used at all. */
int index_create(struct cluster *target, struct str name, const struct index_metadata *metadata,
		 const struct index_create_options *options, struct arena *mem,
		 struct index_create_result *result, struct err *err);

#endif
