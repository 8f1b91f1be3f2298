#include "backfill/coordinator_cluster_internal.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define LARGEST_SKEW_MS 15000

static void cluster_coordinator_close(struct coordinator *c)
{
	struct cluster_coordinator *cc = cluster_of(c);

	cluster_release_all(cc);
	cluster_close(cc->cluster);
	pthread_mutex_destroy(&cc->mutex);
	free(cc);
}

static void cluster_coordinator_cancel(struct coordinator *c)
{
	cluster_cancel(cluster_of(c)->cluster);
}

static const struct coordinator_ops cluster_ops = {
	.create = cluster_create,
	.claim = cluster_claim,
	.checkpoint = cluster_checkpoint,
	.divide = cluster_divide,
	.complete = cluster_complete,
	.release = cluster_release,
	.fail = cluster_fail,
	.list = cluster_list,
	.unpark = cluster_unpark,
	.cancel = cluster_coordinator_cancel,
	.tuning_take = cluster_tuning_take,
	.tuning_keep = cluster_tuning_keep,
	.tuning_look = cluster_tuning_look,
	.close = cluster_coordinator_close,
};

static int check_cluster(struct cluster *cluster, struct err *err)
{
	const struct cluster_version *version = cluster_version(cluster);

	if (version->serverless)
		return err_set(err, ERR_USAGE,
			       "OpenSearch Serverless cannot hold work items: give a cluster as "
			       "--coordinator-host, or leave it out to keep them on this machine");
	if (version->flavour == CLUSTER_ELASTICSEARCH && version->major < 5)
		return err_set(err, ERR_USAGE,
			       "%s cannot hold work items, Elasticsearch 5 and later can: give "
			       "another --coordinator-host, or leave it out to keep them on this "
			       "machine",
			       cluster_version_text(cluster));
	return 0;
}

static int check_index_name(const char *session, struct err *err)
{
	for (const char *at = session; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			return err_set(err, ERR_USAGE,
				       "the session name '%s' has capitals, which the name of an "
				       "index of a cluster cannot: write it in lower case",
				       session);
	return 0;
}

/* Leases are compared by the clocks of all workers, Java's also by that of the cluster. */
static int check_skew(struct cluster_coordinator *cc, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	int64_t before_ms = coordinator_now(&cc->clock), after_ms, theirs_ms;
	char ours[25], theirs[25];
	struct json *answer;
	int status, failed;

	failed = cluster_request(cc->cluster, "GET", "/_cat/health?format=json&h=epoch", STR_NONE,
				 true, &mem, &status, &answer, err);
	after_ms = coordinator_now(&cc->clock);
	/* Who may not ask this may still hold work items there. */
	if (failed == -ERR_AUTH)
		return 0;
	if (failed < 0)
		return err_wrap(err, "the time of the coordinator");
	theirs_ms = json_i64_or(json_get(answer ? answer->first : NULL, "epoch"), 0) * 1000;
	/* It is told in whole seconds. */
	if (status != 200 || !theirs_ms ||
	    (theirs_ms + 999 >= before_ms - LARGEST_SKEW_MS &&
	     theirs_ms <= after_ms + LARGEST_SKEW_MS))
		return 0;
	clock_format_utc(after_ms, ours);
	clock_format_utc(theirs_ms, theirs);
	return err_set(err, ERR_USAGE,
		       "the clocks are more than %d seconds apart: %s here, %s on the "
		       "coordinator's %s; set both by NTP and start again",
		       LARGEST_SKEW_MS / 1000, ours, theirs, cluster_version_text(cc->cluster));
}

static int check_all(struct cluster_coordinator *cc, const struct coordinator_options *options,
		     struct err *err)
{
	int failed;

	if ((failed = coordinator_check_options(options, err)) < 0 ||
	    (failed = check_index_name(options->session, err)) < 0 ||
	    (failed = check_cluster(cc->cluster, err)) < 0)
		return failed;
	return check_skew(cc, err);
}

int coordinator_cluster_open_with(struct cluster *cluster, enum coordinator_compat compat,
				  const struct coordinator_options *options,
				  const struct coordinator_clock *clock, struct coordinator **out,
				  struct err *err)
{
	const struct cluster_version *version = cluster_version(cluster);
	bool is_elasticsearch = version->flavour == CLUSTER_ELASTICSEARCH;
	struct cluster_coordinator *cc = mem_zalloc(sizeof(*cc));
	int failed;

	cc->base.ops = &cluster_ops;
	cc->cluster = cluster;
	cc->clock = *clock;
	cc->options = *options;
	cc->compat = compat;
	cc->has_types = is_elasticsearch && version->major < 7;
	cc->has_seq_no = !cc->has_types || (version->major == 6 && version->minor >= 7);
	pthread_mutex_init(&cc->mutex, NULL);
	if ((failed = check_all(cc, options, err)) < 0) {
		cluster_coordinator_close(&cc->base);
		return failed;
	}
	snprintf(cc->session, sizeof(cc->session), "%s", options->session);
	snprintf(cc->index, sizeof(cc->index), ".migrations_working_state%s%s",
		 *cc->session ? "_" : "", cc->session);
	coordinator_worker_name(options, cc->worker);
	process_identity_self(&cc->process);
	*out = &cc->base;
	return 0;
}

int coordinator_cluster_open(struct cluster *cluster, enum coordinator_compat compat,
			     const struct coordinator_options *options, struct coordinator **out,
			     struct err *err)
{
	return coordinator_cluster_open_with(cluster, compat, options,
					     &(struct coordinator_clock){0}, out, err);
}
