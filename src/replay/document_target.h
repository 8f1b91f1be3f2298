/* Puts together the target (path and query) of a request for one document. */
#ifndef REPLAY_DOCUMENT_TARGET_H
#define REPLAY_DOCUMENT_TARGET_H

#include "replay/job.h"

/* "/index/<endpoint or its type>/id"; `id` (encoded here) where the captured path has none. */
void document_target_append(const struct job *job, struct buf *target, const char *endpoint,
			    struct str id);
/* The captured query without what the source's answer replaces: versions and op_type. */
void document_target_query(struct buf *target, struct str query, struct arena *mem);
/* name=text, or name=number where text is NULL. */
void document_target_add(struct buf *target, const char *name, const char *text, int64_t number);
/* Makes it the job's. 1. */
int document_target_set(struct job *job, struct buf *target, struct err *err);

#endif
