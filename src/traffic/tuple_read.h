/* Tuples read back: what was asked of the source and of the target, and what both answered, one
 * JSON object a line, plain or gzip.
 *
 * Source: the Java replayer's tuple files, of today (`payload` with one of five members) and of
 * before (`body`, base64). Other members of a line are passed over. */
#ifndef TRAFFIC_TUPLE_READ_H
#define TRAFFIC_TUPLE_READ_H

#include "base/json.h"

#define TUPLE_LINE_MAX MIB(64)

enum tuple_body {
	TUPLE_BODY_NONE, /* none, or an empty one */
	TUPLE_BODY_JSON, /* json; of several lines an array of them (`lines`) */
	TUPLE_BODY_BYTES,
};

/* One request or response. */
struct tuple_message {
	const struct json *object; /* as in the line; NULL: there is none */
	struct str exception;      /* why it could not be put together; len 0: it could */
	struct str method, uri;    /* of a request */
	int status;                /* of a response; 0: none */
	int64_t response_us;       /* how long it took; -1: unknown */
	bool has_spans;            /* from the request's last byte to the response's */
	int64_t first_us, last_us; /* first (-1: unknown) and last */
	enum tuple_body body;
	bool lines; /* json is the array of the documents of an ndjson body */
	const struct json *json;
	struct str bytes;
};

struct tuple {
	struct tuple_message source_request, source_response, target_request;
	struct tuple_message *target_responses; /* one an attempt */
	size_t target_response_count;
	struct str connection_id; /* "<connection>.<number>" */
	struct str error;         /* len 0: none */
	int64_t requests, errors;
};

/* Reads one line. Everything in *out lives as long as `line` and `mem`. ERR_FORMAT for what is no
 * tuple, ERR_LIMIT when the arena is full. */
int tuple_parse(struct str line, struct arena *mem, struct tuple *out, struct err *err);
/* The response that counts: that of the last attempt; NULL: no attempt was answered. */
const struct tuple_message *tuple_target_response(const struct tuple *tuple);

/* The tuples of files, one after another. */
struct tuple_reader;

enum tuple_read {
	TUPLE_READ_END,
	TUPLE_READ_TUPLE,
	TUPLE_READ_DAMAGED, /* *err says which line of which file, and why; reading goes on */
};

/* Each path is a file or a folder; of a folder everything below it is read, by name, but for names
 * that begin with a dot. ERR_NOT_FOUND names the path that is not there, or that there is no file
 * at all. */
int tuple_reader_open(const char *const *paths, size_t count, struct tuple_reader **out,
		      struct err *err);
/* Accepts NULL. */
void tuple_reader_close(struct tuple_reader *reader);
void tuple_reader_closep(struct tuple_reader **reader);
/* The next line that is not blank. The tuple lives until the next call, and as long as `mem`. */
enum tuple_read tuple_reader_next(struct tuple_reader *reader, struct arena *mem, struct tuple *out,
				  struct err *err);
size_t tuple_reader_files(const struct tuple_reader *reader);

#endif
