/* The process that runs a script for one thread: started, spoken to, watched and stopped. */
#ifndef TRANSFORM_SCRIPT_PROCESS_H
#define TRANSFORM_SCRIPT_PROCESS_H

#include "base/buf.h"
#include "transform/script_frame.h"

#include <sys/types.h>

struct script_limits {
	/* For one message: of processor time; of time on the clock, SCRIPT_PATIENCE times that, as
	 * the machine may be busy with something else. */
	int64_t timeout_ms;
	int64_t memory; /* bytes of resident memory */
};

#define SCRIPT_PATIENCE 6

struct script_process {
	pid_t pid; /* 0: none */
	int socket;
	struct script_progress *progress; /* shared with it */
	struct buf out;                   /* frames to be sent */
	size_t sent;                      /* of out */
	struct buf in;                    /* bytes received */
	size_t taken;                     /* of in */
	uint32_t serial;                  /* of the message last seen at work */
	uint32_t messages;                /* answered since its start */
	bool ready;                       /* the script is loaded */
	int64_t since_ms, since_cpu_ms;   /* when that, or nothing, was first seen */
	int64_t measured_ms;              /* when its memory was last looked at */
};

/* Starts the program; ERR_IO or ERR_NOT_FOUND say what is missing. */
int script_process_start(struct script_process *process, struct err *err);
/* Ends it at once and forgets all that was not taken. Accepts one that is not there. */
void script_process_stop(struct script_process *process);
void script_process_release(struct script_process *process);

/* Queues a frame to be sent. */
void script_process_put(struct script_process *process, enum script_frame_kind kind,
			uint32_t message, struct str text);

enum script_event {
	SCRIPT_EVENT_FRAME, /* *frame and *text, which is borrowed until the next call */
	SCRIPT_EVENT_WANTS, /* few bytes are queued: more could be put */
	SCRIPT_EVENT_ENDED, /* it is gone (and *reason says why) */
};

/* Sends and receives until something happens. `more`: SCRIPT_EVENT_WANTS is of interest.
 * A process that is too long at one message or too large is killed; what it had answered before
 * comes first, and then SCRIPT_EVENT_ENDED with its reason: ERR_TIMEOUT, ERR_LIMIT, or ERR_IO if it
 * ended by itself. */
enum script_event script_process_next(struct script_process *process,
				      const struct script_limits *limits, bool more,
				      struct script_frame *frame, struct str *text,
				      struct err *reason);
/* The number of the message it is or was at; -1: none. */
int64_t script_process_busy_with(const struct script_process *process);

#endif
