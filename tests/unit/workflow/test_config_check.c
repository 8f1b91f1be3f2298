#include "workflow/config_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* The smallest configuration that does everything. */
#define WHOLE                                                                                    \
	"sourceClusters:\n"                                                                      \
	"  legacy:\n"                                                                            \
	"    endpoint: https://es.internal:9200\n"                                               \
	"    version: ES 7.10.2\n"                                                               \
	"    authConfig: {basic: {secretName: es-login}}\n"                                      \
	"    snapshotInfo:\n"                                                                    \
	"      repos:\n"                                                                         \
	"        bucket: {repoPathUri: s3://my-bucket, awsRegion: eu-west-1}\n"                  \
	"      snapshots:\n"                                                                     \
	"        first: {repoName: bucket, config: {createSnapshotConfig: {}}}\n"                \
	"targetClusters:\n"                                                                      \
	"  modern:\n"                                                                            \
	"    endpoint: https://os.internal:9200\n"                                               \
	"    authConfig: {sigv4: {region: eu-west-1}}\n"                                         \
	"snapshotMigrationConfigs:\n"                                                            \
	"  - fromSource: legacy\n"                                                               \
	"    toTarget: modern\n"                                                                 \
	"    perSnapshotConfig:\n"                                                               \
	"      first:\n"                                                                         \
	"        - metadataMigrationConfig: {indexAllowlist: [\"regex:logs-.*\"]}\n"             \
	"          documentBackfillConfig: {podReplicas: 4}\n"                                   \
	"traffic:\n"                                                                             \
	"  proxies:\n"                                                                           \
	"    front: {source: legacy, proxyConfig: {listenPort: 9201, tls: {mode: plaintext}}}\n" \
	"  replayers:\n"                                                                         \
	"    mirror:\n"                                                                          \
	"      fromCapturedTraffic: front\n"                                                     \
	"      toTarget: modern\n"                                                               \
	"      dependsOnSnapshotMigrations: [{source: legacy, snapshot: first}]\n"

struct fixture {
	struct arena mem;
	struct config_problems problems;
	struct buf text; /* of the problems */
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(16));
	f->text = BUF_INIT(MIB(1));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_release(&f->mem);
	buf_release(&f->text);
	free(f);
	return 0;
}

static const char *problems_of(struct fixture *f, const char *yaml)
{
	struct config_value *root;

	buf_reset(&f->text);
	if (config_parse(str_from(yaml), &f->mem, &root, &f->err) < 0)
		return f->err.message;
	if (config_check(root, &f->mem, &f->problems, &f->err) < 0)
		fail_msg("%s", f->err.message);
	config_problems_write(&f->text, &f->problems);
	return buf_cstr(&f->text);
}

/* WHOLE with its first `from` changed to `to`. */
static const char *problems_with(struct fixture *f, const char *from, const char *to)
{
	static char yaml[8192];
	const char *at = strstr(WHOLE, from);

	assert_non_null(at);
	snprintf(yaml, sizeof(yaml), "%.*s%s%s", (int)(at - WHOLE), WHOLE, to, at + strlen(from));
	return problems_of(f, yaml);
}

static void the_smallest_configuration_that_does_everything_is_right(void **state)
{
	assert_string_equal(problems_of(*state, WHOLE), "");
}

/* What stands in place of what, and how the problem begins and where it is. */
struct wrong {
	const char *from, *to, *message, *place;
};

static const struct wrong wrongs[] = {
	{"podReplicas", "podReplica", "unknown key 'podReplica'; is 'podReplicas' meant?",
	 "snapshotMigrationConfigs.0.perSnapshotConfig.first.0.documentBackfillConfig.podReplica "
	 "(line 21,"},
	{"podReplicas: 4", "podReplicas: many", "text where a whole number is expected",
	 "podReplicas"},
	{"podReplicas: 4", "podReplicas: 1.5", "1.5 is no whole number", "podReplicas"},
	{"podReplicas: 4", "podReplicas: -1", "-1 is less than 0", "podReplicas"},
	{"podReplicas: 4", "minPodReplicas: 3", "minPodReplicas 3 is more than podReplicas 1",
	 "documentBackfillConfig.minPodReplicas"},
	{"toTarget: modern\n      depends",
	 "toTarget: modern\n      replayerConfig: {tupleMaxTotalSizeMb: 0.5}\n      depends",
	 "0.5 is no whole number", "replayerConfig.tupleMaxTotalSizeMb"},
	{"toTarget: modern\n      depends",
	 "toTarget: modern\n      replayerConfig: {tupleMaxTotalSizeMb: -1}\n      depends",
	 "-1 is less than 0", "replayerConfig.tupleMaxTotalSizeMb"},
	{"toTarget: modern\n      depends",
	 "toTarget: modern\n      replayerConfig: {tupleMaxTotalSizeMb: 2147483648}\n      depends",
	 "2147483648 is more than 2147483647", "replayerConfig.tupleMaxTotalSizeMb"},
	{"listenPort: 9201", "listenPort: 70000", "70000 is more than 65535", "listenPort"},
	{"listenPort: 9201, ", "", "'listenPort' is missing", "proxyConfig.listenPort"},
	{"ES 7.10.2", "ES 7", "'ES 7' is not ES 7.10.2", "sourceClusters.legacy.version"},
	{"ES 7.10.2", "7.10", "a number where text is expected; put it in quotes", "version"},
	{"https://os.internal:9200", "os.internal:9200", "'os.internal:9200' is not http(s)://",
	 "targetClusters.modern.endpoint"},
	{"s3://my-bucket", "ftp://my-bucket", "'ftp://my-bucket' is not s3://", "repoPathUri"},
	{"sigv4: {region", "sigv5: {region",
	 "none of the forms known here; give one of: basic, "
	 "sigv4, mtls, apiKey",
	 "targetClusters.modern.authConfig"},
	{"mode: plaintext", "mode: none", "none of the forms", "proxyConfig.tls"},
	{"fromSource: legacy", "fromSource: legcy",
	 "no source is called 'legcy'; there are: "
	 "'legacy'",
	 "snapshotMigrationConfigs.0.fromSource"},
	{"toTarget: modern", "toTarget: old", "no target is called 'old'", "toTarget"},
	{"repoName: bucket", "repoName: pail", "no repository is called 'pail'", "repoName"},
	{"      first:\n        -", "      second:\n        -",
	 "source 'legacy' has no snapshot "
	 "'second'; it has: 'first'",
	 "perSnapshotConfig.second"},
	{"fromCapturedTraffic: front", "fromCapturedTraffic: back",
	 "no proxy and no entry of "
	 "s3Sources is called 'back'",
	 "fromCapturedTraffic"},
	{"snapshot: first}", "snapshot: other}", "no entry of snapshotMigrationConfigs migrates",
	 "dependsOnSnapshotMigrations.0"},
	{"https://es.internal:9200", "https://x.eu-west-1.es.amazonaws.com",
	 "to take a snapshot of "
	 "a domain of AWS requests must be signed",
	 "snapshots.first.config"},
	{"basic: {secretName: es-login}", "sigv4: {region: eu-west-1}",
	 "the domain reaches the "
	 "bucket by a role",
	 "snapshots.first.config"},
	{"    endpoint: https://es.internal:9200\n", "", "a snapshot cannot be taken",
	 "snapshots.first.config"},
	{"  modern:", "  legacy:", "a source and a target are both called 'legacy'",
	 "sourceClusters.legacy"},
	{"source: legacy, proxyConfig", "kafka: big, source: legacy, proxyConfig",
	 "no entry of kafkaClusterConfiguration is called 'big'", "proxies.front.kafka"},
	{"toTarget: modern\n      depends",
	 "toTarget: modern\n      replayerConfig: "
	 "{lookaheadTimeSeconds: 300}\n      depends",
	 "lookaheadTimeSeconds 300 must be more than", "replayerConfig.lookaheadTimeSeconds"},
	{"toTarget: modern\n      depends",
	 "toTarget: modern\n      replayerConfig: "
	 "{removeAuthHeader: true}\n      depends",
	 "the target's authConfig sets the header", "replayerConfig.removeAuthHeader"},
	{"podReplicas: 4", "docTransformerConfig: '[]', documentTransforms: {transformName: Noop}",
	 "'documentTransforms' and 'docTransformerConfig' exclude each other",
	 "documentBackfillConfig.documentTransforms"},
	{"podReplicas: 4", "documentTransforms: {entryPoint: {python: x}}",
	 "scripts in Python are not run; write it in JavaScript",
	 "documentTransforms.entryPoint.python"},
	{"createSnapshotConfig: {}", "createSnapshotConfig: {indexAllowlist: ['regex:a.*']}",
	 "a snapshot takes names and patterns of the cluster", "indexAllowlist"},
	{"        - metadataMigrationConfig",
	 "        - label: a\n          verifyConfig: {}\n"
	 "        - metadataMigrationConfig",
	 "nothing to do; give metadataMigrationConfig", "perSnapshotConfig.first.0"},
};

static void what_is_wrong_is_told_with_its_place(void **state)
{
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		const struct wrong *wrong = &wrongs[i];
		const char *problems = problems_with(*state, wrong->from, wrong->to);

		if (strncmp(problems, wrong->message, strlen(wrong->message)) != 0 ||
		    !strstr(problems, wrong->place))
			fail_msg("case %zu: '%s' at '%s' is wanted, got: %s", i, wrong->message,
				 wrong->place, problems);
	}
}

static void text_that_is_no_yaml_is_refused_with_its_line(void **state)
{
	assert_string_equal(problems_of(*state, "a: 1\na: 2\n"),
			    "line 2, column 1: 'a' is given twice here; keep one of them");
	assert_non_null(strstr(problems_of(*state, "a: [1\nb: 2\n"), "line 2, column"));
	assert_non_null(strstr(problems_of(*state, ""), "the configuration is empty"));
	assert_non_null(strstr(problems_of(*state, "a: 1\n---\nb: 1\n"), "a second document"));
}

static void keys_that_are_comments_are_left_out(void **state)
{
	assert_string_equal(
		problems_with(*state, "targetClusters:", "//x: 1\n\"#y\": 2\ntargetClusters:"), "");
}

static void an_alias_stands_for_what_it_names(void **state)
{
	assert_string_equal(problems_with(*state, "endpoint: https://es.internal:9200",
					  "endpoint: &e https://es.internal:9200"),
			    "");
	/* Each level doubles the one below: the arena ends it. */
	assert_non_null(strstr(problems_of(*state, "a: &a [1,1,1,1,1,1,1,1,1]\n"
						   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n"
						   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
						   "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n"
						   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d]\n"
						   "f: &f [*e,*e,*e,*e,*e,*e,*e,*e]\n"
						   "g: [*f,*f,*f,*f,*f,*f,*f,*f]\n"),
			       "the configuration needs more than"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_smallest_configuration_that_does_everything_is_right),
		TEST(what_is_wrong_is_told_with_its_place),
		TEST(text_that_is_no_yaml_is_refused_with_its_line),
		TEST(keys_that_are_comments_are_left_out),
		TEST(an_alias_stands_for_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
