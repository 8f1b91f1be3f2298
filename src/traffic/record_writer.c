#include "traffic/record_wire.h"

#include <stdlib.h>

/* Tags, lengths and times before the payload of one observation, and all of one without any. */
enum { HEAD_MAX = 96 };

struct record_writer {
	char *node_id, *connection_id; /* owned */
	struct str node, connection;
	size_t limit;
	int32_t requests, records; /* complete ones so far */
	bool request_open;         /* read, and no end of message yet */
	bool finished;
	struct record *open;
	struct record *taken_first, **taken_end; /* finished ones */
};

struct record_writer *record_writer_new(struct str node_id, struct str connection_id, size_t limit)
{
	struct record_writer *w = mem_zalloc(sizeof(*w));

	if (node_id.len == 0 || node_id.len > RECORD_ID_MAX || connection_id.len == 0 ||
	    connection_id.len > RECORD_ID_MAX || limit < RECORD_LIMIT_MIN)
		BUG("ids or limit of a record writer");
	w->node_id = str_dup(node_id);
	w->connection_id = str_dup(connection_id);
	w->node = str_of(w->node_id, node_id.len);
	w->connection = str_of(w->connection_id, connection_id.len);
	w->limit = limit;
	w->taken_end = &w->taken_first;
	return w;
}

void record_writer_free(struct record_writer *w)
{
	struct record *record;

	if (!w)
		return;
	while ((record = record_writer_take(w)))
		record_free(record);
	record_free(w->open);
	free(w->node_id);
	free(w->connection_id);
	free(w);
}

struct record *record_writer_take(struct record_writer *w)
{
	struct record *record = w->taken_first;

	if (record) {
		w->taken_first = record->next;
		record->next = NULL;
		if (!w->taken_first)
			w->taken_end = &w->taken_first;
	}
	return record;
}

bool record_writer_pending_since(const struct record_writer *w, struct record_time *out)
{
	if (w->open)
		*out = w->open->started;
	return w->open != NULL;
}

static uint8_t *put_id(uint8_t *to, unsigned field, struct str id)
{
	to = put_varint(put_tag(to, field, WIRE_BYTES), id.len);
	memcpy(to, id.ptr, id.len);
	return to + id.len;
}

static struct record *open_record(struct record_writer *w, struct record_time time)
{
	uint8_t head[2 * RECORD_ID_MAX + HEAD_MAX], *end = head;

	if (w->finished)
		BUG("an observation after the last record of its connection");
	if (w->open)
		return w->open;
	w->open = record_new(w->connection);
	w->open->started = w->open->time = time;
	end = put_id(end, STREAM_CONNECTION_ID, w->connection);
	end = put_id(end, STREAM_NODE_ID, w->node);
	if (w->requests > 0)
		end = put_int(end, STREAM_PRIOR_REQUESTS, w->requests);
	if (w->request_open)
		end = put_int(end, STREAM_UNTERMINATED_READ, 1);
	record_append(w->open, head, (size_t)(end - head));
	return w->open;
}

static void finish_record(struct record_writer *w, bool last)
{
	struct record *record = take(w->open);
	uint8_t index[HEAD_MAX], *end;

	record->number = ++w->records;
	record->last = last;
	end = put_int(index, last ? STREAM_LAST_NUMBER : STREAM_NUMBER, record->number);
	record_append(record, index, (size_t)(end - index));
	*w->taken_end = record;
	w->taken_end = &record->next;
}

void record_writer_flush(struct record_writer *w)
{
	if (w->open)
		finish_record(w, false);
}

void record_writer_finish(struct record_writer *w)
{
	open_record(w, record_time_now());
	finish_record(w, true);
	w->finished = true;
}

/* The sizes below are the Java writer's estimates, some of them too large on purpose: where it cuts
 * is where we cut. */
static size_t index_size(int32_t number)
{
	return tag_size(STREAM_LAST_NUMBER) + int_size(number);
}

static size_t space_left(struct record_writer *w, struct record_time time)
{
	size_t used = open_record(w, time)->bytes + index_size(w->records + 1);

	return used < w->limit ? w->limit - used : 0;
}

static void flush_if_needed(struct record_writer *w, struct record_time time, size_t needed)
{
	if (space_left(w, time) < needed)
		record_writer_flush(w);
}

static size_t time_size(struct record_time time)
{
	size_t nanos = time.nanos == 0 ? 0 : 1 + int_size(time.nanos);

	return 1 + int_size(time.seconds) + nanos;
}

static size_t observation_size(size_t content, int32_t number)
{
	return tag_size(STREAM_OBSERVATION) + varint_size(content) + content + index_size(number);
}

static uint8_t *put_time(uint8_t *to, struct record_time time)
{
	to = put_varint(put_tag(to, FIELD_TIME, WIRE_BYTES), time_size(time));
	to = put_int(to, 1, time.seconds);
	return time.nanos == 0 ? to : put_int(to, 2, time.nanos);
}

/* Its tags up to the field's, whose length and content, `rest` bytes, the caller puts behind. */
static uint8_t *begin_observation(struct record_writer *w, uint8_t *to, struct record_time time,
				  enum observation_field field, size_t rest)
{
	size_t content = 2 + time_size(time) + tag_size(field) + rest;

	flush_if_needed(w, time, observation_size(content, w->records + 1));
	open_record(w, time)->time = time;
	to = put_varint(put_tag(to, STREAM_OBSERVATION, WIRE_BYTES), content);
	return put_tag(put_time(to, time), field, WIRE_BYTES);
}

static void add_empty(struct record_writer *w, struct record_time time,
		      enum observation_field field)
{
	uint8_t head[HEAD_MAX], *end = begin_observation(w, head, time, field, 1);

	*end++ = 0;
	record_append(w->open, head, (size_t)(end - head));
}

static void add_bytes(struct record_writer *w, struct record_time time,
		      enum observation_field field, unsigned data_field, struct str bytes)
{
	size_t data = bytes.len == 0 ? 0 : 1 + varint_size(bytes.len) + bytes.len;
	uint8_t head[HEAD_MAX], *end;

	end = begin_observation(w, head, time, field, varint_size(data) + data);
	end = put_varint(end, data);
	if (bytes.len > 0)
		end = put_varint(put_tag(end, data_field, WIRE_BYTES), bytes.len);
	record_append(w->open, head, (size_t)(end - head));
	record_append(w->open, bytes.ptr, bytes.len);
	if (field == FIELD_READ || field == FIELD_READ_SEGMENT)
		w->request_open = true;
}

/* What a segment needs besides the data and the data's length. */
static size_t segment_overhead(struct record_time time, enum observation_field field, size_t len)
{
	size_t data = 1 + varint_size(len) + len;
	size_t content = 2 + time_size(time) + tag_size(field) + varint_size(data) + data;

	return observation_size(content, INT32_MAX) - (varint_size(len) + len);
}

static void add_segments(struct record_writer *w, struct record_time time,
			 enum observation_field field, struct str bytes, size_t overhead)
{
	while (bytes.len > 0) {
		size_t space = space_left(w, time) - overhead;
		size_t len = MIN(space - varint_size(space), bytes.len);

		add_bytes(w, time, field, SEGMENT_DATA_FIELD, str_of(bytes.ptr, len));
		bytes = str_from_offset(bytes, len);
		if (bytes.len > 0)
			flush_if_needed(w, time, overhead + 2);
	}
	add_empty(w, time, FIELD_SEGMENT_END);
}

static void add_data(struct record_writer *w, struct record_time time, enum observation_field field,
		     enum observation_field segment, struct str bytes)
{
	size_t overhead = segment_overhead(time, segment, bytes.len);

	flush_if_needed(w, time, overhead + 2);
	if (bytes.len == 0 || overhead + varint_size(bytes.len) + bytes.len <= space_left(w, time))
		add_bytes(w, time, field, DATA_FIELD, bytes);
	else
		add_segments(w, time, segment, bytes, overhead);
}

void record_writer_read(struct record_writer *w, struct record_time time, struct str bytes)
{
	add_data(w, time, FIELD_READ, FIELD_READ_SEGMENT, bytes);
}

void record_writer_write(struct record_writer *w, struct record_time time, struct str bytes)
{
	add_data(w, time, FIELD_WRITE, FIELD_WRITE_SEGMENT, bytes);
}

void record_writer_end_of_message(struct record_writer *w, struct record_time time,
				  int32_t first_line_bytes, int32_t headers_bytes)
{
	size_t lengths = 2 + int_size(first_line_bytes) + int_size(headers_bytes);
	uint8_t head[HEAD_MAX], *end;

	end = begin_observation(w, head, time, FIELD_END_OF_MESSAGE,
				varint_size(lengths) + lengths);
	end = put_varint(end, lengths);
	end = put_int(put_int(end, 1, first_line_bytes), 2, headers_bytes);
	record_append(w->open, head, (size_t)(end - head));
	w->request_open = false;
	w->requests++;
}

void record_writer_request_dropped(struct record_writer *w, struct record_time time)
{
	add_empty(w, time, FIELD_REQUEST_DROPPED);
	w->request_open = false;
}

void record_writer_close(struct record_writer *w, struct record_time time)
{
	add_empty(w, time, FIELD_CLOSE);
}

void record_writer_exception(struct record_writer *w, struct record_time time, struct str message)
{
	message.len = MIN(message.len, RECORD_EXCEPTION_MAX);
	add_bytes(w, time, FIELD_EXCEPTION, DATA_FIELD, message);
}

void record_writer_close_again(struct record_writer *w)
{
	w->finished = false;
	record_writer_close(w, record_time_now());
	record_writer_finish(w);
}
