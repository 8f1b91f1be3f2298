#include "cli/console_words.h"

#include "cli/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define SCHEMA_LEVEL "3.3.6" /* of Migration Assistant */

struct global {
	const char *flag;
	bool takes_value;
};
static const struct global globals[] = {
	{"--config-file", true},
	{"--state-dir", true},
	{"--log-format", true},
	{"--workflow-name", true},
	{"--session", true},
	{"--name", true},
	{"--force-use-config-file", false},
	{"--json", false},
	{"--verbose", false},
	{"-v", false},
	{"-vv", false},
	{"--help", false},
	{"-h", false},
	{"--version", false},
};

/* How many arguments the global option at argv[0] takes up; 0: it is none. */
static int length_of_global(int argc, char **argv)
{
	size_t len = strcspn(argv[0], "=");

	for (size_t i = 0; i < COUNT_OF(globals); i++) {
		if (strlen(globals[i].flag) != len || strncmp(globals[i].flag, argv[0], len) != 0)
			continue;
		return globals[i].takes_value && argv[0][len] != '=' && argc > 1 ? 2 : 1;
	}
	return 0;
}

struct words {
	char **list;
	int count;
};

static void add(struct words *words, char *word)
{
	static char verbose[] = "-v";

	words->list[words->count++] = strcmp(word, "-vv") == 0 ? verbose : word;
}

static void add_all(struct words *words, char **list, int count)
{
	for (int i = 0; i < count; i++)
		add(words, list[i]);
}

static bool passes_on(int argc, char **argv)
{
	return argc >= 3 && strcmp(argv[1], "metadata") == 0 &&
	       (strcmp(argv[2], "evaluate") == 0 || strcmp(argv[2], "migrate") == 0);
}

/* What `metadata` takes itself, then "--" and the rest. */
static void divide(struct words *words, int argc, char **argv)
{
	static char end[] = "--";
	int length;

	for (int i = 0; i < argc; i += MAX(length, 1)) {
		length = length_of_global(argc - i, argv + i);
		add_all(words, argv + i, length);
	}
	words->list[words->count++] = end;
	for (int i = 0; i < argc; i += MAX(length, 1)) {
		length = length_of_global(argc - i, argv + i);
		if (length == 0 && strcmp(argv[i], end) != 0)
			add(words, argv[i]);
	}
}

int console_arguments(int *argc, char ***argv, struct arena *mem, struct err *err)
{
	struct words words = {arena_zalloc(mem, (size_t)*argc + 2, sizeof(char *)), 0};
	char **old = *argv, **command;
	int before = 1, name = 0, length;
	bool curl;

	if (!words.list)
		return arena_fail(mem, "the command line", err);
	while (before < *argc && (length = length_of_global(*argc - before, old + before)) > 0)
		before += length;
	command = old + before;
	while (name < 2 && before + name < *argc && command[name][0] != '-')
		name++;
	curl = name == 2 && strcmp(command[0], "clusters") == 0 && strcmp(command[1], "curl") == 0;
	add(&words, old[0]);
	add_all(&words, command, name);
	for (int i = 1; i < before; i++)
		if (!curl || strcmp(old[i], "--json") != 0) /* there it has a value of its own */
			add(&words, old[i]);
	if (passes_on(words.count, words.list))
		divide(&words, *argc - before - name, command + name);
	else
		add_all(&words, command + name, *argc - before - name);
	*argc = words.count;
	*argv = words.list;
	return 0;
}

bool console_is_disabled(const char *name)
{
	static const char *const groups[] = {"console snapshot", "console backfill",
					     "console replay",   "console metadata",
					     "console metrics",  "console tuples"};
	const char *variable = getenv("MIGRATIONS_CLI_CONSOLE_DISABLE_LEGACY_COMMANDS");

	if (!variable || (strcasecmp(variable, "true") != 0 && strcmp(variable, "1") != 0))
		return false;
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		size_t len = strlen(groups[i]);

		if (strncmp(name, groups[i], len) == 0 && (!name[len] || name[len] == ' '))
			return true;
	}
	return false;
}

bool console_asks_for_version(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "--version") == 0;
}

int console_print_version(void)
{
	printf("Migration Assistant %s (shardlift %s)\n", SCHEMA_LEVEL, shardlift_version);
	return 0;
}

int console_exit_code(int code)
{
	return code == EXIT_CODE_OK || code == EXIT_CODE_USAGE ? code
							       : EXIT_CODE_COMPLETED_WITH_ERRORS;
}
