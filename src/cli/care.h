/* How hard a target is pressed, and what is done for it: flags of migrate and backfill. */
#ifndef CLI_CARE_H
#define CLI_CARE_H

#include "base/opt.h"

struct care_fields {
	int64_t documents_per_second, bytes_per_second; /* 0: no limit */
	bool tune_target, allow_missing;
	int64_t pause_ms;
};
extern const struct opt care_options[];

#endif
