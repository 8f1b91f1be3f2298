#include "traffic/reassembly_internal.h"

#include "base/clock.h"

#include <stdlib.h>

const char *captured_end_name(enum captured_end end)
{
	static const char *const names[] = {
		[CAPTURED_OPEN] = "open",       [CAPTURED_COMPLETE] = "complete",
		[CAPTURED_SETTLED] = "settled", [CAPTURED_EXCEPTION] = "exception",
		[CAPTURED_DROPPED] = "dropped", [CAPTURED_EXPIRED] = "expired",
		[CAPTURED_CUT] = "cut",
	};

	return (size_t)end < COUNT_OF(names) ? names[end] : "unknown";
}

struct record_ref *record_ref_new(struct record_position position)
{
	struct record_ref *ref = mem_zalloc(sizeof(*ref));

	ref->position = position;
	ref->added_us = clock_monotonic_us();
	ref->refs = 1;
	return ref;
}

void record_ref_drop(struct reassembly *r, struct record_ref *ref)
{
	if (--ref->refs > 0)
		return;
	if (!ref->held && !r->freed && r->handler.finished)
		r->handler.finished(r->handler.user, ref->position, ref->added_us);
	free(ref);
}

struct transaction *transaction_new(struct reassembly *r, const struct connection *connection)
{
	size_t node = connection->node_id.len, id = connection->connection_id.len;
	struct transaction *t = mem_zalloc(sizeof(*t) + node + id);

	if (node > 0)
		memcpy(t->ids, connection->node_id.ptr, node);
	memcpy(t->ids + node, connection->connection_id.ptr, id);
	t->owner = r;
	t->captured.node_id = str_of(t->ids, node);
	t->captured.connection_id = str_of(t->ids + node, id);
	t->captured.connection = connection->number;
	t->captured.index = connection->index;
	t->captured.first_line_bytes = t->captured.headers_bytes = RECORD_UNKNOWN;
	return t;
}

void transaction_needs(struct transaction *t, struct record_ref *ref)
{
	/* Records come one after another, so that only the last can be the same. */
	if (t->ref_count > 0 && t->refs[t->ref_count - 1] == ref)
		return;
	t->refs = mem_realloc(t->refs, (t->ref_count + 1) * sizeof(struct record_ref *));
	t->refs[t->ref_count++] = ref;
	ref->refs++;
}

/* Room in powers of two: appended to in small pieces. */
static void *grown(void *memory, size_t used, size_t more, size_t size)
{
	size_t capacity = used == 0 ? 0 : (size_t)1 << (64 - __builtin_clzll(used));
	size_t wanted = (size_t)1 << (64 - __builtin_clzll(used + more));

	return wanted == capacity ? memory : mem_realloc(memory, wanted * size);
}

void transaction_append(struct transaction *t, struct captured_message *message,
			struct record_ref *ref, struct record_time time, struct str bytes)
{
	transaction_needs(t, ref);
	if (bytes.len == 0)
		return;
	message->bytes = grown(message->bytes, message->len, bytes.len, 1);
	memcpy(message->bytes + message->len, bytes.ptr, bytes.len);
	message->len += bytes.len;
	message->pieces = grown(message->pieces, message->piece_count, 1, sizeof(*message->pieces));
	message->pieces[message->piece_count++] =
		(struct captured_piece){.time = time, .end = message->len};
	t->bytes += bytes.len;
	t->owner->counts.bytes += bytes.len;
}

void transaction_free(struct transaction *t)
{
	for (size_t i = 0; i < t->ref_count; i++)
		record_ref_drop(t->owner, t->refs[i]);
	t->owner->counts.bytes -= t->bytes;
	free(t->refs);
	free(t->captured.request.bytes);
	free(t->captured.request.pieces);
	free(t->captured.response.bytes);
	free(t->captured.response.pieces);
	free(t);
}

void captured_transaction_disown(struct captured_transaction *transaction)
{
	struct transaction *t = (struct transaction *)transaction;

	for (size_t i = 0; i < t->ref_count; i++)
		t->refs[i]->held = true;
}

void captured_transaction_release(struct captured_transaction *transaction)
{
	struct transaction *t = (struct transaction *)transaction;
	struct reassembly *r = t->owner;

	if (transaction->end == CAPTURED_OPEN && !r->freed)
		BUG("a transaction released before its response was there");
	transaction_free(t);
	r->releasable--;
	if (--r->counts.outstanding == 0 && r->freed)
		free(r);
}
