/* SIGINT and SIGTERM: the first asks the run to end in order, the second ends it at once. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include "base/compiler.h"

#include <stdatomic.h>

/* From now on the signals set the flag returned. Commands that do not call it simply end. */
atomic_bool *interrupt_catch(void);

#endif
