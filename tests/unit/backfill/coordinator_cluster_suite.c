/* The coordinator's suite over a real cluster: coordinator_cluster_suite URL [brief]. Ends with 0
 * when all tests passed. For tests/e2e/test_coordinator_cluster.py. */
#include "backfill/coordinator_cluster_internal.h"
#include "coordinator_suite.h"

#include <stdio.h>

static int open_at(void *url, const struct coordinator_options *options,
		   const struct coordinator_clock *clock, struct coordinator **out, struct err *err)
{
	const struct http_options http = {.host = url, .flag_prefix = "--coordinator-"};
	const struct cluster_retry retry = {
		.initial_delay_ms = 100, .max_delay_ms = 5000, .max_total_ms = 120000};
	struct cluster *cluster;
	int failed = cluster_connect(&http, &retry, &cluster, err);

	if (failed < 0)
		return failed;
	return coordinator_cluster_open_with(cluster, COORDINATOR_OWN, options, clock, out, err);
}

int main(int argc, char **argv)
{
	struct coordinator_suite suite = {
		.name = "coordinator_cluster",
		.open = open_at,
		.frees_dead = true,
		.processes = 3,
		.items = 9,
	};

	if (argc < 2) {
		fprintf(stderr, "usage: %s URL [brief]\n", argv[0]);
		return 2;
	}
	suite.user = argv[1];
	suite.brief = argc > 2;
	return coordinator_suite_run(&suite) ? 1 : 0;
}
