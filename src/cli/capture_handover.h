/* Listening sockets from elsewhere: of systemd (LISTEN_FDS), or of the proxy that runs now, which
 * starts its successor and ends. Between the two there is a socket: the successor writes a byte
 * when its settings are found good, and reads the end when the old one has gone. */
#ifndef CLI_CAPTURE_HANDOVER_H
#define CLI_CAPTURE_HANDOVER_H

#include "capture/proxy.h"

struct handed_over {
	int fds[PROXY_LISTENERS_MAX];
	size_t count; /* 0: nothing was handed over */
	int before;   /* the socket to the proxy that runs; -1: none does */
};

/* What the environment tells; takes it out of there. ERR_USAGE: it tells of sockets that are
 * none. */
int handed_over_read(struct handed_over *out, struct err *err);
/* Says that this one is ready, and waits until the one before has ended. `signals` is readable
 * when this one is to end: ERR_CANCELLED. */
int handed_over_wait(struct handed_over *handed, int signals, struct err *err);

struct handover {
	int fd; /* the socket to the successor; -1: there is none */
	pid_t pid;
};

/* Starts this program's file anew with the same arguments and these sockets. ERR_IO. */
int handover_start(const int *fds, size_t count, struct handover *out, struct err *err);
/* Ends it, or takes in that it has ended. */
void handover_cancel(struct handover *handover);

enum handover_news {
	HANDOVER_NONE,
	HANDOVER_READY, /* the successor waits for our end */
	HANDOVER_FAILED /* it has ended; its own lines say why */
};
/* After `fd` became readable. */
enum handover_news handover_look(int fd);

#endif
