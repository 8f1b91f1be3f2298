/* What commands on metadata have in common: which items, and where they are read from. */
#ifndef CLI_METADATA_SOURCE_H
#define CLI_METADATA_SOURCE_H

#include "cli/snapshot_source.h"
#include "cli/source_options.h"
#include "metadata/metadata_read.h"

struct selection_fields {
	struct opt_list indices, index_templates, component_templates, others;
	bool allow_partial;
};
extern const struct opt selection_options[];

/* An open source: a live cluster, or a snapshot. Release it also after a failure. */
struct metadata_source {
	struct snapshot_source snapshot;
	struct cluster *cluster; /* NULL: a snapshot */
	const char *name;        /* repository or URL, without secrets */
};
void metadata_source_release(struct metadata_source *source);

/* Opens what the fields name, reads it into `set` and marks what is not selected. */
int metadata_source_read(struct metadata_source *source, struct source_fields *fields,
			 struct repository_fields *repository,
			 const struct selection_fields *selection,
			 const struct metadata_read_options *options, struct arena *mem,
			 struct metadata_set *set, struct err *err);

#endif
