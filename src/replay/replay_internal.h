/* Inside replay: streams (captured connections) with their exchanges (requests), in which state
 * each is, and who waits for what. For the files of replay that name one of these. */
#ifndef REPLAY_REPLAY_INTERNAL_H
#define REPLAY_REPLAY_INTERNAL_H

#include "replay/replay.h"
#include "replay/schedule.h"
#include "traffic/reassembly.h"
#include "traffic/tuple.h"

#include <sys/queue.h>

/*  QUEUED -> (due, source's answer, barrier, slot) -> SENDING <-> RESTING -> ANSWERED -> SETTLED */
enum exchange_state {
	EXCHANGE_QUEUED,
	EXCHANGE_SOURCE, /* waits for the captured response */
	EXCHANGE_PARKED, /* behind a barrier, or is one */
	EXCHANGE_READY,  /* waits for one of the requests in flight to end */
	EXCHANGE_SENDING,
	EXCHANGE_RESTING,  /* until it is sent again */
	EXCHANGE_DECIDING, /* the captured response says whether it is */
	EXCHANGE_ANSWERED, /* the captured response is still open */
	EXCHANGE_WRITTEN,
};

struct stream;

struct exchange {
	TAILQ_ENTRY(exchange) queue; /* of its stream, until it is answered */
	TAILQ_ENTRY(exchange) link;  /* of ready, parked, waiting, unsettled or written */
	TAILQ_ENTRY(exchange) barrier;
	struct stream *stream;
	struct captured_transaction *transaction;
	enum exchange_state state;
	struct arena mem;
	struct job job;
	bool has_job, source_complete, planned, silent; /* silent: no tuple */
	bool writes, is_barrier;
	bool is_refused;    /* by the last answer to itself, a busy target's */
	bool waits;         /* for what comes before its updates */
	bool nothing_comes; /* any more, by the last look, that could be before its updates */
	/* Not in milliseconds: of two connections that end one request and begin the next within
	 * the same, each would have to wait for what is behind the other. */
	int64_t captured_us;
	int64_t ended_us; /* of the captured response, as far as it is known; 0: not at all */
	int64_t due_ms, first_failure_ms;
	int64_t head_ms;                /* since when nothing of its stream is before it */
	int64_t read_us, first_sent_us; /* first_sent_us 0: nothing was */
	int64_t waits_ms;               /* since when; 0: never */
	double slot_ms;      /* when it may be sent, at most_per_second; 0: it has none */
	const char *skipped; /* why nothing was sent */
	struct str sent;     /* the last request, owned */
	size_t seen;         /* bytes of the captured response at the last look */
	struct tuple_part only_answer, *answers; /* answers: that, or JOB_ATTEMPTS_MOST in mem */
	size_t answer_count, errors;
	unsigned rests;
	uint64_t tuple; /* its number in the sink */
};
TAILQ_HEAD(exchange_list, exchange);

struct stream {
	TAILQ_ENTRY(stream) link;
	struct stream *same_bucket;
	struct replay *replay;
	uint64_t connection;
	struct exchange_list queue;
	struct target_connection *target; /* NULL until something is sent */
	struct event *timer;
	int64_t captured_us; /* of its last request */
	int64_t opened_us;
	bool closed; /* no more requests come */
};
TAILQ_HEAD(stream_list, stream);

enum { STREAM_BUCKETS = 4096 };

struct replay {
	const struct replay_options *options;
	struct job_rules rules;
	struct event_base *base;
	struct event *pump, *tick;
	struct target *target;
	struct reassembly *reassembly;
	struct schedule schedule;
	struct stream_list streams;
	struct stream *buckets[STREAM_BUCKETS]; /* by connection */
	struct exchange_list ready, parked, waiting, unsettled, written;
	struct exchange_list barriers; /* by-query requests that are not done */
	struct replay_counts counts;
	struct buf leaving;      /* uint32_t: partitions that another replayer goes on with */
	struct record_item held; /* a record that does not fit yet */
	struct buf held_bytes, line;
	struct buf outgoing; /* the request that is written at the moment */
	struct arena scratch;
	bool backfill_worked;  /* at the last look */
	bool may_await_source; /* something began to wait for it since the last look */
	bool awaits_source;    /* what some request needs is in records that are not read yet */
	bool has_held, ended, stopping, closing;
	int64_t heard_ms, ticked_ms, committed_ms, reported_ms, grace_end_ms;
	int64_t read_captured_ms;
	int64_t awaits_records_ms; /* when some update was last found to need records not read yet
				    */
	double next_slot_ms;
	int64_t blocked_us;     /* since when nothing is read; 0: it is */
	unsigned auth_failures; /* in a row */
	struct err failed;
};

static inline bool wants_tuples(const struct replay_options *options)
{
	return options->sink || options->tuple;
}

void replay_fail(struct replay *r, const struct err *err);

/* waits.c */
/* Fills counts.waits_for. */
void replay_describe_wait(struct replay *r);

/* leave.c */
/* The partition is another replayer's: drops what was not begun of it. */
void replay_leave(struct replay *r, uint32_t partition);
/* Lets those go of which nothing is under way. */
void replay_look_at_leaving(struct replay *r);

/* stream.c */
void stream_add(struct replay *r, struct captured_transaction *transaction);
void connection_stream_close(struct replay *r, uint64_t connection);
/* The head of its queue has ended: goes on with the next. */
void stream_next(struct stream *stream);
void stream_rest(struct stream *stream, int64_t ms);
void streams_free(struct replay *r);

/* exchange.c */
void exchange_open(struct exchange *ex);
/* The timer of its stream. */
void exchange_wake(struct exchange *ex);
void exchange_free(struct exchange *ex);

/* exchange_settle.c */
struct str exchange_request(const struct exchange *ex);
void exchange_source_complete(struct exchange *ex);
/* The whole response may be there long before the connection tells that it was all. */
bool exchange_source_is_whole(struct exchange *ex);
void exchange_take_source(struct exchange *ex);
void exchanges_look_for_sources(struct replay *r);
/* Both answers are there: nothing but the tuple's durability is waited for. */
void exchange_settle(struct exchange *ex);
void exchange_forget_bodies(struct exchange *ex);

/* order.c */
void order_add(struct exchange *ex);
void order_remove(struct exchange *ex);
/* True: it is parked now, until a by-query request or a backfill is done. */
bool order_parks(struct exchange *ex);
/* What comes before its updates is not there: until order_wake. */
void order_wait(struct exchange *ex);
void order_wake(struct exchange *ex);
/* Whether it may still come. */
bool order_may_wait(struct exchange *ex);
/* A write that it waits for; NULL: there is none. */
const struct exchange *order_awaited(const struct exchange *ex);
bool order_awaits_backfill(const struct exchange *ex);
/* Each tick. */
void order_look(struct replay *r);

#endif
