/* One connection: the state machine of reassembly.h. */
#include "traffic/reassembly_internal.h"

#include <stdio.h>
#include <stdlib.h>

static void tell_dropped(struct reassembly *r, const struct connection *c, const char *reason)
{
	r->counts.dropped++;
	if (r->handler.dropped)
		r->handler.dropped(r->handler.user, c->connection_id, c->index, reason);
}

/* The request that is read does not become one. */
static void drop_request(struct reassembly *r, struct connection *c, const char *reason)
{
	struct transaction *t = take(c->current);

	if (c->state != READING || !t)
		BUG("no request to drop");
	tell_dropped(r, c, reason);
	c->bytes -= t->bytes;
	c->state = AWAITING_READ;
	transaction_free(t);
}

static void end_response(struct reassembly *r, struct connection *c, enum captured_end end)
{
	struct transaction *t = take(c->current);

	c->bytes -= t->bytes;
	c->state = AWAITING_READ;
	t->captured.end = end;
	r->counts.responses++;
	r->releasable++;
	if (end == CAPTURED_CUT)
		for (size_t i = 0; i < t->ref_count; i++)
			t->refs[i]->held = true;
	if (r->handler.response)
		r->handler.response(r->handler.user, &t->captured);
}

void connection_end_current(struct reassembly *r, struct connection *c, enum captured_end end,
			    const char *reason)
{
	if (c->state == WRITING) {
		end_response(r, c, end);
	} else if (c->state == READING) {
		if (end == CAPTURED_CUT)
			for (size_t i = 0; i < c->current->ref_count; i++)
				c->current->refs[i]->held = true;
		drop_request(r, c, reason);
	}
}

static void close_connection(struct reassembly *r, struct connection *c, enum captured_end end,
			     const char *reason)
{
	connection_end_current(r, c, end, reason);
	if (c->state != CLOSED && r->handler.closed)
		r->handler.closed(r->handler.user, c->number, c->connection_id);
	c->state = CLOSED;
}

static void add_bytes(struct reassembly *r, struct connection *c, struct captured_message *message,
		      struct record_ref *ref, const struct observation *o)
{
	transaction_append(c->current, message, ref, o->time, o->data);
	c->bytes += o->data.len;
	if (c->bytes <= r->options.connection_bytes)
		return;
	if (c->state == WRITING) {
		end_response(r, c, CAPTURED_EXPIRED);
	} else {
		drop_request(r, c, "it is longer than the memory for one connection");
		c->state = SKIPPING;
		c->index++;
	}
}

static void on_read(struct reassembly *r, struct connection *c, const struct observation *o,
		    struct record_ref *ref)
{
	if (c->state == WRITING)
		end_response(r, c, CAPTURED_COMPLETE);
	if (c->state == AWAITING_READ) {
		c->current = transaction_new(r, c);
		c->state = READING;
	}
	if (c->state == READING)
		add_bytes(r, c, &c->current->captured.request, ref, o);
}

/* An answer may begin before the request ends: 100 Continue, an early refusal. */
static void on_write(struct reassembly *r, struct connection *c, const struct observation *o,
		     struct record_ref *ref)
{
	if (c->state == WRITING || c->state == READING)
		add_bytes(r, c, &c->current->captured.response, ref, o);
}

static void on_end_of_message(struct reassembly *r, struct connection *c,
			      const struct observation *o, struct record_ref *ref)
{
	if (c->state == SKIPPING)
		c->state = AWAITING_READ;
	if (c->state != READING)
		return;
	transaction_needs(c->current, ref);
	c->current->captured.partition = ref->position.partition;
	c->current->early = c->current->captured.response.len;
	c->current->captured.first_line_bytes = o->first_line_bytes;
	c->current->captured.headers_bytes = o->headers_bytes;
	c->state = WRITING;
	c->index++;
	r->counts.requests++;
	r->counts.outstanding++;
	if (r->handler.request)
		r->handler.request(r->handler.user, &c->current->captured);
}

static void on_dropped(struct reassembly *r, struct connection *c)
{
	if (c->state == READING)
		drop_request(r, c, "the capture excluded it");
	/* It was complete, and given out. */
	else if (c->state == WRITING)
		end_response(r, c, CAPTURED_DROPPED);
	if (c->state != SKIPPING)
		return;
	/* It was counted when it was skipped, and the capture does not count it. */
	c->state = AWAITING_READ;
	c->index--;
}

/* Whoever counts what cannot be replayed is to count this as well. */
static void on_gap(struct reassembly *r, struct connection *c, const struct observation *o)
{
	char reason[RECORD_EXCEPTION_MAX + 1];

	snprintf(reason, sizeof(reason), STR_FMT, STR_ARG(o->data));
	tell_dropped(r, c, reason);
}

static void on_exception(struct reassembly *r, struct connection *c, const struct observation *o,
			 const struct record_ref *ref)
{
	struct str text = o->data, over = STR(RECORD_NODE_OVER_PREFIX);

	if (str_starts(text, STR(RECORD_GAP_PREFIX)))
		on_gap(r, c, o);
	/* A node cannot end itself: `c` must stay. */
	if (str_starts(text, over) && !str_eq(str_from_offset(text, over.len), c->node_id))
		reassembly_end_node(r, str_from_offset(text, over.len), ref->position.partition);
	connection_end_current(r, c, CAPTURED_EXCEPTION, "the connection failed within it");
}

static void observe(struct reassembly *r, struct connection *c, const struct observation *o,
		    struct record_ref *ref)
{
	switch (o->kind) {
	case OBSERVATION_READ:
	case OBSERVATION_READ_SEGMENT:
		on_read(r, c, o, ref);
		break;
	case OBSERVATION_WRITE:
	case OBSERVATION_WRITE_SEGMENT:
		on_write(r, c, o, ref);
		break;
	case OBSERVATION_END_OF_MESSAGE:
		on_end_of_message(r, c, o, ref);
		break;
	case OBSERVATION_REQUEST_DROPPED:
		on_dropped(r, c);
		break;
	case OBSERVATION_CLOSE:
	case OBSERVATION_DISCONNECT:
		close_connection(r, c, CAPTURED_COMPLETE, "the connection closed within it");
		break;
	case OBSERVATION_EXCEPTION:
		on_exception(r, c, o, ref);
		break;
	case OBSERVATION_UNKNOWN:
	case OBSERVATION_BIND:
	case OBSERVATION_CONNECT:
	case OBSERVATION_REQUEST_RELEASED:
	case OBSERVATION_SEGMENT_END:
		break;
	}
}

/* Where nothing is known of what came before. */
static void begin_here(struct connection *c, const struct record_view *view)
{
	c->state = view->unterminated_read ? SKIPPING : AWAITING_READ;
	c->index = (int64_t)view->prior_requests + view->unterminated_read;
	c->begun = true;
}

void connection_gap(struct reassembly *r, struct connection *c, int32_t number)
{
	char reason[80];

	if (!c->begun)
		return;
	snprintf(reason, sizeof(reason), "records %d to %d of its connection are missing",
		 c->next_number, number - 1);
	connection_end_current(r, c, CAPTURED_EXPIRED, reason);
	c->begun = false;
}

void connection_take(struct reassembly *r, struct connection *c, struct record_view *view,
		     struct record_ref *ref)
{
	struct observation o;

	if (!c->begun)
		begin_here(c, view);
	c->next_number = view->number < INT32_MAX ? view->number + 1 : view->number;
	while (record_view_next(view, &o))
		observe(r, c, &o, ref);
	if (view->last)
		close_connection(r, c, CAPTURED_COMPLETE, "the connection closed within it");
	record_ref_drop(r, ref);
}

static void unlink_timer(struct reassembly *r, struct connection *c)
{
	struct timer_list *list = &r->timers[c->timer];

	*(c->earlier ? &c->earlier->later : &list->first) = c->later;
	*(c->later ? &c->later->earlier : &list->last) = c->earlier;
}

static void link_timer(struct reassembly *r, struct connection *c, enum timer timer)
{
	struct timer_list *list = &r->timers[timer];

	c->timer = timer;
	c->since_ms = r->now_ms;
	c->later = NULL;
	c->earlier = list->last;
	*(list->last ? &list->last->later : &list->first) = c;
	list->last = c;
}

void connection_set_timer(struct reassembly *r, struct connection *c)
{
	enum timer timer = TIMER_SILENT;

	if (c->waiting)
		timer = TIMER_REORDER;
	else if (c->state == WRITING && c->current->captured.response.len > c->current->early)
		timer = TIMER_SETTLE;
	/* What is missing is waited for from when it was first missed. */
	if (timer == TIMER_REORDER && c->timer == TIMER_REORDER)
		return;
	unlink_timer(r, c);
	link_timer(r, c, timer);
}

static struct connection **bucket_of(struct reassembly *r, uint64_t hash)
{
	return &r->buckets[hash & (r->bucket_count - 1)];
}

static void grow_table(struct reassembly *r)
{
	struct connection **old = r->buckets;
	size_t count = r->bucket_count;

	if (r->counts.connections < count)
		return;
	r->bucket_count = MAX(count * 2, 1024);
	r->buckets = mem_zalloc(r->bucket_count * sizeof(struct connection *));
	for (size_t i = 0; i < count; i++) {
		struct connection *c = old[i], *next;

		for (; c; c = next) {
			struct connection **bucket = bucket_of(r, c->hash);

			next = c->next_in_bucket;
			c->next_in_bucket = *bucket;
			*bucket = c;
		}
	}
	free(old);
}

static struct connection *connection_new(struct reassembly *r, struct str node_id,
					 struct str connection_id, uint64_t hash)
{
	struct connection *c = mem_zalloc(sizeof(*c) + node_id.len + connection_id.len);
	struct connection **bucket;

	if (node_id.len > 0)
		memcpy(c->ids, node_id.ptr, node_id.len);
	memcpy(c->ids + node_id.len, connection_id.ptr, connection_id.len);
	c->node_id = str_of(c->ids, node_id.len);
	c->connection_id = str_of(c->ids + node_id.len, connection_id.len);
	c->hash = hash;
	c->number = r->connections_so_far++;
	c->next_number = 1;
	grow_table(r);
	bucket = bucket_of(r, hash);
	c->next_in_bucket = *bucket;
	*bucket = c;
	r->counts.connections++;
	link_timer(r, c, TIMER_SILENT);
	return c;
}

struct connection *connection_find(struct reassembly *r, struct str node_id,
				   struct str connection_id, bool make)
{
	char ids[2 * RECORD_ID_MAX + 1];
	uint64_t hash;

	/* Ids hold no NUL that would make two pairs of them one text; if they do, they are
	 * compared below. */
	memcpy(ids, connection_id.ptr, connection_id.len);
	ids[connection_id.len] = '\0';
	if (node_id.len > 0)
		memcpy(ids + connection_id.len + 1, node_id.ptr, node_id.len);
	hash = siphash(&r->key, str_of(ids, connection_id.len + 1 + node_id.len)).words[0];
	for (struct connection *c = r->bucket_count ? *bucket_of(r, hash) : NULL; c;
	     c = c->next_in_bucket)
		if (c->hash == hash && str_eq(c->connection_id, connection_id) &&
		    str_eq(c->node_id, node_id))
			return c;
	return make ? connection_new(r, node_id, connection_id, hash) : NULL;
}

void connection_remove(struct reassembly *r, struct connection *c, enum captured_end end,
		       const char *reason)
{
	struct connection **at = bucket_of(r, c->hash);

	close_connection(r, c, end, reason);
	while (c->waiting) {
		struct waiting *waiting = c->waiting;

		c->waiting = waiting->next;
		waiting->ref->held |= end == CAPTURED_CUT;
		if (!waiting->ref->held) {
			r->counts.set_aside++;
			if (r->handler.set_aside)
				r->handler.set_aside(r->handler.user, waiting->ref->position,
						     reason);
		}
		r->counts.bytes -= waiting->len;
		record_ref_drop(r, waiting->ref);
		free(waiting);
	}
	while (*at != c)
		at = &(*at)->next_in_bucket;
	*at = c->next_in_bucket;
	unlink_timer(r, c);
	r->counts.connections--;
	free(c);
}
