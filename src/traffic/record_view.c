#include "traffic/record_wire.h"

/* One field of a message, whatever its number. */
struct field {
	uint64_t number;
	enum wire_type type;
	uint64_t value;   /* of a varint */
	struct str bytes; /* of WIRE_BYTES */
};

/* 1, 0 at the end; a failed cursor ends as well. */
static int next_field(struct rd *r, struct field *out)
{
	uint64_t tag;

	if (rd_left(r) == 0)
		return 0;
	tag = rd_vlong(r);
	*out = (struct field){.number = tag >> 3, .type = (enum wire_type)(tag & 7)};
	if (out->number == 0 || out->number > UINT32_MAX >> 3)
		r->failed = true;
	switch (out->type) {
	case WIRE_VARINT:
		out->value = rd_vlong(r);
		break;
	case WIRE_FIXED64:
		rd_skip(r, 8);
		break;
	case WIRE_FIXED32:
		rd_skip(r, 4);
		break;
	case WIRE_BYTES: {
		uint64_t len = rd_vlong(r);
		const uint8_t *bytes = len <= rd_left(r) ? rd_bytes(r, (size_t)len) : NULL;

		if (!bytes)
			r->failed = true;
		out->bytes = str_of(bytes, bytes ? (size_t)len : 0);
		break;
	}
	default:
		r->failed = true;
	}
	return !r->failed;
}

static bool read_time(struct str bytes, struct record_time *out)
{
	struct rd r = rd_over(bytes);
	struct field field;

	*out = (struct record_time){0};
	while (next_field(&r, &field)) {
		if (field.number == 1 && field.type == WIRE_VARINT)
			out->seconds = (int64_t)field.value;
		else if (field.number == 2 && field.type == WIRE_VARINT)
			out->nanos = (int32_t)field.value;
	}
	return !r.failed;
}

static enum observation_kind kind_of(uint64_t field)
{
	static const enum observation_kind kinds[] = {
		[FIELD_BIND] = OBSERVATION_BIND,
		[FIELD_CONNECT] = OBSERVATION_CONNECT,
		[FIELD_READ] = OBSERVATION_READ,
		[FIELD_READ_SEGMENT] = OBSERVATION_READ_SEGMENT,
		[FIELD_REQUEST_RELEASED] = OBSERVATION_REQUEST_RELEASED,
		[FIELD_WRITE] = OBSERVATION_WRITE,
		[FIELD_WRITE_SEGMENT] = OBSERVATION_WRITE_SEGMENT,
		[FIELD_DISCONNECT] = OBSERVATION_DISCONNECT,
		[FIELD_CLOSE] = OBSERVATION_CLOSE,
		[FIELD_EXCEPTION] = OBSERVATION_EXCEPTION,
		[FIELD_SEGMENT_END] = OBSERVATION_SEGMENT_END,
		[FIELD_END_OF_MESSAGE] = OBSERVATION_END_OF_MESSAGE,
		[FIELD_REQUEST_DROPPED] = OBSERVATION_REQUEST_DROPPED,
	};

	return field < COUNT_OF(kinds) ? kinds[field] : OBSERVATION_UNKNOWN;
}

const char *observation_kind_name(enum observation_kind kind)
{
	static const char *const names[] = {
		[OBSERVATION_UNKNOWN] = "unknown",
		[OBSERVATION_BIND] = "bind",
		[OBSERVATION_CONNECT] = "connect",
		[OBSERVATION_READ] = "read",
		[OBSERVATION_READ_SEGMENT] = "readSegment",
		[OBSERVATION_REQUEST_RELEASED] = "requestReleasedDownstream",
		[OBSERVATION_WRITE] = "write",
		[OBSERVATION_WRITE_SEGMENT] = "writeSegment",
		[OBSERVATION_DISCONNECT] = "disconnect",
		[OBSERVATION_CLOSE] = "close",
		[OBSERVATION_EXCEPTION] = "connectionException",
		[OBSERVATION_SEGMENT_END] = "segmentEnd",
		[OBSERVATION_END_OF_MESSAGE] = "endOfMessageIndicator",
		[OBSERVATION_REQUEST_DROPPED] = "requestDropped",
	};

	return (size_t)kind < COUNT_OF(names) ? names[kind] : "unknown";
}

/* What is inside of an observation's one payload: every kind's fields, told apart by the kind. */
static bool read_payload(struct str bytes, struct observation *out)
{
	bool segment =
		out->kind == OBSERVATION_READ_SEGMENT || out->kind == OBSERVATION_WRITE_SEGMENT;
	struct rd r = rd_over(bytes);
	struct field field;

	while (next_field(&r, &field)) {
		if (field.type == WIRE_BYTES &&
		    field.number == (segment ? SEGMENT_DATA_FIELD : DATA_FIELD))
			out->data = field.bytes;
		if (field.type != WIRE_VARINT)
			continue;
		if (out->kind == OBSERVATION_END_OF_MESSAGE && field.number == 1)
			out->first_line_bytes = (int32_t)field.value;
		else if (out->kind == OBSERVATION_END_OF_MESSAGE && field.number == 2)
			out->headers_bytes = (int32_t)field.value;
		else if (out->kind == OBSERVATION_REQUEST_RELEASED && field.number == 1)
			out->timed_out = field.value != 0;
	}
	return !r.failed;
}

static bool read_observation(struct str bytes, struct observation *out)
{
	struct rd r = rd_over(bytes);
	struct field field;

	*out = (struct observation){.first_line_bytes = RECORD_UNKNOWN,
				    .headers_bytes = RECORD_UNKNOWN};
	while (next_field(&r, &field)) {
		if (field.type != WIRE_BYTES)
			continue;
		if (field.number == FIELD_TIME) {
			if (!read_time(field.bytes, &out->time))
				return false;
			continue;
		}
		if (kind_of(field.number) == OBSERVATION_UNKNOWN)
			continue;
		out->kind = kind_of(field.number);
		out->data = STR_NONE;
		if (!read_payload(field.bytes, out))
			return false;
	}
	return !r.failed;
}

static void read_stream_number(struct record_view *out, const struct field *field)
{
	switch (field->number) {
	case STREAM_NUMBER:
	case STREAM_LAST_NUMBER:
		out->number = (int32_t)field->value;
		out->last = field->number == STREAM_LAST_NUMBER;
		break;
	case STREAM_PRIOR_REQUESTS:
		out->prior_requests = (int32_t)field->value;
		out->has_prior_requests = true;
		break;
	case STREAM_UNTERMINATED_READ:
		out->unterminated_read = field->value != 0;
		break;
	default:
		break;
	}
}

static bool read_stream_bytes(struct record_view *out, const struct field *field)
{
	struct observation observation;

	switch (field->number) {
	case STREAM_CONNECTION_ID:
		out->connection_id = field->bytes;
		return true;
	case STREAM_NODE_ID:
		out->node_id = field->bytes;
		return true;
	case STREAM_OBSERVATION:
		if (!read_observation(field->bytes, &observation))
			return false;
		if (out->observations++ == 0)
			out->time = observation.time;
		out->last_time = observation.time;
		return true;
	default:
		return true;
	}
}

/* True when all of it is fields; what is known of them goes to *out. */
static bool read_stream(struct record_view *out, struct str bytes)
{
	struct rd r = rd_over(bytes);
	struct field field;

	*out = (struct record_view){.cursor = rd_over(bytes)};
	while (next_field(&r, &field)) {
		if (field.type == WIRE_VARINT)
			read_stream_number(out, &field);
		else if (field.type == WIRE_BYTES && !read_stream_bytes(out, &field))
			return false;
	}
	return !r.failed;
}

/* A connection id is printable. Where another message lies in its place, or the whole is one field
 * that no TrafficStream can do with alone, the bytes are those of the envelope. */
static bool is_envelope(struct str bytes)
{
	struct rd r = rd_over(bytes);
	struct field field, inner;
	size_t fields = 0;
	bool message = false;

	while (next_field(&r, &field)) {
		struct rd within = rd_over(field.bytes);

		if (++fields > 1)
			return false;
		message = field.type == WIRE_BYTES && field.bytes.len > 0 &&
			  (uint8_t)field.bytes.ptr[0] < 0x20;
		while (message && next_field(&within, &inner))
			;
		message = message && !within.failed;
	}
	return fields == 1 && message && !r.failed;
}

int record_view_open(struct record_view *out, struct str bytes, struct err *err)
{
	struct record_view view;

	if (bytes.len > RECORD_LIMIT_DECODED)
		return err_set(err, ERR_LIMIT,
			       "a record of %zu bytes is longer than the limit of %zu bytes",
			       bytes.len, RECORD_LIMIT_DECODED);
	if (is_envelope(bytes))
		return err_set(
			err, ERR_UNSUPPORTED,
			"this record is a CaptureRecord, the envelope of a later version of "
			"the Java capture proxy, and not a TrafficStream: it cannot be read "
			"yet; capture with the version before it, or with shardlift capture");
	if (!read_stream(&view, bytes))
		return err_set(err, ERR_FORMAT,
			       "the record is no TrafficStream: damaged or truncated (%zu bytes)",
			       bytes.len);
	if (view.connection_id.len == 0 || view.connection_id.len > RECORD_ID_MAX ||
	    view.node_id.len > RECORD_ID_MAX)
		return err_set(err, ERR_FORMAT,
			       "the record is no TrafficStream: its connection id has %zu bytes, "
			       "its node id %zu (1 to %d, 0 to %d)",
			       view.connection_id.len, view.node_id.len, RECORD_ID_MAX,
			       RECORD_ID_MAX);
	*out = view;
	return 0;
}

int record_view_next(struct record_view *view, struct observation *out)
{
	struct field field;

	while (next_field(&view->cursor, &field)) {
		if (field.type != WIRE_BYTES || field.number != STREAM_OBSERVATION)
			continue;
		if (!read_observation(field.bytes, out))
			BUG("an observation that record_view_open had checked");
		return 1;
	}
	return 0;
}
