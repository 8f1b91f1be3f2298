/* coordinator_worker STATE_DIR work|show: checkpoints one work item for ever, and says each one
 * when it is durable; or says how far it came. */
#include "backfill/coordinator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int checkpoint_for_ever(struct coordinator *c, struct err *err)
{
	const struct work_item item = {STR("logs"), 0, 0, WORK_TO_END, 1};
	struct work_claim claim;
	enum claim_outcome outcome;
	int64_t wait_ms;
	bool created;
	int failed;

	work_claim_init(&claim);
	if ((failed = c->ops->create(c, STR("f"), &item, 1, &created, err)) < 0 ||
	    (failed = c->ops->claim(c, &claim, &outcome, &wait_ms, err)) < 0)
		return failed;
	for (int64_t next_doc = claim.progress.next_doc + 1; failed == 0; next_doc++) {
		struct work_progress progress = {.next_doc = next_doc,
						 .state = STR("{\"crc\":[1,2,3]}")};

		failed = c->ops->checkpoint(c, &claim, &progress, err);
		if (failed == 0)
			printf("%" PRId64 "\n", next_doc);
		fflush(stdout);
	}
	return failed;
}

static int show(struct coordinator *c, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT((size_t)1 << 20);
	struct work_status *all;
	size_t count;
	int failed = c->ops->list(c, &mem, &all, &count, err);

	if (failed < 0)
		return failed;
	for (size_t i = 0; i < count; i++)
		printf("%" PRId64 "\n", all[i].progress.next_doc);
	c->ops->close(c);
	return 0;
}

int main(int argc, char **argv)
{
	const struct coordinator_options options = {
		.session = "cut", .lease_ms = 60000, .max_lease_ms = 60000, .max_failures = 1000};
	struct coordinator *c;
	struct err err = {0};
	int failed;

	if (argc != 3)
		return 2;
	failed = coordinator_local_open(argv[1], &options, &c, &err);
	if (failed == 0)
		failed =
			strcmp(argv[2], "show") == 0 ? show(c, &err) : checkpoint_for_ever(c, &err);
	if (failed < 0)
		fprintf(stderr, "%s\n", err.message);
	return failed < 0;
}
