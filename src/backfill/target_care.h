/* All that a run does for its target beside sending documents: checks before the first, settings
 * tuned and put back, the wait for a full disk, ids that the target must make. One call at each
 * point of a run. Logs what a user should know. */
#ifndef BACKFILL_TARGET_CARE_H
#define BACKFILL_TARGET_CARE_H

#include "backfill/coordinator.h"
#include "backfill/pressure.h"
#include "backfill/target_check.h"

struct target_care_options {
	const char *state_dir, *session;
	const char *target; /* its URL without secrets */
	bool tune;          /* false: settings that an earlier run left are put back, no more */
	bool allow_missing; /* indices that the target makes itself */
	struct coordinator *coordinator; /* lets one of several hosts tune; NULL: this one does */
	int64_t pause_ms;                /* how long a red index or a full disk is waited for */
};

struct target_care;

/* Watches `cluster` from here on, and the clones made after it. Both are borrowed, also the
 * strings. */
struct target_care *target_care_new(struct cluster *cluster,
				    const struct target_care_options *options);
/* After the senders have ended. Accepts NULL. */
void target_care_free(struct target_care *care);
/* Refusals halve this one's bulks in flight at once; NULL: no longer. From any thread. */
void target_care_press(struct target_care *care, struct pressure *pressure);
/* Before the first document. `created` tells for each of `indices` whether this run made it (NULL:
 * none). As target_check, and what target_tuning_begin says. Accepts NULL. */
int target_care_begin(struct target_care *care, const struct snapshot *snapshot,
		      const struct backfill_index *indices, const bool *created, size_t count,
		      const atomic_bool *cancel, struct err *err);
/* After the last document, whatever the run came to (`ended_by` NULL: well). Puts settings back,
 * unless the target is out of reach: then they stay on disk, and the log says so. `all_done`: no
 * worker of the session has anything left to do, so that what another host tuned and has not put
 * back is put back as well. Never an error of its own: the run's counts. Accepts NULL. */
void target_care_end(struct target_care *care, bool all_done, const struct err *ended_by);

enum generated_ids { GENERATED_IDS_AUTO, GENERATED_IDS_ALWAYS, GENERATED_IDS_NEVER };
/* Whether documents go without their ids. AUTO: where the target is a Serverless collection that
 * takes none. Logs what that means. */
int target_generates_ids(struct cluster *cluster, enum generated_ids mode, bool *out,
			 struct err *err);

#endif
