#include "opt_fixture.h"

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
		T(help_is_wrapped_in_two_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
