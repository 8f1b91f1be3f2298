/* The session of a transfer: what it is called, where its work items are kept, and what it created.
 * A later run of the same command finds it again by its name. */
#ifndef CLI_TRANSFER_SESSION_H
#define CLI_TRANSFER_SESSION_H

#include "backfill/coordinator.h"
#include "cli/transfer.h"
#include "metadata/index_filter.h"
#include "snapshot/repository.h"
#include "workflow/routes/created_indices.h"

/* What a session is of; all borrowed. */
struct session_of {
	const struct transfer_request *request;
	const struct snapshot *snapshot;
	bool once;                       /* what is read cannot be read again */
	const struct snapshot *previous; /* NULL: all documents */
	enum delta_mode delta_mode;
	const struct index_filter *filter;
	const struct str *target_names; /* of the snapshot's indices, where they are selected */
	const char *target_name;        /* without secrets */
	struct str transformer;         /* its configuration; ptr NULL: none */
	enum target_kind kind;
	bool keeps_places, begun; /* of an export: see struct transfer */
	struct cluster *cluster;  /* the target; NULL: none */
};

struct transfer_session {
	const char *name;
	const char *state_dir;
	struct str fingerprint; /* for coordinator_ops.create */
	struct coordinator *coordinator;
	struct created_indices *ours; /* NULL: the session creates none, or keeps nothing */
	bool lasts;                   /* the next run can go on with it */
};

/* Strings in `mem`. Release it also after a failure. ERR_USAGE: another process is at work on a
 * session that is to be begun anew; an export and its folder do not belong together. */
int transfer_session_open(struct transfer_session *session, const struct session_of *of,
			  struct arena *mem, struct err *err);
void transfer_session_release(struct transfer_session *session);

/* <state_dir>/digests/<session>, in `mem`; NULL when that is full. */
const char *digest_folder_of(const char *state_dir, const char *session, struct arena *mem);

#endif
