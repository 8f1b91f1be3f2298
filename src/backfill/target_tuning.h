/* Settings of the target's indices for the time of a load: refresh_interval -1, and
 * number_of_replicas 0 on the indices that the run created itself; or, for the time of a replay,
 * gc_deletes of 30 days: what was deleted stays known to be newer than what comes late. The old
 * values are on disk (tuning_file.h) before anything is changed, and put back at the end; after a
 * crash by the next run of the session or by `shardlift restore-settings`.
 *
 * A value that somebody else changed meanwhile is left as it is. Left alone from the beginning:
 * names that stand for several indices (data streams with more than one backing index, aliases),
 * indices that are not there yet, replicas under auto_expand_replicas, OpenSearch Serverless. Of
 * several processes with one state directory the last one puts the values back; of several hosts
 * the coordinator lets one tune, which keeps the old values there too (struct tuning_share). */
#ifndef BACKFILL_TARGET_TUNING_H
#define BACKFILL_TARGET_TUNING_H

#include "cluster/cluster.h"

/* Old values where the session's other hosts find them: the text of a tuning file. */
struct tuning_share {
	struct str saved; /* ptr NULL: none yet */
	/* Durable before anything is changed. */
	int (*publish)(void *user, struct str saved, struct err *err);
	void *user;
};

/* Where the old values are kept, and whose they are. Borrowed. */
struct tuning_place {
	const char *state_dir, *session;
	const char *target;               /* its URL without secrets */
	const struct tuning_share *share; /* NULL: the state directory is the only place */
};

struct tuned_index {
	struct str name;   /* on the target */
	bool created;      /* by this run */
	bool keep_deletes; /* gc_deletes alone is changed */
};

struct tuning_report {
	size_t tuned;      /* indices that are tuned now */
	size_t left_alone; /* that were refused or are several */
	size_t restored;
	size_t kept;      /* not put back: still on disk */
	bool busy;        /* another process works with them and puts them back at its end */
	char reason[400]; /* of the last that was left alone or kept; may be empty */
};

struct target_tuning;

/* Saves and changes. `cluster` is borrowed until the end, and used only within these calls. An
 * index that cannot be tuned is told in the report; negative when the target or the disk cannot be
 * used, or the session's file is of another target (ERR_USAGE): what was saved stays saved. *out
 * NULL: nothing to put back. */
int target_tuning_begin(struct cluster *cluster, const struct tuning_place *place,
			const struct tuned_index *indices, size_t count, struct target_tuning **out,
			struct tuning_report *report, struct err *err);
/* More indices, as in target_tuning_begin. */
int target_tuning_add(struct target_tuning *tuning, const struct tuned_index *indices, size_t count,
		      struct tuning_report *report, struct err *err);
/* Puts everything back and frees. Accepts NULL. What is refused is told in the report and stays on
 * disk. */
int target_tuning_end(struct target_tuning *tuning, struct tuning_report *report, struct err *err);
/* Frees and leaves everything as it is; what is saved stays on disk. Accepts NULL. */
void target_tuning_abandon(struct target_tuning *tuning);
/* Puts back what an earlier run of this session left, here or in place->share. */
int target_tuning_restore(struct cluster *cluster, const struct tuning_place *place,
			  struct tuning_report *report, struct err *err);

#endif
