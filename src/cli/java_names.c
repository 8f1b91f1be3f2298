#include "cli/java_names.h"

#include <stdlib.h>
#include <string.h>

static char backfill[] = "backfill", capture[] = "capture", replay[] = "replay",
	    console[] = "console";

static const struct java_name names[] = {
	/* Workers share a session through the target, beside Java's that are not replaced yet. */
	{"reindex_from_snapshot",
	 backfill,
	 {{"SHARDLIFT_COORDINATOR_HOST", "RFS_COORDINATOR_HOST", "target"},
	  {"SHARDLIFT_COORDINATOR_COMPAT", NULL, "java"}}},
	{"capture_proxy", capture, {{0}}},
	{"traffic_replayer", replay, {{0}}},
	{"migration_console", console, {{0}}},
};

const struct java_name *java_name_find(const char *program)
{
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(slash ? slash + 1 : program, names[i].name) == 0)
			return &names[i];
	return NULL;
}

void java_name_set_defaults(const struct java_name *name)
{
	for (size_t i = 0; i < COUNT_OF(name->defaults) && name->defaults[i].variable; i++) {
		const char *java = name->defaults[i].java_variable;

		if (!java || !getenv(java))
			setenv(name->defaults[i].variable, name->defaults[i].value, 0);
	}
}

bool java_name_only_waits(const struct java_name *name, int argc)
{
	return name->command == console && argc <= 1;
}
