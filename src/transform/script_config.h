/* The configuration of JsonJSTransformerProvider, with its files read. */
#ifndef TRANSFORM_SCRIPT_CONFIG_H
#define TRANSFORM_SCRIPT_CONFIG_H

#include "base/json.h"

struct script_config {
	struct str name;   /* how errors call the script: its file's name */
	struct str script; /* its text, without NUL */
	const struct json *bindings;
};

/* All in `mem`, or borrowed of `configuration`. Files are relative to `base_directory` (NULL: the
 * working one). ERR_USAGE names the key. Keys and the order in which bindings override each other:
 * the Java tool's ScriptTransformerProvider (3.3.6). */
int script_config_read(const struct json *configuration, const char *base_directory,
		       struct arena *mem, struct script_config *out, struct err *err);

#endif
