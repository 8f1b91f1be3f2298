/* The settings that a session changed on its target, on disk until they are put back:
 * <state>/tuning/<session>.json, {"target": "https://…", "indices": {"books":
 * {"refresh_interval": "5s", "number_of_replicas": "1"}}}; so is gc_deletes. A member is there when
 * the setting was changed; null stands for the default. Beside it <session>.lock, by which the
 * processes of a session know of one another. */
#ifndef BACKFILL_TUNING_FILE_H
#define BACKFILL_TUNING_FILE_H

#include "base/json.h"

struct tuning_file {
	struct arena mem;
	char *folder, *session;
	struct json *root; /* in mem; has an object "indices" */
	int lock_fd;       /* its locks end with the process; -1: not open */
};

/* Opens the session's lock, waits until no other process is beginning or ending, and reads what
 * there is; an empty root where there is nothing. */
int tuning_file_open(struct tuning_file *file, const char *state_dir, const char *session,
		     struct err *err);
/* Ends the locks; accepts one that was never opened. */
void tuning_file_release(struct tuning_file *file);
/* Makes what `root` says durable; a root without indices removes the file. */
int tuning_file_write(struct tuning_file *file, struct err *err);
/* This process works with the settings from now on, and lets others begin. */
int tuning_file_share(struct tuning_file *file, struct err *err);
/* Waits for its turn, as open does, and reads the file anew. 1: no other process works with the
 * settings; 0: one does. */
int tuning_file_leave(struct tuning_file *file, struct err *err);

/* The sessions that have such a file, in the arena. */
int tuning_file_sessions(const char *state_dir, struct arena *mem, struct str **out, size_t *count,
			 struct err *err);
/* Reads the file of a session without locking anything; NULL in *out: it has none. */
int tuning_file_peek(const char *state_dir, const char *session, struct arena *mem,
		     struct json **out, struct err *err);

#endif
