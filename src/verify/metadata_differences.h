/* How mappings and settings of indices differ from what the metadata rules would create. */
#ifndef VERIFY_METADATA_DIFFERENCES_H
#define VERIFY_METADATA_DIFFERENCES_H

#include "metadata/rules.h"
#include "verify/findings.h"
#include "verify/verify.h"

/* `source` and `target` are sets of indices as they were read; both pass through the rules, the
 * target's own ones too, which takes out what no index is created with (uuids, dates, versions).
 * What is a default on one side and not spelled on the other is no difference, nor are spellings
 * (true and "true", 1 and "1"), nor copies (number_of_replicas, auto_expand_replicas) unless
 * rules->replicas is at least 0.
 * Each pair is counted in `out`. */
int metadata_differences(struct metadata_set *source, struct metadata_set *target,
			 const struct verify_pair *pairs, size_t count,
			 const struct rule_options *rules, struct verify_findings *out,
			 struct err *err);

#endif
