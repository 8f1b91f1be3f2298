/* What both readers share: pieces of a body in the one form. */
#ifndef METADATA_READ_INTERNAL_H
#define METADATA_READ_INTERNAL_H

#include "metadata/metadata_read.h"

/* Whether bodies of this version have mapping types. */
bool metadata_has_types(const struct cluster_version *version);
/* {"settings": tree, "mappings": …, "aliases": …} out of any API's or blob's spelling: settings
 * flat or not, mappings an array of types or an object, in a type or bare. Other members come along
 * as they are. NULL at the ceiling. */
struct json *metadata_body(const struct json *body, bool typed, struct arena *mem);
/* Adds one item; false (and nothing added) where options do not want its kind. */
struct metadata_item *metadata_read_add(struct metadata_set *set,
					const struct metadata_read_options *options,
					enum metadata_kind kind, struct str name,
					const struct json *source);
bool metadata_read_wants(const struct metadata_read_options *options, enum metadata_kind kind);
/* An index, with its aliases as items of their own. `body` is normalised. */
int metadata_add_index(struct metadata_set *set, const struct metadata_read_options *options,
		       struct str name, struct json *body, bool closed, struct err *err);
/* Stored scripts by id, as the cluster's state keeps them: {"id": {"lang": …, "source": …}}. What
 * Elasticsearch 5 lists again as "lang#id" is taken once. */
int metadata_add_scripts(struct metadata_set *set, const struct metadata_read_options *options,
			 const struct json *scripts, struct err *err);
/* After all are read: aliases of several indices become one item each, all is sorted. */
int metadata_read_finish(struct metadata_set *set, struct err *err);

#endif
