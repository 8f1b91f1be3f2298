#include "cli/console_platform.h"

const char *console_platform_name(const struct console *console, const struct config_value *section)
{
	static const char *const others[] = {"docker", "ecs", "k8s"};

	if (console->services.derived)
		return "engine";
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (config_get(section, others[i]))
			return others[i];
	return "local";
}

int console_platform_check(const struct console *console, const struct config_value *section,
			   const char *what, struct err *err)
{
	const char *platform = console_platform_name(console, section);

	if (strcmp(platform, "engine") == 0)
		return err_set(
			err, ERR_BLOCKED,
			"the workflow's engine drives this %s: `workflow submit` starts it, "
			"`workflow reset` forgets it; a services.yaml with platform local lets "
			"the console drive one",
			what);
	if (strcmp(platform, "local") != 0)
		return err_set(
			err, ERR_UNSUPPORTED,
			"%s on platform '%s' cannot be driven from here; in %s put `local: {}` "
			"in its place for processes of this machine",
			what, platform, console->services.origin);
	return 0;
}

int console_parse_scale(const char *text, unsigned *out, struct err *err)
{
	uint64_t number;

	if (!str_to_u64(str_from(text), &number) || number > CONSOLE_WORKERS_MAX)
		return err_set(err, ERR_USAGE, "'%s' is no number of workers (0 to %d)", text,
			       CONSOLE_WORKERS_MAX);
	*out = (unsigned)number;
	return 0;
}
