/* What the program and its script process say to each other over a socket: frames of this machine's
 * byte order, a header and `length` bytes. The program sends START once and then MESSAGEs; every
 * MESSAGE is answered in its order by one RESULT or FAILED, START by READY or FAILED. LOGs come in
 * between. */
#ifndef TRANSFORM_SCRIPT_FRAME_H
#define TRANSFORM_SCRIPT_FRAME_H

#include <stdatomic.h>
#include <stdint.h>

enum script_frame_kind {
	SCRIPT_START,   /* name NUL script NUL {"bindings":{…},"list":bool} */
	SCRIPT_READY,   /* nothing */
	SCRIPT_MESSAGE, /* JSON */
	SCRIPT_RESULT,  /* JSON: an object, or an array of any other number than one */
	SCRIPT_FAILED,  /* text: why */
	SCRIPT_LOG,     /* text: a line of console.log */
};

struct script_frame {
	uint32_t length; /* of what follows, bytes */
	uint32_t kind;
	uint32_t message; /* its number in the batch */
};

/* A frame's bytes, at most. */
#define SCRIPT_FRAME_MAX ((uint32_t)1 << 30)

/* Where the two agree on their descriptors. */
#define SCRIPT_SOCKET 0
#define SCRIPT_PROGRESS 1 /* a shared page: struct script_progress */

/* What the process is at, so that it can be named after it was stopped. */
struct script_progress {
	_Atomic uint32_t serial;    /* changes with each message */
	_Atomic uint32_t busy_with; /* number of the message + 1; 0: none */
};

#endif
