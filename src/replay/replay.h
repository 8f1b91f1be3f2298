/* Sends captured requests to the target: when they are due, in the order of their connection, each
 * connection on one of its own, and writes a tuple of each. A record is committed when the tuples
 * of all that was in it are durable. One thread, an event loop. */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include "base/duration_tally.h"
#include "replay/filter.h"
#include "replay/job.h"
#include "replay/target.h"
#include "traffic/record_source.h"
#include "traffic/tuple_sink.h"

#include <stdatomic.h>

enum { REPLAY_METHODS = 8, REPLAY_CLASSES = 6 }; /* class 0: no answer */

/* How long things took that are not the target's; of this process's clock, but for those that say
 * otherwise. */
struct replay_times {
	struct duration_tally records;      /* from reading one until nothing of it is needed */
	struct duration_tally streams;      /* captured connections, from first to last request */
	struct duration_tally requests;     /* of the capture: from first to last byte */
	struct duration_tally responses;    /* likewise */
	struct duration_tally transactions; /* from reading a request until its tuple is durable */
	struct duration_tally scheduled;    /* from reading a request until it is first sent */
	struct duration_tally target_transactions; /* from there to its last answer */
	struct duration_tally comparing;           /* making and writing tuples */
	struct duration_tally reading;             /* asking the source for a record */
	struct duration_tally blocked;             /* times in which nothing was read: enough was */
	struct duration_tally commits;
	uint64_t request_bytes, sent_bytes, body_bytes; /* captured; first sent; bodies of these */
	uint64_t pieces, parts;                         /* of captured requests; of those sent */
};

struct replay_counts {
	uint64_t records_read, bytes_read, records_set_aside;
	uint64_t requests, requests_filtered, requests_dropped, requests_skipped;
	uint64_t answered;    /* requests with a last answer */
	uint64_t outstanding; /* read and not answered yet */
	uint64_t in_flight, connections, target_connections;
	uint64_t captured_bytes;  /* of requests and responses in memory; lookahead_bytes at most */
	uint64_t updates_waiting; /* for what comes before them */
	uint64_t tuples, tuples_durable, tuples_untransformed;
	uint64_t statuses_equal, statuses_different;
	uint64_t auth_failures, connect_failures, given_up;
	int64_t schedule_lag_ms; /* how late the last request went out */
	int64_t source_lag_ms;   /* captured time of the last request sent, behind now */
	uint64_t next_offset;    /* the record to be read next */
	bool caught_up;          /* the source had nothing more at the last look */
	char waits_for[600];     /* the request that is held up for longest, for held_up_ms at
				    least, and by what; "": none is */
	int64_t waits_since_ms;  /* wall clock; with waits_for */
	struct job_counts job;
	struct target_counts target;
	struct replay_times times;
	uint64_t compared[REPLAY_METHODS][REPLAY_CLASSES][REPLAY_CLASSES][2]; /* requests by method,
				class of the source's and of the target's status, and whether the
				statuses are one */
};
/* "GET" …; the last is "other". */
const char *replay_method_name(size_t method);

struct replay_options {
	struct record_source *source;      /* borrowed, as all */
	uint64_t first_offset;             /* of the first record that will be read */
	struct tuple_sink *sink;           /* NULL: no tuples */
	struct transform *tuple_transform; /* each tuple passes through it; NULL: none */
	const struct filter *filter;
	struct job_rules rules; /* host, prefix, cursors and deletes are filled in by replay_run */
	struct http_options target;
	double speedup;
	bool no_spread; /* requests whose parts came over a while go out at once */
	int64_t lookahead_ms;
	int64_t gap_ms; /* a silence at the source is waited for as if it were as long at most; 0:
			   as long as it was */
	size_t lookahead_bytes;
	size_t most_requests;   /* in flight at a time */
	double most_per_second; /* requests sent; 0: any number */
	int64_t settle_ms, silent_ms, grace_ms, retry_ms;
	int64_t quiescent_ms;   /* a connection that is begun in its middle waits as long: another
				   replayer may have had a request of it under way */
	int64_t held_up_ms;     /* before a request's wait is told; 0: a minute */
	int64_t update_wait_ms; /* how long an update whose place is not there yet waits, once no
				   request read is left that could bring it */
	/* A backfill of the same documents: while it works updates wait for what it brings, and
	 * by-query requests for its end. NULL: there is none. */
	const atomic_bool *backfill_works;
	bool keep_auth, stop_on_auth_failure;
	bool tuple_spans; /* first_byte_ms and last_byte_ms in the responses of tuples */
	const atomic_bool *stop;
	/* Each second and at the end, from the loop. */
	void (*report)(void *user, const struct replay_counts *counts);
	/* A record that cannot be read. */
	void (*set_aside)(void *user, struct record_position position, const char *reason);
	void *user;
	/* The line of each tuple, with spans, before tuple_transform, also without a sink. From the
	 * loop. */
	void (*tuple)(void *user, struct str line);
	void *tuple_user;
};

/* Until the source ends: 0; ERR_CANCELLED: stopped, what is not committed is replayed by the next
 * run; ERR_AUTH: the target refuses what the source took; ERR_UNREACHABLE: no connection to the
 * target for retry_ms; ERR_IO: tuples cannot be written. *counts is filled in any case. */
int replay_run(const struct replay_options *options, struct replay_counts *counts, struct err *err);

#endif
