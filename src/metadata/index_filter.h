/* Which indices a user means: --index-allowlist entries are exact names or regex:PATTERN matched
 * against the whole name. Without a list, all but system and tool indices (the built-in
 * exclusions); a list switches these off.
 * What a pattern may say stands in name_pattern.h. */
#ifndef METADATA_INDEX_FILTER_H
#define METADATA_INDEX_FILTER_H

#include "base/opt.h"

struct index_filter;

/* ERR_USAGE for an empty or invalid pattern, naming it. The list is borrowed. */
int index_filter_new(const struct opt_list *allowlist, struct index_filter **out, struct err *err);
/* Accepts NULL. */
void index_filter_free(struct index_filter *filter);
/* Thread-safe. */
bool index_filter_accepts(const struct index_filter *filter, struct str name);
/* The built-in exclusions alone: ".kibana", "metricbeat-…". */
bool index_is_excluded_by_default(struct str name);

/* The entries of the list, for telling which of them matched nothing. 0 without a list. */
size_t index_filter_entry_count(const struct index_filter *filter);
const char *index_filter_entry(const struct index_filter *filter, size_t entry);
bool index_filter_entry_accepts(const struct index_filter *filter, size_t entry, struct str name);

#endif
