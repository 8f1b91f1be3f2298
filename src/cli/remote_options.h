/* Options of --mode remote-reindex, and what they come to. */
#ifndef CLI_REMOTE_OPTIONS_H
#define CLI_REMOTE_OPTIONS_H

#include "base/opt.h"
#include "cli/source_options.h"
#include "workflow/routes/remote_reindex.h"

struct remote_fields {
	const char *host; /* of the source, as the target sees it */
	int64_t size, requests_per_second, slices, parallel;
	int64_t socket_timeout_ms, allowlist_wait_ms;
};
extern const struct opt remote_options[];

struct remote_plan {
	struct remote_reindex_options options;
	struct reindex_remote remote;
};

/* Fills what these options and the way to the source say; strings in `mem` or borrowed. `same`:
 * source and target are one cluster. ERR_USAGE for what does not go together. */
int remote_fields_plan(const struct remote_fields *fields, const struct source_fields *source,
		       bool same, struct arena *mem, struct remote_plan *out, struct err *err);

#endif
