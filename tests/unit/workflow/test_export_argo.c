#include "workflow/export_argo.h"

#include "base/limits.h"
#include "workflow/config_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define CONFIGURATION                                                                         \
	"sourceClusters:\n"                                                                   \
	"  old:\n"                                                                            \
	"    endpoint: http://es:9200\n"                                                      \
	"    version: ES 7.10.2\n"                                                            \
	"    authConfig: {basic: {secretName: old-login}}\n"                                  \
	"    snapshotInfo:\n"                                                                 \
	"      repos: {local: {repoPathUri: 's3://bucket', awsRegion: eu-west-1}}\n"          \
	"      snapshots:\n"                                                                  \
	"        first: {repoName: local, config: {createSnapshotConfig: {}}}\n"              \
	"targetClusters: {new: {endpoint: http://os:9200}}\n"                                 \
	"snapshotMigrationConfigs:\n"                                                         \
	"  - fromSource: old\n"                                                               \
	"    toTarget: new\n"                                                                 \
	"    perSnapshotConfig:\n"                                                            \
	"      first:\n"                                                                      \
	"        - {metadataMigrationConfig: {}, documentBackfillConfig: {podReplicas: 3},\n" \
	"           verifyConfig: {}}\n"

#define TRAFFIC                                                                \
	"traffic:\n"                                                           \
	"  proxies: {front: {source: old, proxyConfig: {listenPort: 9201}}}\n" \
	"  replayers: {mirror: {fromCapturedTraffic: front, toTarget: new}}\n"

struct fixture {
	struct arena mem;
	struct plan plan;
	struct json *manifest;
};

static int set_up(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	*f = (struct fixture){.mem = ARENA_INIT(MIB(64))};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_release(&f->mem);
	free(f);
	return 0;
}

static int export(struct fixture *f, const char *text, struct err *err)
{
	const struct export_argo_options options = {
		.name = "move", .namespace = "ma", .service_account = "runner", .image = "img:1"};
	struct config_problems problems;
	struct config_value *root;

	if (config_parse(str_from(text), &f->mem, &root, err) < 0 ||
	    config_check(root, &f->mem, &problems, err) < 0 ||
	    plan_make(root, &f->mem, &f->plan, err) < 0)
		fail_msg("%s", err->message);
	assert_int_equal(problems.errors, 0);
	return export_argo(&options, &f->plan, &f->mem, &f->manifest, err);
}

static void export_well(struct fixture *f, const char *text)
{
	struct err err = {0};

	if (export(f, text, &err) < 0)
		fail_msg("%s", err.message);
}

static const struct json *named(const struct json *list, struct str beginning)
{
	json_each (one, list)
		if (str_starts(json_string(json_get(one, "name")), beginning))
			return one;
	return NULL;
}

static const struct json *template_of(const struct fixture *f, const char *beginning)
{
	const struct json *found =
		named(json_path(f->manifest, "spec", "templates", NULL), str_from(beginning));

	assert_non_null(found);
	return found;
}

static const struct json *tasks_of(const struct fixture *f)
{
	return json_path(template_of(f, "main"), "dag", "tasks", NULL);
}

static size_t position(const struct json *tasks, struct str name)
{
	size_t at = 0;

	json_each (one, tasks) {
		if (str_eq(json_string(json_get(one, "name")), name))
			return at;
		at++;
	}
	fail_msg("no task " STR_FMT, STR_ARG(name));
	return 0;
}

static void each_task_comes_after_those_it_depends_on(void **state)
{
	struct fixture *f = *state;
	size_t at = 0, dependencies = 0;

	export_well(f, CONFIGURATION);
	json_each (task, tasks_of(f)) {
		json_each (before, json_get(task, "dependencies")) {
			assert_true(position(tasks_of(f), json_string(before)) < at);
			dependencies++;
		}
		assert_true(at == 0 || json_get(task, "dependencies"));
		at++;
	}
	assert_int_equal(at, f->plan.step_count + 1); /* a snapshot is two commands */
	assert_true(dependencies >= at - 1);
}

static void gates_are_suspended_nodes_as_many_as_the_plan_has(void **state)
{
	struct fixture *f = *state;
	size_t wanted = 0, found = 0;

	export_well(f, CONFIGURATION);
	for (size_t i = 0; i < f->plan.step_count; i++)
		wanted += f->plan.steps[i].action == PLAN_GATE;
	json_each (task, tasks_of(f))
		found += str_is(json_string(json_get(task, "template")), "gate");
	assert_true(wanted >= 3);
	assert_int_equal(found, wanted);
	assert_non_null(json_get(template_of(f, "gate"), "suspend"));
}

static bool has_argument(const struct json *template, const char *wanted)
{
	json_each (argument, json_path(template, "container", "args", NULL))
		if (str_is(json_string(argument), wanted))
			return true;
	return false;
}

static void all_steps_name_the_snapshot_that_one_takes(void **state)
{
	struct fixture *f = *state;

	export_well(f, CONFIGURATION);
	assert_true(has_argument(template_of(f, "createsnapshot-old-first-register"), "register"));
	assert_true(has_argument(
		named(json_path(f->manifest, "spec", "templates", NULL), STR("documentbackfill")),
		"first_{{workflow.uid}}"));
	json_each (one, json_path(f->manifest, "spec", "templates", NULL))
		if (has_argument(one, "create"))
			assert_true(has_argument(one, "first_{{workflow.uid}}"));
}

static void workers_share_the_work_on_the_target_under_a_session_of_the_workflow(void **state)
{
	struct fixture *f = *state;
	const struct json *task, *template;
	bool session = false;

	export_well(f, CONFIGURATION);
	task = named(tasks_of(f), STR("documentbackfill"));
	template = template_of(f, "documentbackfill");
	assert_string_equal(json_string(json_path(task, "withSequence", "count", NULL)).ptr, "3");
	assert_true(has_argument(template, "--coordinator-host"));
	json_each (argument, json_path(template, "container", "args", NULL))
		session |= str_starts(json_string(argument), STR("rfs-")) &&
			   str_ends(json_string(argument), STR("-{{workflow.uid}}"));
	assert_true(session);
	assert_null(json_get(named(tasks_of(f), STR("verify")), "withSequence"));
}

/* The text after `from` in the configuration is `to`. */
static const char *configured(struct fixture *f, const char *from, const char *to)
{
	const char *at = strstr(CONFIGURATION, from);

	assert_non_null(at);
	return arena_printf(&f->mem, "%.*s%s%s", (int)(at - CONFIGURATION), CONFIGURATION, to,
			    at + strlen(from))
		.ptr;
}

static void transforms_of_a_file_are_handed_to_pods_in_the_command(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/shardlift-transforms-XXXXXX", text[256];
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "[{\"NoopTransformerProvider\":\"\"}]", 32), 32);
	close(fd);
	snprintf(text, sizeof(text), "podReplicas: 3, docTransformerConfigFile: '%s'", path);
	export_well(f, configured(f, "podReplicas: 3", text));
	unlink(path);
	assert_true(has_argument(template_of(f, "documentbackfill"),
				 "--doc-transformer-config-base64"));
	assert_true(has_argument(template_of(f, "documentbackfill"),
				 "W3siTm9vcFRyYW5zZm9ybWVyUHJvdmlkZXIiOiIifV0="));
	assert_true(has_argument(template_of(f, "verify"), "--doc-transformer-config-base64"));
	assert_false(has_argument(template_of(f, "verify"), "--doc-transformer-config-file"));
}

static void transforms_of_a_file_that_is_not_there_are_refused_by_its_name(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_true(export(f,
			   configured(f, "podReplicas: 3",
				      "podReplicas: 3, docTransformerConfigFile: /nowhere/t.json"),
			   &err) < 0);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.message, "'/nowhere/t.json' in the engine's container"));
}

static void documents_that_are_refused_go_to_the_bucket_that_is_named(void **state)
{
	struct fixture *f = *state;

	export_well(f, configured(f, "podReplicas: 3",
				  "failedDocumentStreamS3Bucket: refused, "
				  "failedDocumentStreamS3Prefix: 'here/'"));
	assert_true(has_argument(template_of(f, "documentbackfill"),
				 "--failed-document-stream-s3-bucket"));
	assert_true(has_argument(template_of(f, "documentbackfill"), "refused"));
	assert_true(has_argument(template_of(f, "documentbackfill"), "here/"));
	export_well(f, CONFIGURATION);
	assert_false(has_argument(template_of(f, "documentbackfill"),
				  "--failed-document-stream-s3-bucket"));
}

/* Argo counts maxDuration from the beginning of the first try, which may take hours. */
static void a_step_is_tried_again_however_long_it_took(void **state)
{
	struct fixture *f = *state;
	const struct json *retry;

	export_well(f, CONFIGURATION);
	retry = json_get(template_of(f, "documentbackfill"), "retryStrategy");
	assert_true(str_is(json_string(json_get(retry, "limit")), "3"));
	assert_null(json_path(retry, "backoff", "maxDuration", NULL));
}

#define SOURCELESS \
	"documentBackfillConfig: {enableSourcelessMigrations: true, useRecoverySource: true,"

static void documents_that_are_rebuilt_are_verified_as_they_are_rebuilt(void **state)
{
	static const char *const steps[] = {"documentbackfill", "verify"};
	struct fixture *f = *state;
	const char *all = CONFIGURATION, *plain = strstr(all, "documentBackfillConfig: {");
	const char *rest = plain + strlen("documentBackfillConfig: {");
	struct str text =
		arena_printf(&f->mem, "%.*s%s%s", (int)(plain - all), all, SOURCELESS, rest);

	export_well(f, CONFIGURATION);
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		assert_false(
			has_argument(template_of(f, steps[i]), "--enable-sourceless-migrations"));
	export_well(f, text.ptr);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		assert_true(
			has_argument(template_of(f, steps[i]), "--enable-sourceless-migrations"));
		assert_true(has_argument(template_of(f, steps[i]), "--use-recovery-source"));
	}
}

static void secrets_are_named_and_not_told(void **state)
{
	struct fixture *f = *state;
	const struct json *reference = NULL;

	export_well(f, CONFIGURATION);
	json_each (variable, json_path(template_of(f, "checkconnection"), "container", "env", NULL))
		if (str_is(json_string(json_get(variable, "name")), "SHARDLIFT_SOURCE_PASSWORD"))
			reference = json_path(variable, "valueFrom", "secretKeyRef", NULL);
	assert_true(str_is(json_string(json_get(reference, "name")), "old-login"));
	assert_true(str_is(json_string(json_get(reference, "key")), "password"));
}

static void what_has_to_be_watched_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(export(f, CONFIGURATION TRAFFIC, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "front"));
	assert_non_null(strstr(err.message, "workflow submit"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_task_comes_after_those_it_depends_on),
		TEST(gates_are_suspended_nodes_as_many_as_the_plan_has),
		TEST(all_steps_name_the_snapshot_that_one_takes),
		TEST(workers_share_the_work_on_the_target_under_a_session_of_the_workflow),
		TEST(a_step_is_tried_again_however_long_it_took),
		TEST(transforms_of_a_file_are_handed_to_pods_in_the_command),
		TEST(transforms_of_a_file_that_is_not_there_are_refused_by_its_name),
		TEST(documents_that_are_refused_go_to_the_bucket_that_is_named),
		TEST(documents_that_are_rebuilt_are_verified_as_they_are_rebuilt),
		TEST(secrets_are_named_and_not_told),
		TEST(what_has_to_be_watched_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
