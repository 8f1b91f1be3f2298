/* What a user wants of a backfill that is running: `backfill pause|resume|rate` write it to
 * <state>/work/<session>.control, every process of that session polls it.
 *
 * One JSON object; members that are absent (or null) leave to each run what its own flags say:
 * {"paused": true, "documents_per_second": 500, "bytes_per_second": 0}, 0 for no limit. It outlives
 * the processes: who starts a paused session again finds it paused. */
#ifndef BACKFILL_CONTROL_H
#define BACKFILL_CONTROL_H

#include "backfill/pressure.h"

#define CONTROL_UNSAID (-1)

struct control_wish {
	bool paused;
	int64_t documents_per_second, bytes_per_second; /* CONTROL_UNSAID: as its flags say */
};

/* What is wished now; nothing at all where there is no file. ERR_FORMAT names the file. */
int control_read(const char *state_dir, const char *session, struct control_wish *out,
		 struct err *err);
/* Replaces the file, so that a reader finds the old wish or the new one. */
int control_write(const char *state_dir, const char *session, const struct control_wish *wish,
		  struct err *err);

/* One process's view of it. One thread. */
struct control;

/* `options`: what its flags say. */
struct control *control_new(const char *state_dir, const char *session,
			    const struct pressure_options *options);
/* Accepts NULL. */
void control_free(struct control *control);
/* Looks whether there is a new wish, once a second at most however often it is called, and passes
 * it on. What cannot be read is logged once and changes nothing. */
void control_poll(struct control *control, struct pressure *pressure);
/* Looks at once. */
void control_look(struct control *control, struct pressure *pressure);
/* The session is finished: the wish goes with it. */
int control_forget(const char *state_dir, const char *session, struct err *err);

#endif
