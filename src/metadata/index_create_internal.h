/* The steps between an index's metadata and a body that the target takes. */
#ifndef METADATA_INDEX_CREATE_INTERNAL_H
#define METADATA_INDEX_CREATE_INTERNAL_H

#include "metadata/index_create.h"

/* What is said about one index at most; more is cut. */
#define CHANGES_MAX KIB(2)

/* Adds "; " and the sentence to what is told of an index. */
void changes_add(struct buf *changes, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The settings for the target: a copy, flat, without what a rule of the table leaves out. */
int index_settings_for_target(const struct index_metadata *metadata,
			      const struct index_create_options *options, struct arena *mem,
			      struct json **out, struct buf *changes, struct err *err);

/* Out of the types, one mapping: a copy. An empty object where there is no type. */
int index_mapping_unwrap(const struct json *types, struct arena *mem, struct json **out,
			 struct buf *changes, struct err *err);
/* Removes from the mapping, in place, what no target or not this one knows. */
void index_mapping_clean(struct json *mapping, const struct cluster_version *target,
			 struct buf *changes);
/* Calls visit for the definition of every field at every depth, multi-fields and dynamic templates
 * included. `name` is empty for templates. */
void index_mapping_each_field(struct json *mapping,
			      void (*visit)(struct str name, struct json *definition, void *user),
			      void *user);

/* Changes the body as the target's answer asks. Returns how many things were changed. */
size_t index_body_repair(struct json *body, const struct json *answer, struct arena *mem,
			 struct buf *changes);

#endif
