/* A command with an option of every type, and what runs it. */
#ifndef TEST_OPT_FIXTURE_H
#define TEST_OPT_FIXTURE_H

#include "base/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct target {
	const char *host, *password;
	bool insecure;
};

struct fields {
	const char *repo_uri, *compress;
	bool verbose, flush;
	int64_t connections, memory, wait_ms;
	struct opt_list allowlist;
	struct target target;
};

static const struct opt own_rows[] = {
	{.name = "repo-uri",
	 .aliases = "repository",
	 .env = "RFS_REPO_URI",
	 OPT_FIELD(struct fields, repo_uri),
	 .metavar = "URI",
	 .required = true,
	 .help = "Where the snapshot repository is: a path or a file: URI."},
	{.name = "compress",
	 .type = OPT_CHOICE,
	 OPT_FIELD(struct fields, compress),
	 .choices = "none|gzip|zstd",
	 .fallback = "none",
	 .help = "How files are compressed."},
	{.name = "verbose",
	 .aliases = "v",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct fields, verbose),
	 .help = "Say more."},
	{.name = "flush", .type = OPT_BOOL, OPT_FIELD(struct fields, flush), .fallback = "true"},
	{.name = "max-connections",
	 .type = OPT_INT,
	 OPT_FIELD(struct fields, connections),
	 .fallback = "10",
	 .min = 1,
	 .max = 100,
	 .help = "Connections open to the target at one time. More of them help where the way to "
		 "the target is long."},
	{.name = "max-memory",
	 .type = OPT_BYTES,
	 OPT_FIELD(struct fields, memory),
	 .fallback = "96MiB",
	 .min = 1 << 20,
	 .help = "Bytes that queues may hold."},
	{.name = "initial-wait",
	 .type = OPT_DURATION,
	 OPT_FIELD(struct fields, wait_ms),
	 .min = 500,
	 .max = 3600000,
	 .fallback = "1s"},
	{.name = "index-allowlist",
	 .env = "RFS_INDEX_ALLOWLIST",
	 .type = OPT_LIST,
	 OPT_FIELD(struct fields, allowlist),
	 .fallback = "*",
	 .help = "Indices to take."},
	{0},
};

static const struct opt target_rows[] = {
	{.name = "target-host",
	 OPT_FIELD(struct target, host),
	 .metavar = "URL",
	 .category = "Target",
	 .help = "Where documents go."},
	{.name = "target-password",
	 .env = "TARGET_PASSWORD",
	 .type = OPT_SECRET,
	 OPT_FIELD(struct target, password),
	 .category = "Target",
	 .help = "Password of the user."},
	{.name = "insecure",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct target, insecure),
	 .category = "Target"},
	{0},
};

static const struct opt_part parts[] = {
	{own_rows, 0}, {target_rows, offsetof(struct fields, target)}, {0}};

static const struct opt_command command = {
	.name = "backfill",
	.summary = "Copies the documents of a snapshot to a target.",
	.arguments = "[DIR]",
	.details = "The target must be there before, and its indices too, or they are made as the "
		   "target sees fit.\n\n  shardlift backfill --repo-uri /snapshots",
	.parts = parts,
	.max_positionals = 1,
};

struct run {
	struct arena mem;
	struct fields fields;
	struct opt_result result;
	struct err err;
};

static int setup(void **state)
{
	struct run *run = mem_zalloc(sizeof(*run));

	run->mem = ARENA_INIT(MIB(1));
	*state = run;
	return 0;
}

static int teardown(void **state)
{
	struct run *run = *state;

	arena_release(&run->mem);
	free(run);
	unsetenv("SHARDLIFT_REPO_URI");
	unsetenv("SHARDLIFT_MAX_CONNECTIONS");
	unsetenv("SHARDLIFT_TARGET_PASSWORD");
	unsetenv("SHARDLIFT_TARGET_PASSWORD_FILE");
	unsetenv("TARGET_PASSWORD");
	unsetenv("RFS_REPO_URI");
	unsetenv("RFS_INDEX_ALLOWLIST");
	return 0;
}

/* Parses the arguments named, ending with NULL. */
static int parse(struct run *run, ...) __attribute__((sentinel));
static int parse(struct run *run, ...)
{
	char *argv[32];
	int argc = 0;
	va_list args;

	va_start(args, run);
	while ((argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	run->fields = (struct fields){0};
	run->err = (struct err){0};
	return opt_parse(&command, argc, argv, &run->fields, &run->mem, &run->result, &run->err);
}

#define assert_parsed(run, ...)                             \
	do {                                                \
		if (parse(run, __VA_ARGS__, NULL) != 0)     \
			fail_msg("%s", (run)->err.message); \
	} while (0)
#define assert_refused(run, message_expected, ...)                           \
	do {                                                                 \
		assert_int_equal(parse(run, __VA_ARGS__, NULL), -ERR_USAGE); \
		assert_string_equal((run)->err.message, message_expected);   \
	} while (0)

#endif
