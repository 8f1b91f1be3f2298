/* What a resource is made of: a part of the configuration with the defaults of the schema filled
 * in, its checksum, and what an edit of it means. */
#ifndef WORKFLOW_PLAN_SPEC_H
#define WORKFLOW_PLAN_SPEC_H

#include "base/json.h"
#include "workflow/config_value.h"
#include "workflow/schema.h"

#define PLAN_CHECKSUM_LENGTH 16

/* The schema below the root by names, maps and lists passed on the way:
 * "traffic.proxies.proxyConfig". */
const struct schema *plan_schema(const char *path);
/* The value with the schema's defaults, without what has no effect on one machine and without what
 * only says where to wait. `value` NULL: defaults alone. */
struct json *plan_resolve(const struct schema *schema, const struct config_value *value,
			  struct arena *mem);
/* The value as it was written. */
struct json *plan_plain(const struct config_value *value, struct arena *mem);
/* A resource's spec without the members whose edits are of a lesser policy than `least`. */
struct json *plan_spec_part(const struct json *spec, enum change_policy least, struct arena *mem);
/* The first 16 hex digits of SHA-256 over the JSON with its members sorted; ptr NULL when the arena
 * is full. */
struct str plan_checksum(const struct json *value, struct arena *mem);

struct plan_change {
	enum change_policy policy; /* the strictest of all that was edited */
	struct str paths;          /* of what has that policy: "backfill.indexAllowlist, …" */
};

/* What was edited between two specs of a resource. False: nothing. */
bool plan_compare(const struct json *before, const struct json *after, struct arena *mem,
		  struct plan_change *out);

#endif
