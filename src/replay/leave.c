/* A partition that another replayer goes on with: what was not begun of it is left to that one,
 * which begins when the rest is over. */
#include "replay/replay_internal.h"

static void leave_to_other(struct exchange *ex)
{
	captured_transaction_disown(ex->transaction);
	if (!ex->skipped)
		ex->skipped = "another replayer goes on with it";
	ex->silent = true;
	if (ex == TAILQ_FIRST(&ex->stream->queue) &&
	    (ex->state == EXCHANGE_QUEUED || ex->state == EXCHANGE_SOURCE))
		stream_rest(ex->stream, 0);
}

void replay_leave(struct replay *r, uint32_t partition)
{
	struct stream *s;

	if (r->has_held && r->held.position.partition == partition)
		r->has_held = false;
	reassembly_cut_partition(r->reassembly, partition);
	TAILQ_FOREACH(s, &r->streams, link)
	{
		struct exchange *ex;

		TAILQ_FOREACH(ex, &s->queue, queue)
		if (ex->transaction->partition == partition && !ex->planned)
			leave_to_other(ex);
	}
	buf_append(&r->leaving, &partition, sizeof(partition));
}

static bool is_under_way(const struct replay *r, uint32_t partition)
{
	struct stream *s;

	TAILQ_FOREACH(s, &r->streams, link)
	{
		struct exchange *ex;

		TAILQ_FOREACH(ex, &s->queue, queue)
		if (ex->transaction->partition == partition)
			return true;
	}
	return false;
}

void replay_look_at_leaving(struct replay *r)
{
	void *numbers = r->leaving.ptr;
	uint32_t *partitions = numbers;
	size_t count = r->leaving.len / sizeof(*partitions), kept = 0;

	for (size_t i = 0; i < count; i++)
		if (is_under_way(r, partitions[i]))
			partitions[kept++] = partitions[i];
		else
			record_source_leave(r->options->source, partitions[i]);
	r->leaving.len = kept * sizeof(*partitions);
}
