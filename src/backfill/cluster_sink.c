#include "backfill/bulk_sink.h"

#include <stdlib.h>

struct cluster_sink {
	struct bulk_sink base;
	struct cluster *cluster;
	bool compress;
};

static struct cluster_sink *of(struct bulk_sink *sink)
{
	return (struct cluster_sink *)sink;
}

static int send_bulk(struct bulk_sink *sink, const struct bulk *bulk,
		     const struct bulk_origin *origin, struct bulk_result *result, struct err *err)
{
	(void)origin;
	return bulk_send(of(sink)->cluster, bulk, of(sink)->compress, result, err);
}

static void cancel(struct bulk_sink *sink)
{
	cluster_cancel(of(sink)->cluster);
}

static void close_sink(struct bulk_sink *sink)
{
	cluster_close(of(sink)->cluster);
	free(sink);
}

struct bulk_sink *cluster_sink_new(struct cluster *cluster, bool compress)
{
	static const struct bulk_sink_ops ops = {
		.send = send_bulk, .cancel = cancel, .close = close_sink};
	struct cluster_sink *sink = mem_zalloc(sizeof(*sink));

	sink->base.ops = &ops;
	sink->cluster = cluster;
	sink->compress = compress;
	return &sink->base;
}
