/* Which indices a user means: --index-allowlist entries are exact names or regex:PATTERN matched
 * against the whole name. Without a list, all but system and tool indices (the built-in
 * exclusions). */
#ifndef METADATA_INDEX_FILTER_H
#define METADATA_INDEX_FILTER_H

#include "base/opt.h"

struct index_filter;

/* ERR_USAGE for an empty or invalid pattern, naming it. */
int index_filter_new(const struct opt_list *allowlist, struct index_filter **out, struct err *err);
void index_filter_free(struct index_filter *filter);
bool index_filter_accepts(const struct index_filter *filter, struct str name);
/* The built-in exclusions alone: ".kibana", "metricbeat-…". */
bool index_is_excluded_by_default(struct str name);

#endif
