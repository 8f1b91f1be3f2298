/* How an index keeps its documents' sources. */
#ifndef METADATA_SOURCE_KIND_H
#define METADATA_SOURCE_KIND_H

#include "snapshot/repository.h"

enum source_kind {
	SOURCE_STORED,    /* whole */
	SOURCE_FILTERED,  /* _source includes or excludes: stored in part */
	SOURCE_DISABLED,  /* _source.enabled: false */
	SOURCE_SYNTHETIC, /* synthetic _source, logsdb, time series */
};

/* Decides from mappings and settings (index.mode, index.mapping.source.mode); of several types the
 * one that stores least. */
enum source_kind index_source_kind(const struct index_metadata *metadata);
/* "stored", "filtered", "disabled", "synthetic". */
const char *source_kind_name(enum source_kind kind);
/* The name of the one mapping type of an index made by Elasticsearch 6, whose documents no longer
 * carry it; ptr NULL where there are several or it is the nameless one. The metadata's. */
struct str index_only_type(const struct index_metadata *metadata);

#endif
