/* Updates among the other writes of their document. An update goes out when the document on the
 * target has the version before its own, bound to that state (if_seq_no); it is left out when the
 * target is there already. Else what comes before it is still on its way, by another connection or
 * a backfill, and it is asked for again as long as the caller says that it may come.
 *
 * Two questions: _mget for the versions; where the document is not there, a delete with version 0
 * (external_gte), which changes nothing and is refused, naming its version, by the tombstone of a
 * document that was deleted. Where a script made the document, the delete has the version before,
 * and is done: the document was deleted by then. Source: VersionType.EXTERNAL_GTE of Elasticsearch
 * and OpenSearch. */
#ifndef REPLAY_UPDATES_H
#define REPLAY_UPDATES_H

#include "replay/job.h"

#define UPDATES_CONFLICTS 20 /* how often another writer may come between question and update */

struct bulk_item;

struct pending_update {
	struct bulk_item *item; /* NULL: the request is this update */
	struct str index, type, id, routing;
	struct str home;  /* the index by the captured answer; "": it does not tell */
	int64_t captured; /* the version that it made at the source */
	bool made;        /* by a script, where no document was */
	bool open;        /* to be asked for */
	bool absent;      /* whether it was deleted is the next question */
	bool bound;       /* goes with if_seq_no */
	bool given_up;    /* goes without what comes before it */
	bool follows;     /* set likewise to job.may_wait: a request under way has an earlier update
			     of the document, so this one does not give up; only looked for where
			     it would */
	bool in_vain;     /* set likewise: nothing brings it, whatever job.may_wait says, since a
			     later update of the document found so */
	unsigned conflicts;
	int64_t deleted; /* the version of its delete, by the last question of one that gives up;
			    0: it was not told */
};

/* `update`: copied; slices outlive the job. At most one for each item of a bulk. */
int updates_add(struct job *job, const struct pending_update *update, struct err *err);
/* Whether `other` has an update, not sent yet, of the document of `update`, and from before it. */
bool updates_are_before(const struct job *other, const struct pending_update *update);
/* … from behind it. */
bool updates_are_behind(const struct job *other, const struct pending_update *update);
bool updates_want_probe(const struct job *job);
int updates_write_probe(struct job *job, struct buf *out, struct err *err);
enum job_verdict updates_take_probe(struct job *job, int status, struct str answer);
/* They were sent, and what became of them is not known: those that nothing binds to a state of
 * their document (if_seq_no) would be done twice. */
void updates_ask_again(struct job *job);
/* An update's own answer. True: it is asked for again. *lost: there was nothing to update, to the
 * last. */
bool updates_take_answer(struct job *job, struct pending_update *update, int status, bool *lost);

#endif
