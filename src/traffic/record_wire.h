/* The fields of a TrafficStream, and how protobuf writes them. Source: TrafficCaptureStream.proto;
 * https://protobuf.dev/programming-guides/encoding/ */
#ifndef TRAFFIC_RECORD_WIRE_H
#define TRAFFIC_RECORD_WIRE_H

#include "traffic/record.h"

enum stream_field {
	STREAM_CONNECTION_ID = 1,
	STREAM_OBSERVATION = 2,
	STREAM_NUMBER = 3,
	STREAM_LAST_NUMBER = 4,
	STREAM_NODE_ID = 5,
	STREAM_PRIOR_REQUESTS = 6,
	STREAM_UNTERMINATED_READ = 7,
};

enum observation_field {
	FIELD_TIME = 1,
	FIELD_BIND = 2,
	FIELD_CONNECT = 3,
	FIELD_READ = 4,
	FIELD_READ_SEGMENT = 5,
	FIELD_REQUEST_RELEASED = 6,
	FIELD_WRITE = 8,
	FIELD_WRITE_SEGMENT = 9,
	FIELD_DISCONNECT = 10,
	FIELD_CLOSE = 11,
	FIELD_EXCEPTION = 12,
	FIELD_SEGMENT_END = 14,
	FIELD_END_OF_MESSAGE = 15,
	FIELD_REQUEST_DROPPED = 16,
};

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

#define DATA_FIELD 1         /* of a read, a write, an exception */
#define SEGMENT_DATA_FIELD 2 /* of a segment */

static inline size_t varint_size(uint64_t value)
{
	return ((size_t)(63 - __builtin_clzll(value | 1)) * 9 + 73) / 64;
}

/* int32 and int64 alike: negative ones take ten bytes. */
static inline size_t int_size(int64_t value)
{
	return varint_size((uint64_t)value);
}

static inline size_t tag_size(unsigned field)
{
	return varint_size((uint64_t)field << 3);
}

static inline uint8_t *put_varint(uint8_t *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*to++ = (uint8_t)value;
	return to;
}

static inline uint8_t *put_tag(uint8_t *to, unsigned field, enum wire_type type)
{
	return put_varint(to, (uint64_t)field << 3 | type);
}

static inline uint8_t *put_int(uint8_t *to, unsigned field, int64_t value)
{
	return put_varint(put_tag(to, field, WIRE_VARINT), (uint64_t)value);
}

/* A record without bytes; `connection_id` is copied into it. */
struct record *record_new(struct str connection_id);
/* Copies. Memory grows in blocks, so that no byte moves again. */
void record_append(struct record *record, const void *bytes, size_t len);

#endif
