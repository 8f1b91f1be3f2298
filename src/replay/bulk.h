/* A bulk request item by item: only those that failed are sent again, and the answers are put
 * together into one. Source: the bulk API; OpenSearchDefaultRetry of the Java tool for what is
 * final. */
#ifndef REPLAY_BULK_H
#define REPLAY_BULK_H

#include "replay/job.h"

#define ANSWER_TREE_MAX MIB(1024) /* of memory, for an answer that is taken apart */

struct pending_update;

struct bulk_item {
	struct str verb;   /* "index", "create", "update", "delete" */
	struct json *meta; /* the object behind the verb */
	struct str source; /* its line; "" for a delete */
	struct str result; /* JSON of the answer's item; ptr NULL: none yet */
	bool done;
	bool failed;     /* the result is an error */
	bool refused;    /* and says only that the target was busy */
	unsigned broken; /* how often it was an error of the target's own */
	bool versioned;  /* sent with a version: a 409 says that something newer is there */
	struct pending_update *update; /* that waits for its place; NULL */
};

struct bulk {
	struct bulk_item *items;
	size_t count;
	size_t *sent; /* numbers of the items of the request under way */
	size_t sent_count;
	bool changed;    /* what is sent is not what was captured */
	bool is_written; /* the body at hand is that of `sent`, as its items are */
	size_t failing;  /* items of the last answer that another try may mend */
	unsigned answers;
};

/* Takes the body apart into job->bulk, which stays NULL where it is no bulk. */
int bulk_open(struct job *job, struct err *err);
/* It is to be sent, and need not wait. */
bool bulk_item_is_ready(const struct bulk_item *item);
/* Makes job->out.body of the items that are ready. */
int bulk_prepare(struct job *job, struct err *err);
/* Whether something is left that should be sent again. `answer`: head and body. */
bool bulk_take_answer(struct job *job, struct str answer);
/* What failed for good stays as it is. Whether items are left that the target was too busy for. */
bool bulk_keep_refused(struct bulk *bulk);
/* What failed stays as it is. Whether updates are left that wait. */
bool bulk_give_up(struct bulk *bulk);
/* A whole HTTP answer; ptr NULL: the last one is complete in itself. */
struct str bulk_stitched(struct job *job, struct str last);
/* The body of an answer as JSON; NULL: it is none. */
struct json *answer_json(struct str answer, struct arena *mem);
/* {"index":{…}} of an answer's item: the inner object. */
struct json *bulk_result(struct json *item);

#endif
