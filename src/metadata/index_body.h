/* Pieces of an index's body: mappings out of their types, and repairs that a target asks for. */
#ifndef METADATA_INDEX_BODY_H
#define METADATA_INDEX_BODY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

/* What is said about one index at most; more is cut. */
#define CHANGES_MAX KIB(2)

/* Adds "; " and the sentence to what is told of an index. */
void changes_add(struct buf *changes, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Out of an object type -> mapping, one mapping: a copy. An empty object where there is no type.
 * ERR_UNSUPPORTED names the field on which types do not agree. */
int index_mapping_unwrap(const struct json *types, struct arena *mem, struct json **out,
			 struct buf *changes, struct err *err);
/* Calls visit for the definition of every field at every depth, multi-fields and dynamic templates
 * included. `name` is empty for templates. */
void index_mapping_each_field(struct json *mapping,
			      void (*visit)(struct str name, struct json *definition, void *user),
			      void *user);

/* Changes the body ({"settings": flat, "mappings": …}) as the target's answer asks: unknown or
 * private settings, unsupported mapping parameters, codecs. Returns how many things were changed.
 */
size_t index_body_repair(struct json *body, const struct json *answer, struct arena *mem,
			 struct buf *changes);

#endif
