#include "traffic/reassembly_internal.h"

#include <stdlib.h>

static struct reassembly_options with_defaults(const struct reassembly_options *given)
{
	struct reassembly_options o = given ? *given : (struct reassembly_options){0};

	o.settle_ms = o.settle_ms ? o.settle_ms : 5000;
	o.silent_ms = o.silent_ms ? o.silent_ms : 150000;
	o.reorder_ms = o.reorder_ms ? o.reorder_ms : 30000;
	o.connection_bytes = o.connection_bytes ? o.connection_bytes : MIB(128);
	o.total_bytes = o.total_bytes ? o.total_bytes : MIB(512);
	o.connections = o.connections ? o.connections : 100000;
	return o;
}

struct reassembly *reassembly_new(const struct reassembly_options *options,
				  const struct reassembly_handler *handler)
{
	struct reassembly *r = mem_zalloc(sizeof(*r));

	r->options = with_defaults(options);
	r->handler = *handler;
	r->key = siphash_key_random();
	return r;
}

static struct connection *any_connection(const struct reassembly *r)
{
	for (size_t i = 0; i < TIMERS; i++)
		if (r->timers[i].first)
			return r->timers[i].first;
	return NULL;
}

void reassembly_end(struct reassembly *r, bool complete)
{
	struct connection *c;

	/* A gap that would have been waited for is one, where nothing more comes. */
	while (complete && (c = r->timers[TIMER_REORDER].first))
		reassembly_give_up_waiting(r, c);
	while ((c = any_connection(r)))
		connection_remove(r, c, complete ? CAPTURED_SETTLED : CAPTURED_CUT,
				  "the input ended within it");
}

void reassembly_end_node(struct reassembly *r, struct str node_id, uint32_t partition)
{
	for (size_t i = 0; i < TIMERS; i++) {
		struct connection *next;

		for (struct connection *c = r->timers[i].first; c; c = next) {
			next = c->later;
			if (c->partition == partition && str_eq(c->node_id, node_id))
				connection_remove(r, c, CAPTURED_SETTLED,
						  "its proxy ended within it");
		}
	}
}

void reassembly_cut_partition(struct reassembly *r, uint32_t partition)
{
	for (size_t i = 0; i < TIMERS; i++) {
		struct connection *next;

		for (struct connection *c = r->timers[i].first; c; c = next) {
			next = c->later;
			if (c->partition == partition)
				connection_remove(r, c, CAPTURED_CUT,
						  "its partition is read elsewhere now");
		}
	}
}

void reassembly_free(struct reassembly *r)
{
	if (!r)
		return;
	reassembly_end(r, false);
	r->freed = true;
	free(r->buckets);
	r->buckets = NULL;
	if (r->counts.outstanding == 0)
		free(r);
}

void reassembly_state(const struct reassembly *r, struct reassembly_state *out)
{
	*out = r->counts;
}

static void set_aside(struct reassembly *r, struct record_ref *ref, const char *reason)
{
	r->counts.set_aside++;
	if (r->handler.set_aside)
		r->handler.set_aside(r->handler.user, ref->position, reason);
	record_ref_drop(r, ref);
}

/* The waiting records that are next by now. */
static void take_waiting(struct reassembly *r, struct connection *c)
{
	while (c->waiting && c->waiting->number <= c->next_number) {
		struct waiting *waiting = c->waiting;
		struct record_view view;
		struct err err;

		c->waiting = waiting->next;
		c->bytes -= waiting->len;
		r->counts.bytes -= waiting->len;
		if (waiting->number < c->next_number)
			record_ref_drop(r, waiting->ref);
		else if (record_view_open(&view, str_of(waiting->bytes, waiting->len), &err) < 0)
			BUG("a record that could be read before");
		else
			connection_take(r, c, &view, waiting->ref);
		free(waiting);
	}
}

void reassembly_give_up_waiting(struct reassembly *r, struct connection *c)
{
	connection_gap(r, c, c->waiting->number);
	c->next_number = c->waiting->number;
	take_waiting(r, c);
	connection_set_timer(r, c);
}

static void wait_for_earlier(struct reassembly *r, struct connection *c,
			     const struct record_view *view, struct str bytes,
			     struct record_ref *ref)
{
	struct waiting *waiting = mem_zalloc(sizeof(*waiting) + bytes.len), **at = &c->waiting;

	*waiting = (struct waiting){.ref = ref, .number = view->number, .len = bytes.len};
	memcpy(waiting->bytes, bytes.ptr, bytes.len);
	while (*at && (*at)->number < view->number)
		at = &(*at)->next;
	waiting->next = *at;
	*at = waiting;
	c->bytes += bytes.len;
	r->counts.bytes += bytes.len;
	if (c->bytes > r->options.connection_bytes)
		reassembly_give_up_waiting(r, c);
}

/* Keys of topics from before one key for each connection: connectionId.number. */
static bool may_be_out_of_order(struct str key, struct str connection_id)
{
	return key.len > connection_id.len + 1 && str_starts(key, connection_id) &&
	       key.ptr[connection_id.len] == '.';
}

static void take_in(struct reassembly *r, const struct record_item *item, struct record_view *view,
		    struct record_ref *ref)
{
	struct connection *c = connection_find(r, view->node_id, view->connection_id, true);

	c->partition = item->position.partition;
	if (view->number > 0 && c->begun && view->number < c->next_number) {
		/* Stored twice. */
		record_ref_drop(r, ref);
	} else if (view->number > c->next_number &&
		   may_be_out_of_order(item->key, view->connection_id)) {
		wait_for_earlier(r, c, view, item->bytes, ref);
	} else {
		if (view->number > c->next_number)
			connection_gap(r, c, view->number);
		connection_take(r, c, view, ref);
		take_waiting(r, c);
	}
	if (c->state == CLOSED && !c->waiting && view->last)
		connection_remove(r, c, CAPTURED_COMPLETE, "");
	else
		connection_set_timer(r, c);
}

/* Makes room by ending what was silent for longest. */
static void make_room(struct reassembly *r, size_t more)
{
	struct connection *c;

	while ((r->counts.bytes + more > r->options.total_bytes ||
		r->counts.connections >= r->options.connections) &&
	       (c = any_connection(r)))
		connection_remove(r, c, CAPTURED_EXPIRED, "the memory for all connections is full");
}

int reassembly_add(struct reassembly *r, const struct record_item *item, int64_t now_ms,
		   struct err *err)
{
	struct record_ref *ref;
	struct record_view view;
	struct err reason;

	r->now_ms = now_ms;
	if (r->releasable > 0 && r->counts.bytes + item->bytes.len > r->options.total_bytes) {
		err_set(err, ERR_LIMIT,
			"requests and responses in flight fill their memory (%zu of %zu bytes)",
			r->counts.bytes, r->options.total_bytes);
		if (err)
			err->retry = true;
		return -ERR_LIMIT;
	}
	ref = record_ref_new(item->position);
	if (record_view_open(&view, item->bytes, &reason) < 0) {
		set_aside(r, ref, reason.message);
		return 0;
	}
	if (view.observations > 0)
		r->counts.captured_ms = record_time_ms(view.last_time);
	make_room(r, item->bytes.len);
	take_in(r, item, &view, ref);
	return 0;
}

static void fire(struct reassembly *r, struct connection *c)
{
	if (c->timer == TIMER_REORDER) {
		reassembly_give_up_waiting(r, c);
	} else if (c->timer == TIMER_SETTLE) {
		connection_end_current(r, c, CAPTURED_SETTLED, "");
		connection_set_timer(r, c);
	} else {
		connection_remove(r, c, CAPTURED_SETTLED, "nothing more of it came");
	}
}

int64_t reassembly_tick(struct reassembly *r, int64_t now_ms)
{
	const int64_t waits[TIMERS] = {[TIMER_SETTLE] = r->options.settle_ms,
				       [TIMER_SILENT] = r->options.silent_ms,
				       [TIMER_REORDER] = r->options.reorder_ms};
	int64_t next = -1;

	r->now_ms = now_ms;
	for (size_t i = 0; i < TIMERS; i++) {
		struct connection *c;

		while ((c = r->timers[i].first) && c->since_ms + waits[i] <= now_ms)
			fire(r, c);
		if (c && (next < 0 || c->since_ms + waits[i] < next))
			next = c->since_ms + waits[i];
	}
	return next;
}
