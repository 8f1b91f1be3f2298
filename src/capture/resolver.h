/* Looks up the name of the destination again, each RESOLVE_EVERY_S and after a failure to connect,
 * on a thread of its own, since a look-up may take long. Any thread. */
#ifndef CAPTURE_RESOLVER_H
#define CAPTURE_RESOLVER_H

#include "capture/gate.h"

#define RESOLVE_EVERY_S 30
#define RESOLVE_PAUSE_S 1 /* between two look-ups, at least */

struct resolver;

/* `gate` tells the destination, and outlives the resolver. ERR_NOMEM. */
int resolver_start(struct gate *gate, struct resolver **out, struct err *err);
/* A connection failed: look soon. Does not wait. */
void resolver_hurry(struct resolver *r);
/* Waits for a look-up under way. Accepts NULL. */
void resolver_stop(struct resolver *r);

#endif
