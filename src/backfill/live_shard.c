#include "backfill/live_shard.h"

#include "documents/live_documents.h"

#include <stdlib.h>

struct live_shard {
	struct document_source base;
	struct document_source *documents;
	struct cluster *cluster; /* its own way */
	bool by_sequence, ended;
	uint64_t bytes_read;
};

static int next(struct document_source *source, struct document *out, struct err *err)
{
	struct live_shard *shard = (struct live_shard *)source;
	int rc = document_source_next(shard->documents, out, err);

	shard->ended = rc == 0;
	if (rc <= 0)
		return rc;
	shard->bytes_read += out->source.len;
	if (shard->by_sequence)
		out->doc = live_documents_sequence(shard->documents);
	if (str_is(out->type, "_doc"))
		out->type = STR_NONE;
	return 1;
}

static uint64_t position(const struct document_source *source)
{
	const struct live_shard *shard = (const struct live_shard *)source;

	return shard->ended ? source->total_bytes : MIN(shard->bytes_read, source->total_bytes);
}

static void close_shard(struct document_source *source)
{
	struct live_shard *shard = (struct live_shard *)source;

	document_source_close(shard->documents);
	cluster_close(shard->cluster);
	free(shard);
}

static const struct document_source_ops ops = {next, position, close_shard};

int live_shard_open(const struct live_source *live, size_t place, struct str index, int32_t number,
		    int64_t first_doc, bool versions, struct document_source **out, struct err *err)
{
	const struct live_documents_options options = {
		.index = index,
		.shard = number,
		.query = live->query,
		.versions = versions,
		.by_sequence = live->by_sequence[place],
		.after_sequence = first_doc - 1,
	};
	struct live_shard *shard;
	struct cluster *cluster;
	int rc = cluster_clone(live->cluster, &cluster, err);

	if (rc < 0)
		return rc;
	shard = mem_zalloc(sizeof(*shard));
	shard->base.ops = &ops;
	shard->base.total_bytes = live->shard_bytes[place];
	shard->cluster = cluster;
	shard->by_sequence = options.by_sequence;
	rc = live_documents_open(cluster, &options, &shard->documents, err);
	if (rc < 0) {
		close_shard(&shard->base);
		return rc;
	}
	*out = &shard->base;
	return 0;
}
