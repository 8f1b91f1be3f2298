/* Options of commands that create metadata on a target: what the rules do. */
#ifndef CLI_METADATA_OPTIONS_H
#define CLI_METADATA_OPTIONS_H

#include "base/opt.h"
#include "metadata/rules.h"

struct creation_fields {
	bool allow_existing, preserve_routing, keep_allocation, keyword_subfields;
	int64_t replicas, awareness;
	const char *multi_type, *on_unsupported;
};
extern const struct opt creation_options[];

struct rule_options rule_options_of(const struct creation_fields *fields,
				    const struct cluster_version *target);

#endif
