/* Where a section's workers run. */
#ifndef CLI_CONSOLE_PLATFORM_H
#define CLI_CONSOLE_PLATFORM_H

#include "cli/console_workers.h"

/* 0: as processes of this machine. ERR_UNSUPPORTED names docker, ecs or k8s; ERR_BLOCKED: the
 * workflow's engine drives it, and what to do instead. `what`: "backfill", "replay". */
int console_platform_check(const struct console *console, const struct config_value *section,
			   const char *what, struct err *err);
/* "local", "docker", … */
const char *console_platform_name(const struct console *console,
				  const struct config_value *section);
/* The argument of `scale`; up to CONSOLE_WORKERS_MAX. */
int console_parse_scale(const char *text, unsigned *out, struct err *err);

#endif
