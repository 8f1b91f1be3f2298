#include "cli/workflow_log_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct workflow_step steps[] = {
	{.name = STR("checkconnection.old-new"), .resource = STR("")},
	{.name = STR("captureproxy.front"), .resource = STR("captureproxy.front")},
	{.name = STR("createsnapshot.old-first"), .resource = STR("datasnapshot.old-first")},
	{.name = STR("metadata"), .resource = STR("")},
	{.name = STR("documentbackfill.old-new-first-all"),
	 .resource = STR("snapshotmigration.old-new-first-all")},
	{.name = STR("trafficreplay.front-new-mirror"),
	 .resource = STR("trafficreplay.front-new-mirror")},
};

/* The steps that are meant, a digit each. */
static const char *meant(struct workflow_log_filter filter)
{
	static char out[16];
	struct err err = {0};
	size_t len = 0;

	filter.prefix = "migrations.opensearch.org/";
	if (workflow_log_filter_read(&filter, &err) < 0)
		return "refused";
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (workflow_log_filter_means(&filter, &steps[i]))
			out[len++] = (char)('0' + i);
	out[len] = '\0';
	return out;
}

#define LABEL(text)                                                     \
	(struct workflow_log_filter)                                    \
	{                                                               \
		.labels = {.items = (const char *[]){text}, .count = 1} \
	}

static void steps_are_meant_by_what_they_work_on(void **state)
{
	(void)state;
	assert_string_equal(meant((struct workflow_log_filter){0}), "012345");
	assert_string_equal(meant((struct workflow_log_filter){.source = "old"}), "024");
	assert_string_equal(meant((struct workflow_log_filter){.source = "ol"}), "");
	assert_string_equal(meant((struct workflow_log_filter){.target = "new"}), "045");
	assert_string_equal(meant((struct workflow_log_filter){.snapshot = "first"}), "24");
	assert_string_equal(meant((struct workflow_log_filter){.migration = "old-new-first-all"}),
			    "4");
	assert_string_equal(
		meant((struct workflow_log_filter){.source = "old", .task = "reindexFromSnapshot"}),
		"4");
	assert_string_equal(meant((struct workflow_log_filter){.task = "captureProxy"}), "1");
	assert_string_equal(meant((struct workflow_log_filter){.task = "create"}), "2");
}

static void labels_are_the_same_with_and_without_their_prefix(void **state)
{
	(void)state;
	assert_string_equal(meant(LABEL("task=trafficReplayer")), "5");
	assert_string_equal(meant(LABEL("migrations.opensearch.org/target=new")), "045");
	assert_string_equal(meant(LABEL("target")), "refused");
	assert_string_equal(meant(LABEL("app=x")), "refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_meant_by_what_they_work_on),
		cmocka_unit_test(labels_are_the_same_with_and_without_their_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
