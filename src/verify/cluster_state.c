/* What an index of a cluster is told by, and whether it was written to: the uuids of what the name
 * stands for, and the highest sequence number of each primary, which every write moves.
 *
 * Source: GET /<index>/_stats?level=shards of Elasticsearch 6 to 9 and OpenSearch: indices.<name>.
 * shards.<number>[].routing.primary, .seq_no.max_seq_no. */
#include "base/clock.h"
#include "base/json_hash.h"
#include "documents/live_documents.h"
#include "verify/cluster_side.h"

#include <inttypes.h>

/* Sums without order. */
static void add_hash(uint64_t *sum, const struct buf *text)
{
	*sum += bytes_hash(buf_str(text)).low;
}

uint64_t cluster_side_identity(const struct json *settings)
{
	uint64_t sum = 0;

	json_each (index, settings) {
		cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

		buf_append_str(&text, index->key);
		buf_append_byte(&text, '/');
		buf_append_str(&text,
			       json_string(json_path(index, "settings", "index", "uuid", NULL)));
		add_hash(&sum, &text);
	}
	return sum;
}

/* The primary of one shard. False: it says no sequence number. */
static bool add_shard(uint64_t *sum, struct str index, const struct json *copies)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	json_each (copy, copies) {
		const struct json *most = json_path(copy, "seq_no", "max_seq_no", NULL);

		if (!json_bool_or(json_path(copy, "routing", "primary", NULL), false))
			continue;
		if (!most)
			return false;
		buf_printf(&text, STR_FMT "/" STR_FMT "/%" PRId64, STR_ARG(index),
			   STR_ARG(copies->key), json_i64_or(most, -1));
		add_hash(sum, &text);
		return true;
	}
	return false;
}

static bool add_indices(uint64_t *sum, const struct json *answer)
{
	const struct json *indices = json_get(answer, "indices");

	json_each (index, indices)
		json_each (copies, json_get(index, "shards"))
			if (!add_shard(sum, index->key, copies))
				return false;
	return indices && indices->count > 0;
}

uint64_t cluster_side_writes(struct cluster_side *side, struct str index)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct json *answer = NULL;
	struct err ignored;
	uint64_t sum = 0;
	int status;

	if (live_documents_has_sequence(cluster_version(side->cluster)) &&
	    cluster_side_ask(side, "GET", index, "/_stats/docs?level=shards", STR_NONE, &mem,
			     &status, &answer, &ignored) == 0 &&
	    status == 200 && add_indices(&sum, answer))
		return sum;
	/* As of no other run. */
	return (uint64_t)clock_wall_ms() * UINT64_C(0x9e3779b97f4a7c15);
}
