/* The thread of an event loop. */
#ifndef CAPTURE_LOOP_H
#define CAPTURE_LOOP_H

#include "capture/connection_internal.h"

/* Takes listen_fd. ERR_NOMEM, ERR_IO. */
int loop_start(struct loop *loop, struct proxy *proxy, int listen_fd, struct err *err);
/* Looks again at everything: gate, drain, stop. Any thread. */
void loop_wake(struct loop *loop);
/* After proxy->stopping was set: waits for its end and frees. */
void loop_stop(struct loop *loop);

#endif
