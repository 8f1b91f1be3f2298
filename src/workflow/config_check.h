/* What is wrong with a configuration: against the schema, and between its parts. */
#ifndef WORKFLOW_CONFIG_CHECK_H
#define WORKFLOW_CONFIG_CHECK_H

#include "base/buf.h"
#include "workflow/config_value.h"

struct config_problem {
	struct str path;    /* "traffic.proxies.front.proxyConfig.listenPort", items by number */
	struct str message; /* what is wrong and what to do, without a full stop */
	size_t line, column;
	bool warning; /* the rest is understood all the same */
};

#define CONFIG_PROBLEMS_MAX 200 /* more are not looked for */

struct config_problems {
	struct config_problem *list; /* in the arena of the check; in the order of the text */
	size_t count;
	size_t errors; /* of count: those that are no warnings */
};

/* Checks shape, names, and the rules between parts (2.6 of the control plane's reference).
 * ERR_LIMIT when the arena is full; problems are no error. */
int config_check(const struct config_value *root, struct arena *mem, struct config_problems *out,
		 struct err *err);
/* Appends each as "MESSAGE at:\n  PATH (line N, column M)\n". */
void config_problems_write(struct buf *out, const struct config_problems *problems);

#endif
