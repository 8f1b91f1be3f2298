/* Every field of the schema's sections as it may be, with another type, and misspelled: hundreds of
 * configurations, each with its verdict and its path. And the reference page, which is made of the
 * same table. */
#include "base/limits.h"
#include "base/small_file.h"
#include "workflow/config_check.h"
#include "workflow/plan_spec.h"
#include "workflow/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define BASE                                                                                  \
	"sourceClusters:\n"                                                                   \
	"  legacy:\n"                                                                         \
	"    endpoint: http://es:9200\n"                                                      \
	"    version: ES 7.10.2\n"                                                            \
	"    snapshotInfo:\n"                                                                 \
	"      repos: {local: {repoPathUri: file:///backups}}\n"                              \
	"      snapshots: {first: {repoName: local, config: {createSnapshotConfig: {%s}}}}\n" \
	"targetClusters: {modern: {endpoint: http://os:9200}}\n"                              \
	"snapshotMigrationConfigs:\n"                                                         \
	"  - fromSource: legacy\n"                                                            \
	"    toTarget: modern\n"                                                              \
	"    perSnapshotConfig:\n"                                                            \
	"      first:\n"                                                                      \
	"        - metadataMigrationConfig: {%s}\n"                                           \
	"          documentBackfillConfig: {%s}\n"                                            \
	"          verifyConfig: {%s}\n"                                                      \
	"traffic:\n"                                                                          \
	"  proxies: {front: {source: legacy, proxyConfig: {%s}}}\n"                           \
	"  replayers:\n"                                                                      \
	"    mirror: {fromCapturedTraffic: front, toTarget: modern, replayerConfig: {%s}}\n"

static const struct part {
	const char *schema, *path;
} parts[] = {
	{"sourceClusters.snapshotInfo.snapshots.config.createSnapshotConfig",
	 "sourceClusters.legacy.snapshotInfo.snapshots.first.config"},
	{"snapshotMigrationConfigs.perSnapshotConfig.metadataMigrationConfig",
	 "snapshotMigrationConfigs.0.perSnapshotConfig.first.0.metadataMigrationConfig"},
	{"snapshotMigrationConfigs.perSnapshotConfig.documentBackfillConfig",
	 "snapshotMigrationConfigs.0.perSnapshotConfig.first.0.documentBackfillConfig"},
	{"snapshotMigrationConfigs.perSnapshotConfig.verifyConfig",
	 "snapshotMigrationConfigs.0.perSnapshotConfig.first.0.verifyConfig"},
	{"traffic.proxies.proxyConfig", "traffic.proxies.front.proxyConfig"},
	{"traffic.replayers.replayerConfig", "traffic.replayers.mirror.replayerConfig"},
};
#define PROXY 4

/* Fields that need another one beside them, or none. */
static const char *const with_others[] = {"tupleS3Bucket", "kafkaTrafficPropertyFile"};

struct corpus {
	size_t valid, invalid;
};

/* The problems' paths; "" when there are no errors. */
static void check(size_t part, const char *member, char *path, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	const char *members[COUNT_OF(parts)] = {"", "", "", "", "listenPort: 9201", ""};
	struct config_problems problems;
	struct config_value *root;
	struct err err = {0};
	char proxy[512], yaml[8192];

	snprintf(proxy, sizeof(proxy), "%s%s",
		 str_starts(str_from(member), STR("listenPort:")) ? "" : "listenPort: 9201, ",
		 member);
	members[part] = part == PROXY ? proxy : member;
	snprintf(yaml, sizeof(yaml), BASE, members[0], members[1], members[2], members[3],
		 members[4], members[5]);
	if (config_parse(str_from(yaml), &mem, &root, &err) < 0 ||
	    config_check(root, &mem, &problems, &err) < 0)
		fail_msg("%s: %s", member, err.message);
	path[0] = '\0';
	for (size_t i = problems.count; i-- > 0;)
		if (!problems.list[i].warning)
			snprintf(path, size, STR_FMT, STR_ARG(problems.list[i].path));
}

static const char *right_value(const struct schema_field *field, char *text, size_t size)
{
	const struct schema *schema = field->schema;

	if (field->fallback)
		return field->fallback;
	switch (schema->kind) {
	case SCHEMA_BOOLEAN:
		return "true";
	case SCHEMA_NUMBER:
	case SCHEMA_INTEGER:
		return "9201";
	case SCHEMA_LIST:
		return "[]";
	case SCHEMA_STRING:
		if (!schema->choices)
			return schema->pattern ? NULL : "text";
		snprintf(text, size, "%.*s", (int)strcspn(schema->choices, "|"), schema->choices);
		return text;
	case SCHEMA_OBJECT:
	case SCHEMA_MAP:
	case SCHEMA_ONE_OF:
	case SCHEMA_FREE:
		break;
	}
	return NULL;
}

static void expect(size_t part, const char *member, const char *name, bool right)
{
	char path[512], wanted[512];

	check(part, member, path, sizeof(path));
	/* Of a snapshot's config the variant is not known when a field of it is wrong. */
	snprintf(wanted, sizeof(wanted), part == 0 ? "%s" : "%s.%s", parts[part].path, name);
	if (right && path[0])
		fail_msg("{%s} in %s is refused at %s", member, parts[part].path, path);
	if (!right && !str_starts(str_from(path), str_from(wanted)))
		fail_msg("{%s} in %s: expected a problem at %s, got '%s'", member, parts[part].path,
			 wanted, path);
}

static void check_field(struct corpus *corpus, size_t part, const struct schema_field *field)
{
	char member[512], text[128], misspelled[128];
	const char *value = right_value(field, text, sizeof(text));
	bool alone = true;

	for (size_t i = 0; i < COUNT_OF(with_others); i++)
		alone &= strcmp(field->name, with_others[i]) != 0;
	if (value && alone) {
		snprintf(member, sizeof(member), "%s: %s", field->name, value);
		expect(part, member, field->name, true);
		corpus->valid++;
	}
	if (field->schema->kind == SCHEMA_FREE)
		return;
	snprintf(member, sizeof(member), "%s: {no: {such: thing}}", field->name);
	expect(part, member, field->name, false);
	snprintf(misspelled, sizeof(misspelled), "%sX", field->name);
	snprintf(member, sizeof(member), "%s: 1", misspelled);
	expect(part, member, misspelled, false);
	corpus->invalid += 2;
}

static void each_field_has_its_verdict_and_path(void **state)
{
	struct corpus corpus = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		const struct schema *schema = plan_schema(parts[i].schema);

		assert_non_null(schema);
		for (const struct schema_field *f = schema->fields; f->name; f++)
			check_field(&corpus, i, f);
	}
	print_message("%zu valid, %zu invalid\n", corpus.valid, corpus.invalid);
	assert_true(corpus.valid >= 80);
	assert_true(corpus.invalid >= 120);
}

static void the_reference_page_is_what_the_table_says(void **state)
{
	cleanup(buf_release) struct buf page = BUF_INIT(MIB(4)), made = BUF_INIT(MIB(4));
	struct err err = {0};

	(void)state;
	schema_write_reference(&made);
	assert_int_equal(small_file_read(REFERENCE, &page, &err), 1);
	if (!str_eq(buf_str(&page), buf_str(&made)))
		fail_msg("write it anew: shardlift workflow configure reference > %s", REFERENCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_has_its_verdict_and_path),
		cmocka_unit_test(the_reference_page_is_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
