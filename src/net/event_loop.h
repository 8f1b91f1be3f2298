/* A loop of libevent for one thread. */
#ifndef NET_EVENT_LOOP_H
#define NET_EVENT_LOOP_H

#include "base/err.h"

struct event_base;

/* *base is for event_base_free(). ERR_IO: too few file descriptors are left, for which libevent
 * would end the process by itself. */
int event_loop_new(struct event_base **base, struct err *err);

#endif
