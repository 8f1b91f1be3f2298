/* Captured records as text: `traffic show`, and the dump modes of `replay`. */
#ifndef CLI_TRAFFIC_SHOW_H
#define CLI_TRAFFIC_SHOW_H

#include "cli/traffic_selection.h"

struct traffic_show_fields {
	const char *mode; /* "raw", "http" or "both" */
	int64_t preview_read, preview_write;
};

/* Prints what is in `path` to standard output; an exit code, or an error. */
int traffic_show(const char *path, const struct traffic_selection_fields *which,
		 const struct traffic_show_fields *fields, struct err *err);

#endif
