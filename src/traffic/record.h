/* TrafficStream records: what was read from and written to one client connection, in order, cut
 * into pieces of bounded size.
 *
 * Source: TrafficCaptureStream.proto and StreamChannelConnectionCaptureSerializer of the Java tool;
 * docs/formats/traffic-records.md has the fields and the rules of cutting. A record_writer gives
 * byte for byte what that serializer gives for the same observations. */
#ifndef TRAFFIC_RECORD_H
#define TRAFFIC_RECORD_H

#include "base/err.h"
#include "base/limits.h"
#include "base/rd.h"
#include "base/str.h"

#include <sys/uio.h>

/* 1 MiB less the room that the Java proxy leaves for what Kafka adds. */
#define RECORD_LIMIT_DEFAULT (MIB(1) - 500)
#define RECORD_LIMIT_MIN 2048        /* least limit of a writer, bytes */
#define RECORD_LIMIT_DECODED MIB(64) /* a longer record is refused */
#define RECORD_ID_MAX 255            /* bytes of a connection id or node id */
#define RECORD_EXCEPTION_MAX 512     /* bytes of a message; what is longer is cut */
/* An exception whose message begins so is no failed connection: requests went on unrecorded. */
#define RECORD_GAP_PREFIX "shardlift gap: "
/* One whose message is this and a node id: that process is over, and so are all connections of it
 * in this partition. */
#define RECORD_NODE_OVER_PREFIX "shardlift end of node: "
#define RECORD_UNKNOWN (-1) /* a length that the end of a message does not tell */

/* Since 1970-01-01T00:00:00Z; nanos from 0 to 999999999. */
struct record_time {
	int64_t seconds;
	int32_t nanos;
};

/* CLOCK_REALTIME, but never earlier than a time it gave before: where that clock is set back, this
 * one goes on from where it was until the process ends, for what is captured later must not seem to
 * be before what was captured. Thread-safe. */
struct record_time record_time_now(void);
int64_t record_time_ms(struct record_time time);
/* Microseconds, of INT64_MAX / 4 at most, so that two may be added and subtracted. */
int64_t record_time_us(struct record_time time);

/* --- Writing --- */

/* A finished record. Its bytes lie in `iov`, in order; owned by whoever took it. */
struct record {
	struct record *next; /* the owner's, for a list */
	struct iovec *iov;
	size_t iov_count;
	size_t bytes;               /* sum of iov */
	struct str connection_id;   /* the key to store it by; lives as long as the record */
	int32_t number;             /* in its connection, from 1 */
	bool last;                  /* of its connection */
	struct record_time time;    /* of its last observation; of its making when it has none */
	struct record_time started; /* of its first */
};

/* A record of bytes that are encoded already, copied, as all of `key`. */
struct record *record_from_bytes(struct str key, struct str bytes);
/* Accepts NULL. */
void record_free(struct record *record);
/* One memcpy, to where record->bytes bytes fit. */
void record_copy(const struct record *record, void *to);

/* Encodes the observations of one connection. Not thread-safe; holds memory for the record that is
 * open, in blocks that grow with it, and nearly none while no record is. Each byte of payload is
 * copied once. Finished records queue in the writer until record_writer_take: take after each call,
 * since one call finishes as many as its bytes need. */
struct record_writer;

/* Copies the ids (1 to RECORD_ID_MAX bytes, ours, so that others are BUGs). `limit`: bytes that no
 * record exceeds, at least RECORD_LIMIT_MIN. */
struct record_writer *record_writer_new(struct str node_id, struct str connection_id, size_t limit);
/* What is not taken is lost. Accepts NULL. */
void record_writer_free(struct record_writer *w);

/* Bytes from the client, to the client. Too many for what is left of the record, they become
 * segments, a record each, and an end of segments. May be empty. */
void record_writer_read(struct record_writer *w, struct record_time time, struct str bytes);
void record_writer_write(struct record_writer *w, struct record_time time, struct str bytes);
/* A request is complete. `time` is that of its last read. Lengths: of the request line, and of all
 * header lines together, without line ends; or RECORD_UNKNOWN. */
void record_writer_end_of_message(struct record_writer *w, struct record_time time,
				  int32_t first_line_bytes, int32_t headers_bytes);
/* What was read of this request does not count, nor does its answer. */
void record_writer_request_dropped(struct record_writer *w, struct record_time time);
void record_writer_close(struct record_writer *w, struct record_time time);
void record_writer_exception(struct record_writer *w, struct record_time time, struct str message);
/* Finishes the open record; nothing when none is open. */
void record_writer_flush(struct record_writer *w);
/* Finishes the last record of the connection, an empty one when none is open. Only take and free
 * may follow. */
void record_writer_finish(struct record_writer *w);

/* After record_writer_finish: another last record, with nothing but a close, for the one that was
 * lost. */
void record_writer_close_again(struct record_writer *w);

/* The oldest finished record, the caller's; NULL: none. */
struct record *record_writer_take(struct record_writer *w);
/* When the first observation of the open record was. False: none is open. */
bool record_writer_pending_since(const struct record_writer *w, struct record_time *out);

/* --- Reading --- */

enum observation_kind {
	OBSERVATION_UNKNOWN, /* a field of a later version */
	OBSERVATION_BIND,
	OBSERVATION_CONNECT,
	OBSERVATION_READ,
	OBSERVATION_READ_SEGMENT,
	OBSERVATION_REQUEST_RELEASED,
	OBSERVATION_WRITE,
	OBSERVATION_WRITE_SEGMENT,
	OBSERVATION_DISCONNECT,
	OBSERVATION_CLOSE,
	OBSERVATION_EXCEPTION,
	OBSERVATION_SEGMENT_END,
	OBSERVATION_END_OF_MESSAGE,
	OBSERVATION_REQUEST_DROPPED,
};

/* As in the schema: "readSegment". */
const char *observation_kind_name(enum observation_kind kind);

struct observation {
	enum observation_kind kind;
	struct record_time time;
	struct str data;          /* reads, writes, their segments; an exception's message */
	int32_t first_line_bytes; /* end of message; RECORD_UNKNOWN when absent */
	int32_t headers_bytes;
	bool timed_out; /* request released */
};

/* A decoded record: slices into the bytes it was opened over, nothing to release. */
struct record_view {
	struct str connection_id, node_id; /* "" when absent */
	int32_t number;                    /* 0 when absent */
	bool last;                         /* `number` is that of the last record */
	bool has_prior_requests;
	int32_t prior_requests;  /* requests complete before this record */
	bool unterminated_read;  /* the record before ended within a request */
	size_t observations;     /* how many record_view_next will give */
	struct record_time time; /* of the first observation; 0 without one */
	struct record_time last_time;
	struct rd cursor; /* record_view_next's */
};

/* Checks the whole record, observations included, so that record_view_next never fails: ERR_FORMAT
 * for bytes that are no TrafficStream, ERR_UNSUPPORTED for a CaptureRecord (the envelope that later
 * versions of the Java proxy put around it), ERR_LIMIT above RECORD_LIMIT_DECODED. Unknown fields
 * are skipped. `bytes` are borrowed for as long as the view is used. */
int record_view_open(struct record_view *out, struct str bytes, struct err *err);
/* 1, 0 at the end. */
int record_view_next(struct record_view *view, struct observation *out);

#endif
