/* How far the indices have come that move from one cluster to another, kept in a small file: a run
 * that was killed goes on from there, and what was done can be taken back.
 *
 * {"of": "FROM to TO", "groups": 2, "indices": {"books": {"target": "books", "group": 1, "step":
 * "copied", "block": "put" or "found", "alias": {"name": "a", "before": ["old"]}}}}. What is about
 * to be changed is written before it is, so that no change is unknown. */
#ifndef WORKFLOW_ROUTES_MOVE_RECORD_H
#define WORKFLOW_ROUTES_MOVE_RECORD_H

#include "base/json.h"

/* Of one index, in their order; each is done when it stands here. */
enum move_step {
	MOVE_NONE,   /* not recorded */
	MOVE_BEGUN,  /* nothing is changed yet, or writes are blocked */
	MOVE_COPIED, /* created on the target, documents copied, counts agree */
	MOVE_VERIFIED,
	MOVE_SWAPPED,  /* the alias is on it, where one is asked for */
	MOVE_CUT_OVER, /* clients were changed */
	MOVE_DELETED,  /* on the source: nothing can be taken back */
};
/* "begun", "copied", … */
const char *move_step_name(enum move_step step);

struct move_record {
	const char *path; /* borrowed */
	struct arena mem;
	struct json *root, *indices;
	int lock; /* a descriptor: -1: none is held */
};

/* Reads the file; with `lock` nobody else does until the release. ERR_USAGE: another process
 * moves indices between these clusters, or the file is of something else. */
int move_record_open(const char *path, struct str of, bool lock, struct move_record *out,
		     struct err *err);
void move_record_release(struct move_record *record);
/* For cleanup(). */
static inline void move_record_releasep(struct move_record *record)
{
	move_record_release(record);
}

/* Each that takes an err is durable when it returns. */
/* The number of a new group, which no other ever had. */
int64_t move_record_new_group(struct move_record *record);
int move_record_add(struct move_record *record, struct str index, struct str target, int64_t group,
		    struct err *err);
int move_record_step(struct move_record *record, struct str index, enum move_step step,
		     struct err *err);
/* Writes are about to be blocked; `found`: they were before. */
int move_record_block(struct move_record *record, struct str index, bool found, struct err *err);
/* The alias is about to be swapped; `before`: names of indices that have it. */
int move_record_alias(struct move_record *record, struct str index, struct str alias,
		      const struct json *before, struct err *err);
/* A command is about to change the clients; they may have been, whatever becomes of it. */
int move_record_tell(struct move_record *record, struct str index, struct err *err);
bool move_record_may_be_told(const struct move_record *record, struct str index);
/* It is about to be taken back, and can do nothing else any more. */
int move_record_back_out(struct move_record *record, struct str index, struct err *err);
bool move_record_is_backing_out(const struct move_record *record, struct str index);
int move_record_forget(struct move_record *record, struct str index, struct err *err);

enum move_step move_record_step_of(const struct move_record *record, struct str index);
struct str move_record_target(const struct move_record *record, struct str index);
int64_t move_record_group(const struct move_record *record, struct str index);
/* *known: it was looked at. Whether we put the block there. */
bool move_record_is_blocked(const struct move_record *record, struct str index, bool *known);
/* ptr NULL: none was swapped. */
struct str move_record_alias_of(const struct move_record *record, struct str index,
				const struct json **before);

#endif
