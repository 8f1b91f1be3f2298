/* The containers of the Java tool by name: a link of such a name takes a container's place under
 * its Helm chart, with the single argument that this gives: `---INLINE-JSON <base64>`.
 *
 * Source: opensearch-migrations 3.3.6, the images of deployment/k8s. */
#ifndef CLI_JAVA_NAMES_H
#define CLI_JAVA_NAMES_H

#include "base/compiler.h"

struct java_name {
	const char *name;
	char *command; /* a word of argv */
	/* Settings of ours that are others for it, where the environment has neither. */
	struct {
		const char *variable, *java_variable, *value;
	} defaults[2];
};

/* NULL: `program` (a path or a name) is none of them. */
const struct java_name *java_name_find(const char *program);
void java_name_set_defaults(const struct java_name *name);
/* The console's container does nothing by itself: people enter it. */
bool java_name_only_waits(const struct java_name *name, int argc);

#endif
