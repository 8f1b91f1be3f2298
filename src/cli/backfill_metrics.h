/* A run's numbers for Prometheus: --metrics-port, --metrics-host.
 *
 * Names: those of the Java tool's pipeline (opensearch-migrations RfsMigrateDocuments, its OTel
 * counters as Prometheus exports them), and ours under shardlift_ (docs/metrics.md). */
#ifndef CLI_BACKFILL_METRICS_H
#define CLI_BACKFILL_METRICS_H

#include "backfill/pressure.h"
#include "backfill/progress.h"
#include "base/opt.h"
#include "net/metrics_server.h"

struct metrics_fields {
	int64_t port; /* -1: none */
	const char *host;
};
extern const struct opt metrics_options[];

/* What is told; all borrowed, and read while the server runs. */
struct backfill_metrics {
	const struct progress *progress;
	struct pressure *pressure; /* NULL: none */
};

/* Appends the text; a metrics_collect, `user` is a struct backfill_metrics. */
void backfill_metrics_collect(void *user, struct buf *out);
/* Starts the server where the fields ask for one and logs its address; *out is NULL where they do
 * not. `metrics` is borrowed until metrics_server_stop. */
int backfill_metrics_start(const struct metrics_fields *fields, struct backfill_metrics *metrics,
			   struct metrics_server **out, struct err *err);

#endif
