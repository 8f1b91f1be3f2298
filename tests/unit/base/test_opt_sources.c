#include "opt_fixture.h"

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
	parse(run, "--target-password=my", "own", "s3cret", NULL);
	assert_string_equal(run->err.message,
			    "unexpected argument after a secret (not shown; a value with spaces "
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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_flag_beats_our_variable_beats_the_java_tools_variable),
		T(a_bad_variable_is_named_with_its_flag),
		T(a_secret_comes_from_a_file_without_its_last_newline),
		T(a_secret_comes_from_variables_in_their_order),
		T(no_error_shows_a_secret),
		T(inline_json_replaces_all_flags),
		T(a_mistake_in_inline_json_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
