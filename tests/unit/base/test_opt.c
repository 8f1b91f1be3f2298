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

static void values_come_from_flags_of_every_type(void **state)
{
	struct run *run = *state;
	struct fields *f = &run->fields;

	assert_parsed(run, "--repo-uri", "/a", "--compress=zstd", "-v", "--max-connections", "7",
		      "--max-memory", "10M", "--initial-wait", "PT1M", "--index-allowlist", "a,b",
		      "--target-host", "http://h", "--insecure", "out");
	assert_string_equal(f->repo_uri, "/a");
	assert_string_equal(f->compress, "zstd");
	assert_true(f->verbose);
	assert_true(f->flush);
	assert_int_equal(f->connections, 7);
	assert_int_equal(f->memory, 10 << 20);
	assert_int_equal(f->wait_ms, 60000);
	assert_int_equal(f->allowlist.count, 2);
	assert_string_equal(f->target.host, "http://h");
	assert_true(f->target.insecure);
	assert_null(f->target.password);
	assert_int_equal(run->result.positional_count, 1);
	assert_string_equal(run->result.positionals[0], "out");
}

static void defaults_fill_what_nothing_gives(void **state)
{
	struct run *run = *state;

	assert_parsed(run, "--repo-uri", "/a");
	assert_string_equal(run->fields.compress, "none");
	assert_int_equal(run->fields.connections, 10);
	assert_int_equal(run->fields.memory, 96 << 20);
	assert_int_equal(run->fields.wait_ms, 1000);
	assert_int_equal(run->fields.allowlist.count, 1);
	assert_string_equal(run->fields.allowlist.items[0], "*");
	assert_false(run->fields.verbose);
	assert_null(run->fields.target.host);
}

static void a_flag_beats_our_variable_beats_the_java_tools_variable(void **state)
{
	struct run *run = *state;

	setenv("RFS_REPO_URI", "/java", 1);
	assert_parsed(run, "-v");
	assert_string_equal(run->fields.repo_uri, "/java");
	setenv("SHARDLIFT_REPO_URI", "/ours", 1);
	assert_parsed(run, "-v");
	assert_string_equal(run->fields.repo_uri, "/ours");
	assert_parsed(run, "--repo-uri", "/flag");
	assert_string_equal(run->fields.repo_uri, "/flag");
	setenv("SHARDLIFT_REPO_URI", "", 1);
	assert_parsed(run, "-v");
	assert_string_equal(run->fields.repo_uri, "/java");
}

static void a_bad_variable_is_named_with_its_flag(void **state)
{
	struct run *run = *state;

	setenv("SHARDLIFT_MAX_CONNECTIONS", "many", 1);
	assert_refused(run,
		       "--max-connections (from SHARDLIFT_MAX_CONNECTIONS): 'many' is no whole "
		       "number",
		       "--repo-uri", "/a");
}

static void names_are_accepted_in_camel_case_and_as_aliases(void **state)
{
	struct run *run = *state;

	assert_parsed(run, "--repoUri", "/a", "--maxConnections=3");
	assert_string_equal(run->fields.repo_uri, "/a");
	assert_int_equal(run->fields.connections, 3);
	assert_parsed(run, "--repository", "/b");
	assert_string_equal(run->fields.repo_uri, "/b");
	assert_refused(run, "unknown flag --repouri; did you mean --repo-uri?", "--repouri", "/a");
	assert_refused(run, "unknown flag --Repo-uri; did you mean --repo-uri?", "--Repo-uri", "/");
	assert_refused(run, "unknown flag -repo-uri; did you mean --repo-uri?", "-repo-uri", "/");
	assert_refused(run, "unknown flag --v; see --help", "--v");
}

static void the_nearest_flag_is_suggested(void **state)
{
	struct run *run = *state;

	assert_refused(run, "unknown flag --repo-url; did you mean --repo-uri?", "--repo-url", "/");
	assert_refused(run, "unknown flag --max-conections; did you mean --max-connections?",
		       "--max-conections=4");
	assert_refused(run, "unknown flag --maxMemori; did you mean --max-memory?", "--maxMemori");
	assert_refused(run,
		       "unknown flag --target-pasword-file; did you mean --target-password-file?",
		       "--target-pasword-file", "x");
	assert_refused(run, "unknown flag --colour; see --help", "--colour");
}

static void a_boolean_takes_true_or_false_or_nothing(void **state)
{
	struct run *run = *state;

	assert_parsed(run, "--repo-uri", "/a", "--flush", "false", "--verbose", "true");
	assert_false(run->fields.flush);
	assert_true(run->fields.verbose);
	assert_parsed(run, "--repo-uri", "/a", "--flush=false", "-v", "DIR");
	assert_false(run->fields.flush);
	assert_string_equal(run->result.positionals[0], "DIR");
	assert_refused(run, "--verbose: 'yes' is neither true nor false", "--verbose=yes");
}

static void lists_add_up_and_keep_commas_within_brackets(void **state)
{
	struct run *run = *state;
	struct opt_list *list = &run->fields.allowlist;

	assert_parsed(run, "--repo-uri", "/a", "--index-allowlist", "logs-[0-9]{1,2}, b,",
		      "--index-allowlist", "c(x,y)]],d", "--indexAllowlist", "e");
	assert_int_equal(list->count, 5);
	assert_string_equal(list->items[0], "logs-[0-9]{1,2}");
	assert_string_equal(list->items[1], "b");
	assert_string_equal(list->items[2], "c(x,y)]]");
	assert_string_equal(list->items[3], "d");
	assert_string_equal(list->items[4], "e");
	setenv("RFS_INDEX_ALLOWLIST", "x,y", 1);
	assert_parsed(run, "--repo-uri", "/a");
	assert_int_equal(list->count, 2);
}

static void a_value_out_of_bounds_is_told_what_is_accepted(void **state)
{
	struct run *run = *state;

	assert_refused(run, "--max-connections: '0' is out of bounds (accepted: 1 to 100)",
		       "--max-connections", "0");
	assert_refused(run, "--max-connections: '-5' is out of bounds (accepted: 1 to 100)",
		       "--max-connections", "-5");
	assert_refused(run, "--max-memory: '1K' is too small (accepted: 1M or more)",
		       "--max-memory", "1K");
	assert_refused(run, "--initial-wait: '2h' is out of bounds (accepted: 500ms to 1h)",
		       "--initial-wait", "2h");
	assert_refused(run, "--compress: 'lz4' is no choice (accepted: none|gzip|zstd)",
		       "--compress", "lz4");
	assert_refused(run,
		       "--max-memory: '1.5G' is no size (accepted: bytes, or a number with K, M, G "
		       "or T (96M, 10MiB))",
		       "--max-memory", "1.5G");
	assert_refused(run,
		       "--initial-wait: '10' is no duration (accepted: 500ms, 10s, 5m, 1h, 2d or "
		       "PT10M)",
		       "--initial-wait", "10");
}

static void a_flag_without_its_value_is_refused(void **state)
{
	struct run *run = *state;

	assert_refused(run,
		       "--repo-uri needs a value (one that starts with -- is given as "
		       "--repo-uri=VALUE)",
		       "--repo-uri");
	assert_int_equal(parse(run, "--repo-uri", "--verbose", NULL), -ERR_USAGE);
	assert_int_equal(parse(run, "--repo-uri", "-v", NULL), -ERR_USAGE);
	assert_parsed(run, "--repo-uri", "-x", "--target-host=--y");
	assert_string_equal(run->fields.repo_uri, "-x");
	assert_string_equal(run->fields.target.host, "--y");
}

static void what_is_required_must_be_there_and_not_empty(void **state)
{
	struct run *run = *state;

	assert_refused(run, "--repo-uri is required (or the variable SHARDLIFT_REPO_URI)", "-v");
	assert_refused(run, "--repo-uri is empty", "--repo-uri", "");
}

static void two_dashes_end_the_flags(void **state)
{
	struct run *run = *state;

	assert_parsed(run, "--repo-uri", "/a", "--", "--verbose");
	assert_string_equal(run->result.positionals[0], "--verbose");
	assert_false(run->fields.verbose);
}

static void positionals_beyond_those_expected_are_refused(void **state)
{
	struct run *run = *state;
	struct opt_command strict = command;
	char *argv[] = {(char[]){"--repo-uri=/a"}};

	assert_refused(run, "unexpected argument 'b' (usage: shardlift backfill [options] [DIR])",
		       "a", "b");
	strict.min_positionals = 1;
	strict.arguments = "DIR";
	assert_int_equal(
		opt_parse(&strict, 1, argv, &run->fields, &run->mem, &run->result, &run->err),
		-ERR_USAGE);
	assert_string_equal(run->err.message,
			    "DIR is missing (usage: shardlift backfill [options] DIR)");
}

static void help_is_found_among_mistakes(void **state)
{
	struct run *run = *state;

	assert_parsed(run, "--nonsense", "--help");
	assert_true(run->result.help);
	assert_parsed(run, "-h");
	assert_true(run->result.help);
	assert_parsed(run, "--repo-uri", "/a", "--", "-h");
	assert_false(run->result.help);
}

/* A file with this content; its path in `path`. */
static void write_file(char path[static 32], struct str content)
{
	int fd;

	strcpy(path, "/tmp/test-opt-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content.ptr, content.len), content.len);
	close(fd);
}

static void a_secret_comes_from_a_file_without_its_last_newline(void **state)
{
	static const struct {
		struct str content;
		const char *secret;
	} cases[] = {{STR("s3cret\n"), "s3cret"},
		     {STR("s3cret"), "s3cret"},
		     {STR("s3cret\r\n"), "s3cret"},
		     {STR(" two\nlines \n\n"), " two\nlines \n"}};
	struct run *run = *state;
	char path[32];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		write_file(path, cases[i].content);
		assert_parsed(run, "--repo-uri", "/a", "--target-password-file", path);
		assert_string_equal(run->fields.target.password, cases[i].secret);
		assert_parsed(run, "--repo-uri", "/a", "--targetPasswordFile", path);
		setenv("SHARDLIFT_TARGET_PASSWORD_FILE", path, 1);
		assert_parsed(run, "--repo-uri", "/a");
		assert_string_equal(run->fields.target.password, cases[i].secret);
		unsetenv("SHARDLIFT_TARGET_PASSWORD_FILE");
		unlink(path);
	}
	assert_refused(run,
		       "--target-password-file: cannot read '/nowhere/x': No such file or "
		       "directory",
		       "--target-password-file", "/nowhere/x");
	assert_refused(run, "give --target-password or --target-password-file, not both",
		       "--target-password", "x", "--target-password-file", "/nowhere/x");
	write_file(path, STR("\n"));
	assert_int_equal(parse(run, "--target-password-file", path, NULL), -ERR_USAGE);
	assert_non_null(strstr(run->err.message, "is empty"));
	unlink(path);
}

static void a_secret_comes_from_variables_in_their_order(void **state)
{
	struct run *run = *state;

	setenv("TARGET_PASSWORD", "java", 1);
	assert_parsed(run, "--repo-uri", "/a");
	assert_string_equal(run->fields.target.password, "java");
	setenv("SHARDLIFT_TARGET_PASSWORD", "ours", 1);
	assert_parsed(run, "--repo-uri", "/a");
	assert_string_equal(run->fields.target.password, "ours");
	assert_parsed(run, "--repo-uri", "/a", "--target-password", "flag");
	assert_string_equal(run->fields.target.password, "flag");
}

static void no_error_shows_a_secret(void **state)
{
	struct run *run = *state;

	parse(run, "--target-pasword=s3cret", NULL);
	assert_string_equal(run->err.message,
			    "unknown flag --target-pasword; did you mean --target-password?");
	parse(run, "x", "--target-password", "my", "s3cret", NULL);
	assert_string_equal(run->err.message,
			    "unexpected argument after the value of a secret (a value with spaces "
			    "needs quotes)");
	parse(run, "---INLINE-JSON", "{\"targetPassword\": {\"a\":\"s3cret\"}}", NULL);
	assert_non_null(run->err.message[0] ? run->err.message : NULL);
	assert_null(strstr(run->err.message, "s3cret"));
	parse(run, "---INLINE-JSON", "{\"targetPassword\": \"s3cret", NULL);
	assert_non_null(run->err.message[0] ? run->err.message : NULL);
	assert_null(strstr(run->err.message, "s3cret"));
}

static void inline_json_replaces_all_flags(void **state)
{
	static const char json[] =
		"{\"repoUri\":\"/a\",\"max-connections\":5,\"maxMemory\":\"2MiB\",\"verbose\":true,"
		"\"flush\":\"false\",\"indexAllowlist\":[\"a,b\",\"c\"],\"compress\":null,"
		"\"targetPassword\":\"p\\u00e9\"}";
	static const char in_base64[] = "eyJyZXBvVXJpIjogIi9hIn0=";
	struct run *run = *state;
	struct fields *f = &run->fields;

	assert_parsed(run, "---INLINE-JSON", json, "DIR");
	assert_string_equal(f->repo_uri, "/a");
	assert_int_equal(f->connections, 5);
	assert_int_equal(f->memory, 2 << 20);
	assert_true(f->verbose);
	assert_false(f->flush);
	assert_int_equal(f->allowlist.count, 2);
	assert_string_equal(f->allowlist.items[0], "a,b");
	assert_string_equal(f->compress, "none");
	assert_string_equal(f->target.password, "p\xc3\xa9");
	assert_string_equal(run->result.positionals[0], "DIR");
	assert_parsed(run, "---INLINE-JSON", in_base64);
	assert_string_equal(f->repo_uri, "/a");
	assert_parsed(run, "---INLINE-JSON={\"repoUri\":\"/a\",\"indexAllowlist\":\"x,y\"}");
	assert_int_equal(f->allowlist.count, 2);
}

static void a_mistake_in_inline_json_is_named(void **state)
{
	struct run *run = *state;

	assert_refused(run,
		       "---INLINE-JSON: unknown key 'repoUrl'; did you mean that of --repo-uri?",
		       "---INLINE-JSON", "{\"repoUrl\":1}");
	assert_refused(run,
		       "--max-connections (from ---INLINE-JSON): '1000' is out of bounds "
		       "(accepted: 1 to 100)",
		       "---INLINE-JSON", "{\"maxConnections\":1000}");
	assert_refused(run, "--max-connections (from ---INLINE-JSON) must be a string or a number",
		       "---INLINE-JSON", "{\"maxConnections\":[1]}");
	assert_refused(run, "--index-allowlist (from ---INLINE-JSON) must be an array of strings",
		       "---INLINE-JSON", "{\"indexAllowlist\":[[]]}");
	assert_refused(run,
		       "---INLINE-JSON: not JSON at byte 1 of 2: a name in quotes must stand here",
		       "---INLINE-JSON", "{]");
	assert_refused(run, "---INLINE-JSON takes a JSON object, as it is or in base64",
		       "---INLINE-JSON", "what?");
	assert_refused(run, "---INLINE-JSON takes a JSON object", "---INLINE-JSON", "WzFd");
	assert_refused(run, "---INLINE-JSON replaces all flags; give it alone, or flags alone",
		       "-v", "---INLINE-JSON", "{\"repoUri\":\"/a\"}");
	assert_refused(run, "---INLINE-JSON needs a JSON object", "---INLINE-JSON");
}

static void sizes_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {{"0", 0},
		     {"10485760", 10485760},
		     {"10MiB", 10 << 20},
		     {"96M", 96 << 20},
		     {"3k", 3072},
		     {"3KB", 3072},
		     {"2g", 2LL << 30},
		     {"1TiB", 1LL << 40},
		     {"7b", 7},
		     {"", -1},
		     {"M", -1},
		     {"1 M", -1},
		     {"-1", -1},
		     {"1.5M", -1},
		     {"1MiBs", -1},
		     {"1X", -1},
		     {"9223372036854775807", INT64_MAX},
		     {"9223372036854775808", -1},
		     {"8388608T", -1},
		     {"1i", -1}};
	int64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (opt_parse_bytes(cases[i].text, &bytes, NULL) < 0)
			assert_int_equal(cases[i].bytes, -1);
		else if (bytes != cases[i].bytes)
			fail_msg("%s", cases[i].text);
}

static void durations_are_read_with_units_and_as_iso_8601(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"500ms", 500},
		     {"10s", 10000},
		     {"5m", 300000},
		     {"1h", 3600000},
		     {"2d", 172800000},
		     {"0", 0},
		     {"PT10M", 600000},
		     {"P1DT2H", 93600000},
		     {"pt1h2m3.25s", 3723250},
		     {"PT0.0019S", 1},
		     {"P2D", 172800000},
		     {"PT36H", 129600000},
		     {"", -1},
		     {"10", -1},
		     {"s", -1},
		     {"-1s", -1},
		     {"1h30m", -1},
		     {"P", -1},
		     {"PT", -1},
		     {"P1DT", -1},
		     {"P1H", -1},
		     {"PT1D", -1},
		     {"PT1S1M", -1},
		     {"PT1.5M", -1},
		     {"1e3s", -1},
		     {"PT1", -1},
		     {"106751991168d", -1},
		     {"P106751991168D", -1},
		     {"PT.5S", -1},
		     {"P1DT1H1H", -1}};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (opt_parse_duration(cases[i].text, &ms, NULL) < 0 ? cases[i].ms != -1
								     : ms != cases[i].ms)
			fail_msg("%s", cases[i].text);
}

static void help_is_wrapped_in_two_columns(void **state)
{
	static const char expected[] =
		"Usage: shardlift backfill --repo-uri URI [options] [DIR]\n"
		"\n"
		"Copies the documents of a snapshot to a target.\n"
		"\n"
		"Options:\n"
		"  --repo-uri URI             Where the snapshot repository is: a path or\n"
		"                             a file: URI. [required] [or: --repository]\n"
		"                             [$SHARDLIFT_REPO_URI] [$RFS_REPO_URI]\n"
		"  --compress none|gzip|zstd  How files are compressed. [default: none]\n"
		"                             [$SHARDLIFT_COMPRESS]\n"
		"  -v, --verbose              Say more. [$SHARDLIFT_VERBOSE]\n"
		"  --flush                    [default: true] [$SHARDLIFT_FLUSH]\n"
		"  --max-connections N        Connections open to the target at one time.\n"
		"                             More of them help where the way to the\n"
		"                             target is long. [default: 10]\n"
		"                             [$SHARDLIFT_MAX_CONNECTIONS]\n"
		"  --max-memory SIZE          Bytes that queues may hold.\n"
		"                             [default: 96MiB] [$SHARDLIFT_MAX_MEMORY]\n"
		"  --initial-wait TIME        [default: 1s] [$SHARDLIFT_INITIAL_WAIT]\n"
		"  --index-allowlist A,B      Indices to take. [default: *]\n"
		"                             [$SHARDLIFT_INDEX_ALLOWLIST]\n"
		"                             [$RFS_INDEX_ALLOWLIST]\n"
		"\n"
		"Target:\n"
		"  --target-host URL          Where documents go.\n"
		"                             [$SHARDLIFT_TARGET_HOST]\n"
		"  --target-password SECRET   Password of the user.\n"
		"                             [or: --target-password-file PATH]\n"
		"                             [$SHARDLIFT_TARGET_PASSWORD]\n"
		"                             [$TARGET_PASSWORD]\n"
		"  --insecure                 [$SHARDLIFT_INSECURE]\n"
		"  -h, --help                 Show this text.\n"
		"\n"
		"The target must be there before, and its indices too, or they are made\n"
		"as the target sees fit.\n"
		"\n"
		"  shardlift backfill --repo-uri /snapshots\n";
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));

	(void)state;
	opt_help(&command, &out, 72);
	assert_string_equal(buf_cstr(&out), expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(values_come_from_flags_of_every_type),
		T(defaults_fill_what_nothing_gives),
		T(a_flag_beats_our_variable_beats_the_java_tools_variable),
		T(a_bad_variable_is_named_with_its_flag),
		T(names_are_accepted_in_camel_case_and_as_aliases),
		T(the_nearest_flag_is_suggested),
		T(a_boolean_takes_true_or_false_or_nothing),
		T(lists_add_up_and_keep_commas_within_brackets),
		T(a_value_out_of_bounds_is_told_what_is_accepted),
		T(a_flag_without_its_value_is_refused),
		T(what_is_required_must_be_there_and_not_empty),
		T(two_dashes_end_the_flags),
		T(positionals_beyond_those_expected_are_refused),
		T(help_is_found_among_mistakes),
		T(a_secret_comes_from_a_file_without_its_last_newline),
		T(a_secret_comes_from_variables_in_their_order),
		T(no_error_shows_a_secret),
		T(inline_json_replaces_all_flags),
		T(a_mistake_in_inline_json_is_named),
		T(sizes_are_powers_of_1024),
		T(durations_are_read_with_units_and_as_iso_8601),
		T(help_is_wrapped_in_two_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
