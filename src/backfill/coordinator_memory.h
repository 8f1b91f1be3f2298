/* A coordinator for one process whose work nobody continues: targets that have no state. */
#ifndef BACKFILL_COORDINATOR_MEMORY_H
#define BACKFILL_COORDINATOR_MEMORY_H

#include "backfill/coordinator.h"

/* Forgets all when it is closed. `max_failures` as in coordinator_options. */
struct coordinator *coordinator_memory_new(int32_t max_failures);
/* As if all who hold a lease had died. */
void coordinator_memory_expire(struct coordinator *c);

#endif
