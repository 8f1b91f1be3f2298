/* Which request holds a replay up for longest, and what it waits for: for whoever looks at one that
 * does not get on. */
#include "replay/replay_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { HELD_UP_MS = 60000, NAME_MAX_BYTES = 120 };

struct text {
	char *at;
	size_t left;
};

static void PRINTF_LIKE(2, 3) add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text->at, text->left, format, arguments);
	va_end(arguments);
	if (len < 0)
		return;
	len = MIN(len, (int)text->left - 1);
	text->at += len;
	text->left -= (size_t)len;
}

static void name(struct text *text, const struct exchange *ex)
{
	struct str path, query;

	if (ex->has_job) {
		str_split(ex->job.out.captured.target, '?', &path, &query);
		add(text, STR_FMT " %.*s of ", STR_ARG(ex->job.out.captured.method),
		    (int)MIN(path.len, (size_t)NAME_MAX_BYTES), path.ptr);
	}
	add(text, "connection %.*s.%" PRId64,
	    (int)MIN(ex->transaction->connection_id.len, (size_t)NAME_MAX_BYTES),
	    ex->transaction->connection_id.ptr, ex->transaction->index);
}

static void tell_of_other(struct text *text, const char *what, const struct exchange *other)
{
	add(text, "%s", what);
	name(text, other);
	if (other != TAILQ_FIRST(&other->stream->queue)) {
		add(text, ", which is behind ");
		name(text, TAILQ_FIRST(&other->stream->queue));
	}
}

static void tell_of_update(struct text *text, const struct exchange *ex)
{
	const struct exchange *other = order_awaited(ex);

	if (order_awaits_backfill(ex))
		add(text, "the backfill, which may bring the document of its update");
	else if (other)
		tell_of_other(text, "what may come before its update: ", other);
	else
		add(text, "what comes before its update, in records that are not read yet or with "
			  "another update");
}

static void tell_reason(struct text *text, const struct exchange *ex)
{
	switch (ex->state) {
	case EXCHANGE_SOURCE:
	case EXCHANGE_DECIDING:
		add(text, "its captured response, which was not read yet");
		break;
	case EXCHANGE_PARKED:
		if (order_awaits_backfill(ex))
			add(text, "the backfill's end, as by-query requests do");
		else
			add(text, "a by-query request before it, or writes before it, being one");
		break;
	case EXCHANGE_READY:
		add(text, "one of --max-concurrent-requests to end");
		break;
	case EXCHANGE_SENDING:
		if (ex->job.probing && ex->job.probes > 1)
			tell_of_update(text, ex);
		else
			add(text, "the target's answer");
		break;
	case EXCHANGE_RESTING:
		if (ex->waits)
			tell_of_update(text, ex);
		else if (ex->slot_ms > 0)
			add(text, "its turn, by --max-requests-per-second");
		else
			add(text, "another try, since the target was away or busy (status %d)",
			    MAX(ex->job.last_status, 0));
		break;
	case EXCHANGE_QUEUED:
	case EXCHANGE_ANSWERED:
	case EXCHANGE_WRITTEN:
		add(text, "its turn");
		break;
	}
}

void replay_describe_wait(struct replay *r)
{
	int64_t now = clock_monotonic_ms(), since = now;
	const int64_t most = r->options->held_up_ms ? r->options->held_up_ms : HELD_UP_MS;
	struct text text = {r->counts.waits_for, sizeof(r->counts.waits_for)};
	const struct exchange *longest = NULL;
	struct stream *s;

	r->counts.waits_for[0] = '\0';
	TAILQ_FOREACH(s, &r->streams, link)
	{
		const struct exchange *head = TAILQ_FIRST(&s->queue);

		if (head && MAX(head->head_ms, head->due_ms) < since) {
			since = MAX(head->head_ms, head->due_ms);
			longest = head;
		}
	}
	if (!longest || now - since < most)
		return;
	r->counts.waits_since_ms = clock_wall_ms() - (now - since);
	name(&text, longest);
	add(&text, " waits for ");
	tell_reason(&text, longest);
}
