#include "workflow/plan.h"

#include "base/limits.h"
#include "workflow/config_check.h"
#include "workflow/pilot.h"
#include "workflow/plan_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define CLUSTERS                                                                            \
	"sourceClusters:\n"                                                                 \
	"  legacy:\n"                                                                       \
	"    endpoint: http://es:9200\n"                                                    \
	"    version: ES 7.10.2\n"                                                          \
	"    snapshotInfo:\n"                                                               \
	"      repos: {local: {repoPathUri: file:///backups}}\n"                            \
	"      snapshots:\n"                                                                \
	"        first: {repoName: local, config: {createSnapshotConfig: {}}}\n"            \
	"        second: {repoName: local, config: {createSnapshotConfig: {}}}\n"           \
	"        old: {repoName: local, config: {externallyManagedSnapshotName: snap-1}}\n" \
	"targetClusters: {Modern: {endpoint: http://os:9200}}\n"

#define BACKFILL                      \
	"snapshotMigrationConfigs:\n" \
	"  - fromSource: legacy\n"    \
	"    toTarget: Modern\n"      \
	"    perSnapshotConfig:\n"    \
	"      first:\n"              \
	"        - {metadataMigrationConfig: {}, documentBackfillConfig: {}, verifyConfig: {}}\n"

#define TRAFFIC                                                                   \
	"traffic:\n"                                                              \
	"  proxies: {front: {source: legacy, proxyConfig: {listenPort: 9201}}}\n" \
	"  replayers:\n"                                                          \
	"    mirror: {fromCapturedTraffic: front, toTarget: Modern, cutOver: true"

struct fixture {
	struct arena mem;
	struct plan plan;
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

static struct plan plan_of(struct fixture *f, const char *text)
{
	struct config_problems problems;
	struct config_value *root;
	struct plan plan;
	struct err err = {0};

	if (config_parse(str_from(text), &f->mem, &root, &err) < 0 ||
	    config_check(root, &f->mem, &problems, &err) < 0)
		fail_msg("%s", err.message);
	if (problems.errors > 0)
		fail_msg("%s: %s", problems.list[0].path.ptr, problems.list[0].message.ptr);
	if (plan_make(root, &f->mem, &plan, &err) < 0)
		fail_msg("%s", err.message);
	return plan;
}

static void expect_steps(struct fixture *f, const struct plan *plan, const char *expected)
{
	cleanup(buf_release) struct buf got = BUF_INIT(MIB(1));

	(void)f;
	for (size_t i = 0; i < plan->step_count; i++) {
		buf_printf(&got, STR_FMT, STR_ARG(plan->steps[i].name));
		for (size_t j = 0; j < plan->steps[i].after_count; j++) {
			assert_true(plan->steps[i].after[j] < i);
			buf_printf(&got, " <%zu", plan->steps[i].after[j]);
		}
		buf_append_byte(&got, '\n');
	}
	assert_string_equal(buf_cstr(&got), expected);
}

static void a_backfill_evaluates_migrates_moves_and_verifies(void **state)
{
	struct fixture *f = *state;
	struct plan plan = plan_of(f, CLUSTERS BACKFILL);

	expect_steps(f, &plan,
		     "checkconnection.legacy-Modern\n"
		     "createsnapshot.legacy-first <0\n"
		     "evaluatemetadata.legacy-Modern-first-migration-0 <1\n"
		     "approve.evaluatemetadata.legacy-modern-first-migration-0 <2\n"
		     "migratemetadata.legacy-Modern-first-migration-0 <3\n"
		     "approve.migratemetadata.legacy-modern-first-migration-0 <4\n"
		     "documentbackfill.legacy-Modern-first-migration-0 <5\n"
		     "approve.documentbackfill.legacy-modern-first-migration-0 <6\n"
		     "verify.legacy-Modern-first-migration-0 <7\n"
		     "approve.verify.legacy-modern-first-migration-0 <8\n");
	assert_int_equal(plan.resource_count, 2);
	assert_true(str_is(plan.resources[1].depends_on[0], "datasnapshot.legacy-first"));
}

static void a_replay_waits_for_the_proxy_and_the_cut_over_for_approval(void **state)
{
	struct fixture *f = *state;
	struct plan plan = plan_of(f, CLUSTERS "snapshotMigrationConfigs: []\n" TRAFFIC "}\n");

	expect_steps(f, &plan,
		     "checkconnection.legacy-Modern\n"
		     "captureproxy.front <0\n"
		     "approve.captureproxysetup.front <1\n"
		     "trafficreplay.front-Modern-mirror <0 <2\n"
		     "approve.cutover.front-modern-mirror <3\n"
		     "cutover.front-Modern-mirror <4\n");
	assert_true(str_is(plan.resources[1].name, "front-topic"));
}

static void with_both_the_snapshot_waits_for_proxies_and_the_replay_for_migrations(void **state)
{
	struct fixture *f = *state;
	struct plan plan = plan_of(
		f, "skipApprovals: true\nrequireBeginApproval: true\n" CLUSTERS BACKFILL TRAFFIC
		   ",\n      dependsOnSnapshotMigrations: [{source: legacy, snapshot: first}]}\n");

	expect_steps(f, &plan,
		     "checkconnection.legacy-Modern\n"
		     "approve.begin <0\n"
		     "captureproxy.front <1\n"
		     "createsnapshot.legacy-first <1 <2\n"
		     "evaluatemetadata.legacy-Modern-first-migration-0 <3\n"
		     "migratemetadata.legacy-Modern-first-migration-0 <4\n"
		     "documentbackfill.legacy-Modern-first-migration-0 <5\n"
		     "verify.legacy-Modern-first-migration-0 <6\n"
		     "trafficreplay.front-Modern-mirror <1 <2 <7\n"
		     "approve.cutover.front-modern-mirror <8\n"
		     "cutover.front-Modern-mirror <9\n");
}

static void old_sources_take_one_snapshot_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct plan plan = plan_of(f, "skipApprovals: true\n" CLUSTERS BACKFILL
				      "      second: [{label: two, metadataMigrationConfig: {}}]\n"
				      "      old: [{documentBackfillConfig: {}}]\n");

	expect_steps(f, &plan,
		     "checkconnection.legacy-Modern\n"
		     "createsnapshot.legacy-first <0\n"
		     "evaluatemetadata.legacy-Modern-first-migration-0 <1\n"
		     "migratemetadata.legacy-Modern-first-migration-0 <2\n"
		     "documentbackfill.legacy-Modern-first-migration-0 <3\n"
		     "verify.legacy-Modern-first-migration-0 <4\n"
		     "createsnapshot.legacy-second <0 <1\n"
		     "evaluatemetadata.legacy-Modern-second-two <6\n"
		     "migratemetadata.legacy-Modern-second-two <7\n"
		     "externalsnapshot.legacy-old <0\n"
		     "documentbackfill.legacy-Modern-old-migration-0 <9\n");
}

static void defaults_written_out_change_no_checksum(void **state)
{
	struct fixture *f = *state;
	struct plan before = plan_of(f, CLUSTERS BACKFILL);
	struct plan after = plan_of(
		f, CLUSTERS
		"snapshotMigrationConfigs:\n"
		"  - perSnapshotConfig:\n"
		"      first: [{documentBackfillConfig: {podReplicas: 1, jvmArgs: -Xmx1g,\n"
		"          skipApproval: true}, verifyConfig: {}, metadataMigrationConfig: {}}]\n"
		"    toTarget: Modern\n"
		"    fromSource: legacy\n");

	assert_int_equal(before.resources[1].checksum.len, PLAN_CHECKSUM_LENGTH);
	assert_true(str_eq(before.resources[1].checksum, after.resources[1].checksum));
}

static void edit(struct fixture *f, const char *member, enum change_policy policy,
		 const char *paths, bool same_session)
{
	struct plan before = plan_of(f, CLUSTERS BACKFILL), after;
	char text[4096];
	struct plan_change change;

	snprintf(text, sizeof(text),
		 CLUSTERS "snapshotMigrationConfigs:\n"
			  "  - fromSource: legacy\n"
			  "    toTarget: Modern\n"
			  "    perSnapshotConfig:\n"
			  "      first: [{metadataMigrationConfig: {}, verifyConfig: {},\n"
			  "         documentBackfillConfig: {%s}}]\n",
		 member);
	after = plan_of(f, text);
	assert_true(
		plan_compare(before.resources[1].spec, after.resources[1].spec, &f->mem, &change));
	assert_int_equal(change.policy, policy);
	assert_string_equal(change.paths.ptr, paths);
	assert_int_equal(str_eq(before.resources[1].session, after.resources[1].session),
			 same_session);
	/* The metadata has nothing to do with it. */
	assert_int_equal(str_eq(before.steps[2].inputs, after.steps[2].inputs), true);
	assert_false(str_eq(before.steps[6].inputs, after.steps[6].inputs));
}

static void an_edit_is_as_strict_as_its_strictest_field(void **state)
{
	edit(*state, "podReplicas: 4", CHANGE_SAFE, "backfill.podReplicas", true);
	edit(*state, "podReplicas: 4, maxConnections: 3", CHANGE_GATED, "backfill.maxConnections",
	     true);
	edit(*state, "maxConnections: 3, indexAllowlist: [a], emitDocType: ON", CHANGE_IMPOSSIBLE,
	     "backfill.indexAllowlist, backfill.emitDocType", false);
}

/* How many of the resources have another checksum than with a proxy of defaults. */
static size_t changed_by(struct fixture *f, const char *member)
{
	char text[2][4096];
	struct plan plans[2];
	size_t changed = 0;

	for (size_t i = 0; i < 2; i++) {
		snprintf(text[i], sizeof(text[i]),
			 CLUSTERS BACKFILL
			 "traffic:\n"
			 "  proxies: {front: {source: legacy, proxyConfig: {listenPort: 9201%s}}}\n"
			 "  replayers: {mirror: {fromCapturedTraffic: front, toTarget: Modern,\n"
			 "    dependsOnSnapshotMigrations: [{source: legacy, snapshot: first}]}}\n",
			 i == 0 ? "" : member);
		plans[i] = plan_of(f, text[i]);
	}
	assert_int_equal(plans[0].resource_count, plans[1].resource_count);
	for (size_t i = 0; i < plans[0].resource_count; i++)
		changed += !str_eq(plans[0].resources[i].checksum, plans[1].resources[i].checksum);
	return changed;
}

/* The snapshot, its migration and the replay need not be done again for how a proxy works. */
static void an_edit_of_a_proxy_reaches_others_only_when_it_records_another_thing(void **state)
{
	static const char *const own[] = {
		", numThreads: 3",           ", maxTrafficBufferSize: 70000",
		", setHeader: [\"A: b\"]",   ", tls: {mode: plaintext}",
		", onCaptureFailure: block", ", captureTimeout: 3s",
		", sync: interval",          ", redactAuth: true"};

	for (size_t i = 0; i < COUNT_OF(own); i++)
		assert_int_equal(changed_by(*state, own[i]), 1);
	assert_int_equal(changed_by(*state, ", noCapture: true"), 4);
	assert_int_equal(changed_by(*state, ", suppressCaptureForMethod: GET"), 4);
}

static void what_cannot_be_run_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct config_value *root;
	struct plan plan;
	struct err err = {0};

	assert_int_equal(config_parse(STR(CLUSTERS "snapshotMigrationConfigs: []\n" TRAFFIC "}\n"),
				      &f->mem, &root, &err),
			 0);
	assert_int_equal(plan_make(root, &f->mem, &plan, &err), 0);
	assert_int_equal(plan_check_supported(root, &plan, &err), -ERR_UNSUPPORTED);
	assert_non_null(
		strstr(err.message, "captureproxy.front: this build makes no certificates"));
	assert_int_equal(config_parse(STR("sourceClusters: {s: {version: SOLR 8.11}}\n"
					  "targetClusters: {}\nsnapshotMigrationConfigs: []\n"),
				      &f->mem, &root, &err),
			 0);
	assert_int_equal(plan_make(root, &f->mem, &plan, &err), 0);
	assert_int_equal(plan_check_supported(root, &plan, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "sourceClusters.s is SOLR 8.11"));
	plan = plan_of(f, CLUSTERS
		       "snapshotMigrationConfigs:\n"
		       "  - fromSource: legacy\n"
		       "    toTarget: Modern\n"
		       "    perSnapshotConfig:\n"
		       "      first: [{documentBackfillConfig: {useRecoverySource: true}}]\n");
	assert_int_equal(plan_check_supported(NULL, &plan, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'useRecoverySource'"));
	plan = plan_of(f, CLUSTERS BACKFILL);
	assert_int_equal(plan_check_supported(NULL, &plan, &err), 0);
}

#define PLAIN "tls: {mode: plaintext}"
#define ONE_PROXY                                                                            \
	"snapshotMigrationConfigs: []\n"                                                     \
	"traffic:\n"                                                                         \
	"  proxies: {front: {source: legacy, proxyConfig: {listenPort: 9201, " PLAIN "}}}\n" \
	"  replayers:\n"                                                                     \
	"    mirror: {fromCapturedTraffic: front, toTarget: Modern, cutOver: true}\n"

static void expect_refusal(struct fixture *f, const char *text, const char *why)
{
	struct plan plan = plan_of(f, text);
	struct err err = {0};

	assert_int_equal(plan_check_supported(NULL, &plan, &err), -ERR_UNSUPPORTED);
	if (!strstr(err.message, why))
		fail_msg("%s", err.message);
}

static void a_cut_over_that_the_proxy_cannot_do_is_refused(void **state)
{
	struct fixture *f = *state;
	struct plan plan = plan_of(f, CLUSTERS ONE_PROXY);
	struct err err = {0};

	assert_int_equal(plan_check_supported(NULL, &plan, &err), 0);
	expect_refusal(f,
		       CLUSTERS ONE_PROXY
		       "    other: {fromCapturedTraffic: front, toTarget: Modern, cutOver: true}\n",
		       "trafficreplay.front-Modern-other: cutOver: another replayer");
	expect_refusal(
		f,
		"sourceClusters: {legacy: {endpoint: \"http://es:9200\", version: ES 7.10.2}}\n"
		"targetClusters: {Modern: {endpoint: \"https://os\",\n"
		"    authConfig: {sigv4: {region: eu-west-1}}}}\n" ONE_PROXY,
		"cannot sign");
	expect_refusal(
		f,
		"sourceClusters: {legacy: {endpoint: \"http://es:9200\", version: ES 7.10.2}}\n"
		"targetClusters: {Modern: {endpoint: \"https://os\", allowInsecure: "
		"true}}\n" ONE_PROXY,
		"make them the same");
}

static void a_cut_over_through_a_proxy_waits_for_it_and_has_its_url(void **state)
{
	struct fixture *f = *state;
	struct plan plan = plan_of(
		f, "sourceClusters:\n"
		   "  legacy: {endpoint: \"http://es:9200\", version: ES 7.10.2}\n"
		   "  modern: {endpoint: \"http://os:9200\", version: OS 2.19.0}\n"
		   "targetClusters: {Modern: {endpoint: \"http://os:9200\"}}\n"
		   "snapshotMigrationConfigs: []\n"
		   "traffic:\n"
		   "  proxies:\n"
		   "    front: {source: legacy, proxyConfig: {listenPort: 9201}}\n"
		   "    back: {source: modern, proxyConfig: {listenPort: 9202, " PLAIN "}}\n"
		   "  replayers:\n"
		   "    mirror: {fromCapturedTraffic: front, toTarget: Modern,\n"
		   "      cutOver: true, cutOverThrough: back}\n");
	const struct plan_step *cut_over = &plan.steps[plan.step_count - 1];
	const struct json *spec = plan.resources[cut_over->resource].spec;
	bool waits = false;

	assert_int_equal(cut_over->action, PLAN_CUT_OVER);
	assert_true(str_is(json_string(json_get(spec, "through")), "http://127.0.0.1:9202"));
	for (size_t i = 0; i < cut_over->after_count; i++)
		waits |= str_is(plan.steps[cut_over->after[i]].gate, "captureproxysetup.back");
	assert_true(waits);
}

static void a_migration_beside_a_replay_keeps_versions(void **state)
{
	struct fixture *f = *state;
	struct plan alone = plan_of(f, CLUSTERS BACKFILL),
		    beside = plan_of(f, CLUSTERS BACKFILL TRAFFIC "}\n");
	struct plan_change change;

	assert_null(json_get(alone.resources[1].spec, "sourceVersions"));
	assert_true(json_bool_or(json_get(beside.resources[4].spec, "sourceVersions"), false));
	/* What was sent without them cannot be taken up. */
	assert_true(
		plan_compare(alone.resources[1].spec, beside.resources[4].spec, &f->mem, &change));
	assert_int_equal(change.policy, CHANGE_IMPOSSIBLE);
}

static struct plan pilot_of(struct fixture *f, const char *text, const char *pattern,
			    const char *entry)
{
	struct config_value *root;
	struct err err = {0};
	struct str pilot;

	if (config_parse(str_from(text), &f->mem, &root, &err) < 0 ||
	    pilot_configuration(root, pattern, entry, &f->mem, &pilot, &err) < 0)
		fail_msg("%s", err.message);
	return plan_of(f, pilot.ptr);
}

static struct str first_of(const struct json *spec, const char *part)
{
	return json_string(json_path(spec, part, "indexAllowlist", NULL)->first);
}

static void a_pilot_takes_what_its_pattern_names_under_names_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct plan plan = pilot_of(f, "skipApprovals: true\n" CLUSTERS BACKFILL TRAFFIC "}\n",
				    "log-*", "regex:log-.*");
	const struct json *snapshot = plan.resources[0].spec, *migration = plan.resources[1].spec;

	expect_steps(f, &plan,
		     "checkconnection.legacy-Modern\n"
		     "createsnapshot.legacy-first-pilot <0\n"
		     "evaluatemetadata.legacy-Modern-first-pilot-migration-0-pilot <1\n"
		     "migratemetadata.legacy-Modern-first-pilot-migration-0-pilot <2\n"
		     "documentbackfill.legacy-Modern-first-pilot-migration-0-pilot <3\n"
		     "verify.legacy-Modern-first-pilot-migration-0-pilot <4\n");
	assert_true(str_is(first_of(snapshot, "create"), "log-*"));
	assert_true(str_is(first_of(migration, "metadata"), "regex:log-.*"));
	assert_true(str_is(first_of(migration, "backfill"), "regex:log-.*"));
	/* Else a second pilot would leave documents that look newer than the source's. */
	assert_true(json_bool_or(json_get(migration, "sourceVersions"), false));
}

static void a_pilot_of_nothing_is_refused(void **state)
{
	struct fixture *f = *state;
	struct config_value *root;
	struct err err = {0};
	struct str pilot;

	assert_int_equal(config_parse(STR(CLUSTERS "snapshotMigrationConfigs: []\n" TRAFFIC "}\n"),
				      &f->mem, &root, &err),
			 0);
	assert_int_equal(pilot_configuration(root, "a", "a", &f->mem, &pilot, &err), -ERR_USAGE);
	assert_int_equal(config_parse(STR(CLUSTERS BACKFILL), &f->mem, &root, &err), 0);
	assert_int_equal(pilot_configuration(root, "regex:a", "regex:a", &f->mem, &pilot, &err),
			 -ERR_USAGE);
	assert_non_null(strstr(err.message, "a cluster takes snapshots of names"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_backfill_evaluates_migrates_moves_and_verifies),
		T(a_replay_waits_for_the_proxy_and_the_cut_over_for_approval),
		T(with_both_the_snapshot_waits_for_proxies_and_the_replay_for_migrations),
		T(old_sources_take_one_snapshot_at_a_time),
		T(defaults_written_out_change_no_checksum),
		T(an_edit_is_as_strict_as_its_strictest_field),
		T(an_edit_of_a_proxy_reaches_others_only_when_it_records_another_thing),
		T(what_cannot_be_run_is_refused_by_name),
		T(a_cut_over_that_the_proxy_cannot_do_is_refused),
		T(a_cut_over_through_a_proxy_waits_for_it_and_has_its_url),
		T(a_migration_beside_a_replay_keeps_versions),
		T(a_pilot_takes_what_its_pattern_names_under_names_of_its_own),
		T(a_pilot_of_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
