/* One request until its last answer: what is sent first, and after each answer whether it was the
 * last, and what is sent next. Knows nothing of time or connections. */
#ifndef REPLAY_JOB_H
#define REPLAY_JOB_H

#include "replay/operation.h"
#include "replay/outgoing.h"

#define JOB_ATTEMPTS 4 /* in all, as the Java replayer */
#define JOB_ATTEMPTS_MOST 24

struct cursors;
struct deletes;

struct job_rules {
	struct outgoing_rules outgoing;
	struct transform *transform; /* NULL: none */
	struct cursors *cursors;     /* NULL: requests that name one are not sent */
	struct deletes *deletes;     /* NULL: not watched */
	bool source_versions;
	bool waits_for_credentials;     /* a write with versions is not done with a 401 */
	const char *const *final_types; /* item errors of a bulk that another try cannot mend */
	size_t final_type_count;
	unsigned attempts; /* 0: JOB_ATTEMPTS */
};

struct job_counts {
	uint64_t retried, skipped_refused, skipped_unchanged, skipped_newer, skipped_cursor,
		conflicts_newer;
	uint64_t deletes_forgotten; /* at the source, by when their ids came back */
	uint64_t updates_lost;      /* nothing to update was there, to the last */
	uint64_t bulk_items_resent, updates_out_of_order, transform_failed, ids_taken, ids_derived;
	struct transform_counts transform;
};

struct bulk;
struct pending_update;

struct job {
	const struct job_rules *rules;
	struct job_counts *counts;
	struct arena *mem;
	struct outgoing out;
	struct operation operation;
	bool head_only;
	bool has_source; /* `source` is the captured response, parsed and decoded */
	struct http_message source;
	struct str identity; /* of node, connection and request, for ids that are derived */
	bool dropped;        /* by a transformer */
	bool planned;
	bool names_cursor;   /* of the source's scrolls or points in time */
	bool probing;        /* the request under way asks for versions, or refreshes */
	struct str refresh;  /* target of the request that comes first; ptr NULL: none (any more) */
	unsigned refreshes;  /* that a busy target did not do */
	bool probed;         /* the next request is not to be another question */
	bool refused;        /* the last answer was that of a busy target: however often */
	unsigned sent;       /* answers and failures so far, without probes */
	unsigned unanswered; /* ends without an answer since the last one */
	unsigned probes;
	bool asks_deleted;   /* the next question, or the one under way, is for tombstones */
	bool is_overwritten; /* set likewise: a later request makes the update's document anew */
	bool may_wait;       /* set before each answer to a question: what comes before an update
				may still come */
	bool is_in;          /* the update, by what the target said */
	bool is_lost;        /* there is nothing to update */
	const struct json *seen;        /* within an answer: the document that the update goes out
	bound to; NULL */
	struct pending_update *updates; /* in mem */
	size_t update_count;
	struct bulk *bulk; /* in mem; NULL */
	int last_status;   /* -1: the answer at hand waits for the captured response */
	int deciding_status;
};

enum job_verdict {
	JOB_FINAL,      /* that was the last answer */
	JOB_AGAIN,      /* after a wait */
	JOB_NEXT,       /* at once: job_write has the next request */
	JOB_ASK_SOURCE, /* the source's answer decides: job_source, then job_decide again */
};

/* `bytes`: the captured request. ERR_FORMAT: it is no HTTP. Failed transforms are counted, and the
 * request goes as it is. */
int job_open(struct job *job, const struct job_rules *rules, struct job_counts *counts,
	     struct str bytes, struct str identity, struct arena *mem, struct err *err);
/* Whether the captured response must be known before anything is sent. */
bool job_needs_source(const struct job *job);
/* The captured response; empty: there is none. Borrowed. */
void job_source(struct job *job, struct str bytes);
/* Before the first job_write: 1; 0: nothing is to be sent, *why says so. */
int job_plan(struct job *job, const char **why, struct err *err);
/* Appends the request to send. */
int job_write(struct job *job, struct buf *out, struct err *err);
/* After an answer (status 0: there was none, and sending again may repeat what was done). */
enum job_verdict job_decide(struct job *job, int status, struct str answer, bool source_is_known);
/* The request under way never went out: a question for versions is as not asked. */
void job_not_sent(struct job *job);
/* The answer that stands for all of them, where a bulk was sent in parts; ptr NULL: the last. */
struct str job_stitched(struct job *job, struct str last);

#endif
