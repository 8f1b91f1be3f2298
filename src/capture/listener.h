/* The sockets that a proxy listens on: its own, or such as it was handed. */
#ifndef CAPTURE_LISTENER_H
#define CAPTURE_LISTENER_H

#include "capture/proxy.h"

/* The socket of loop `number`, from 0: a handed one (the loops beyond share them), else a new one
 * on `port` (0: any). The caller's. ERR_USAGE: no address; ERR_IO. */
int listener_for(const struct proxy_options *options, size_t number, uint16_t port,
		 struct err *err);
/* 0: it has none. */
uint16_t listener_port(int fd);
/* Whether it is a stream socket that listens. */
bool listener_is_one(int fd);

#endif
