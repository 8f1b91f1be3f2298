/* A coordinator in a cluster, driven step by step: for tests/e2e/test_coordinator_cluster.py.
 *
 *   coordinator_driver URL own|java SESSION WORKER LEASE_MS
 *
 * Reads one command a line and answers each with one line that begins with the code ("0", or the
 * kind of the error and its message):
 *
 *   create FINGERPRINT INDEX:SHARD:BYTES...    0 created|there
 *   claim                                      0 done|later|taken INDEX SHARD FIRST NEXT LEASE_MS
 *   checkpoint NEXT, complete NEXT, release, fail REASON
 *   list                                       0 INDEX:SHARD:FIRST:NEXT:STATE:WORKER... */
#include "backfill/coordinator_cluster_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_ITEMS 64

struct driver {
	struct coordinator *c;
	struct work_claim claim;
	struct err err;
};

static int open_coordinator(struct driver *driver, char **argv)
{
	const struct http_options http = {.host = argv[1], .flag_prefix = "--coordinator-"};
	const struct cluster_retry retry = {
		.initial_delay_ms = 100, .max_delay_ms = 5000, .max_total_ms = 120000};
	const struct coordinator_options options = {
		.session = argv[3],
		.worker = argv[4],
		.lease_ms = strtoll(argv[5], NULL, 10),
		.max_lease_ms = 600000,
		.max_failures = 5,
	};
	enum coordinator_compat compat =
		str_is(str_from(argv[2]), "java") ? COORDINATOR_JAVA : COORDINATOR_OWN;
	struct cluster *cluster;
	int failed = cluster_connect(&http, &retry, &cluster, &driver->err);

	return failed < 0 ? failed
			  : coordinator_cluster_open(cluster, compat, &options, &driver->c,
						     &driver->err);
}

static struct work_item parse_item(struct str text)
{
	struct work_item item = {.end_doc = WORK_TO_END};
	struct str shard, bytes;
	uint64_t number = 0;

	str_split(text, ':', &item.index, &text);
	str_split(text, ':', &shard, &bytes);
	str_to_u64(shard, &number);
	item.shard = (int32_t)number;
	str_to_u64(bytes, &item.bytes);
	return item;
}

static int create(struct driver *driver, struct str words)
{
	struct work_item items[MOST_ITEMS];
	struct str fingerprint, word;
	bool more = str_split(words, ' ', &fingerprint, &words), created;
	size_t count = 0;
	int failed;

	while (more && count < MOST_ITEMS) {
		more = str_split(words, ' ', &word, &words);
		items[count++] = parse_item(word);
	}
	failed = driver->c->ops->create(driver->c, fingerprint, items, count, &created,
					&driver->err);
	if (failed == 0)
		printf("0 %s\n", created ? "created" : "there");
	return failed;
}

static int claim(struct driver *driver)
{
	static const char *const outcomes[] = {"done", "taken", "later"};
	struct work_claim *claim = &driver->claim;
	enum claim_outcome outcome;
	int64_t wait_ms;
	int failed = driver->c->ops->claim(driver->c, claim, &outcome, &wait_ms, &driver->err);

	if (failed < 0)
		return failed;
	if (outcome == CLAIM_TAKEN)
		printf("0 taken " STR_FMT " %" PRId32 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
		       STR_ARG(claim->item.index), claim->item.shard, claim->item.first_doc,
		       claim->progress.next_doc, claim->lease_ms);
	else
		printf("0 %s\n", outcomes[outcome]);
	return 0;
}

static int list(struct driver *driver)
{
	static const char *const states[] = {"waiting", "leased", "completed", "parked"};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct work_status *all;
	size_t count;
	int failed = driver->c->ops->list(driver->c, &mem, &all, &count, &driver->err);

	if (failed < 0)
		return failed;
	printf("0");
	for (size_t i = 0; i < count; i++)
		printf(" " STR_FMT ":%" PRId32 ":%" PRId64 ":%" PRId64 ":%s:" STR_FMT,
		       STR_ARG(all[i].item.index), all[i].item.shard, all[i].item.first_doc,
		       all[i].progress.next_doc, states[all[i].state], STR_ARG(all[i].worker));
	printf("\n");
	return 0;
}

static int change(struct driver *driver, struct str command, struct str rest)
{
	struct work_progress progress = {0};
	uint64_t next_doc = 0;
	int failed;

	str_to_u64(rest, &next_doc);
	progress.next_doc = (int64_t)next_doc;
	progress.documents = next_doc;
	if (str_is(command, "checkpoint"))
		failed = driver->c->ops->checkpoint(driver->c, &driver->claim, &progress,
						    &driver->err);
	else if (str_is(command, "complete"))
		failed = driver->c->ops->complete(driver->c, &driver->claim, &progress,
						  &driver->err);
	else if (str_is(command, "release"))
		failed = driver->c->ops->release(driver->c, &driver->claim, &driver->err);
	else
		failed = driver->c->ops->fail(driver->c, &driver->claim, rest.ptr, false,
					      &driver->err);
	if (failed == 0)
		printf("0\n");
	return failed;
}

static int run(struct driver *driver, struct str line)
{
	struct str command, rest;

	str_split(line, ' ', &command, &rest);
	if (str_is(command, "create"))
		return create(driver, rest);
	if (str_is(command, "claim"))
		return claim(driver);
	if (str_is(command, "list"))
		return list(driver);
	return change(driver, command, rest);
}

int main(int argc, char **argv)
{
	struct driver driver = {0};
	char line[4096];

	if (argc != 6)
		return 2;
	work_claim_init(&driver.claim);
	if (open_coordinator(&driver, argv) < 0) {
		printf("%d %s\n", driver.err.kind, driver.err.message);
		return 1;
	}
	printf("0 open\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (run(&driver, str_from(line)) < 0)
			printf("%d %s\n", driver.err.kind, driver.err.message);
		fflush(stdout);
	}
	work_claim_release(&driver.claim);
	driver.c->ops->close(driver.c);
	return 0;
}
