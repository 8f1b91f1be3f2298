#include "cli/common_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void refuses_target(struct target_fields fields, const char *message)
{
	enum target_kind kind;
	const char *path;
	struct err err = {0};

	assert_int_equal(target_fields_resolve(&fields, &kind, &path, &err), -ERR_USAGE);
	assert_string_equal(err.message, message);
}

static void is_target(const char *host, enum target_kind expected, const char *expected_path)
{
	struct target_fields fields = {.to = host};
	enum target_kind kind;
	const char *path;
	struct err err = {0};

	assert_int_equal(target_fields_resolve(&fields, &kind, &path, &err), 0);
	assert_int_equal(kind, expected);
	if (expected_path)
		assert_string_equal(path, expected_path);
	else
		assert_null(path);
	assert_string_equal(fields.host, host);
}

static void a_target_is_a_cluster_a_folder_or_nothing(void **state)
{
	(void)state;
	is_target("https://search:9200", TARGET_CLUSTER, NULL);
	is_target("search:9200", TARGET_CLUSTER, NULL);
	is_target("null:", TARGET_NULL, NULL);
	is_target("dir:out/it", TARGET_FILES, "out/it");
	is_target("file:/out", TARGET_FILES, "/out");
	is_target("file:///out", TARGET_FILES, "/out");
}

static void what_does_not_go_together_is_refused(void **state)
{
	(void)state;
	refuses_target((struct target_fields){0}, "where to? Give --target-host, such as "
						  "https://host:9200, dir:PATH or null:");
	refuses_target((struct target_fields){.to = "a", .host = "b"},
		       "--to is short for --target-host; give either");
	refuses_target((struct target_fields){.host = "dir:"},
		       "--target-host 'dir:' names no folder");
	refuses_target((struct target_fields){.host = "a", .username = "u"},
		       "--target-username needs --target-password (or --target-password-file) "
		       "too");
	refuses_target((struct target_fields){.host = "a", .password = "p"},
		       "--target-password needs --target-username too");
	refuses_target((struct target_fields){.host = "a", .client_cert = "c"},
		       "--target-client-cert and --target-client-cert-key need each other");
	refuses_target(
		(struct target_fields){
			.host = "a", .username = "u", .password = "p", .api_key = "k"},
		"--target-username and --target-api-key do not go together");
}

static void from_splits_into_repository_and_snapshot(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(4));
	struct repository_fields fields = {.from = "/backups#nightly-1"};
	struct err err = {0};

	(void)state;
	assert_int_equal(repository_fields_resolve(&fields, true, &mem, &err), 0);
	assert_string_equal(fields.repo_uri, "/backups");
	assert_string_equal(fields.snapshot_name, "nightly-1");
}

static void refuses_repository(struct repository_fields fields, bool needs_snapshot,
			       const char *message)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(4));
	struct err err = {0};

	assert_int_equal(repository_fields_resolve(&fields, needs_snapshot, &mem, &err),
			 -ERR_USAGE);
	assert_string_equal(err.message, message);
}

static void a_source_that_is_not_all_there_is_asked_for(void **state)
{
	(void)state;
	refuses_repository((struct repository_fields){0}, false,
			   "which repository? Give --repo-uri, such as --repo-uri /backups");
	refuses_repository((struct repository_fields){.repo_uri = "/b"}, true,
			   "which snapshot? Give --snapshot-name; `shardlift snapshot list "
			   "--repo-uri /b` tells the names");
	refuses_repository((struct repository_fields){.from = "/b"}, true,
			   "which snapshot? Give --snapshot-name; `shardlift snapshot list "
			   "--repo-uri /b` tells the names");
	refuses_repository((struct repository_fields){.from = "/b#"}, true,
			   "--from '/b#' names no snapshot after '#'");
	refuses_repository((struct repository_fields){.from = "/b#s", .repo_uri = "/b"}, true,
			   "--from is short for --repo-uri and --snapshot-name; give either");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_is_a_cluster_a_folder_or_nothing),
		cmocka_unit_test(what_does_not_go_together_is_refused),
		cmocka_unit_test(from_splits_into_repository_and_snapshot),
		cmocka_unit_test(a_source_that_is_not_all_there_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
