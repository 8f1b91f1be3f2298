/* The _reindex tasks of a session, kept in a small file, so that a later run finds them again.
 *
 * {"of": "what the session is of", "indices": {"books": {"task": "node:12"} or {"begun": true} or
 * {"documents": 290, "sent": 290, "superseded": 0}}}: what runs, what may have been started just
 * before the run was killed, and what is done. */
#ifndef WORKFLOW_ROUTES_REINDEX_TASKS_H
#define WORKFLOW_ROUTES_REINDEX_TASKS_H

#include "base/json.h"

struct reindex_tasks {
	const char *path; /* borrowed */
	struct arena mem;
	struct json *root, *indices;
	bool resumed; /* the file was there */
};

struct reindex_done {
	uint64_t documents, sent, superseded;
};

/* ERR_USAGE when the file is of something else than `of`. */
int reindex_tasks_open(const char *path, struct str of, struct reindex_tasks *out, struct err *err);
void reindex_tasks_release(struct reindex_tasks *tasks);

/* Each is durable when it returns. */
int reindex_tasks_begin(struct reindex_tasks *tasks, struct str index, struct err *err);
int reindex_tasks_started(struct reindex_tasks *tasks, struct str index, struct str task,
			  struct err *err);
int reindex_tasks_finish(struct reindex_tasks *tasks, struct str index,
			 const struct reindex_done *done, struct err *err);
int reindex_tasks_forget(struct reindex_tasks *tasks, struct str index, struct err *err);

/* ptr NULL: none is known. */
struct str reindex_tasks_id(const struct reindex_tasks *tasks, struct str index);
bool reindex_tasks_may_run(const struct reindex_tasks *tasks, struct str index);
bool reindex_tasks_is_done(const struct reindex_tasks *tasks, struct str index,
			   struct reindex_done *out);

#endif
