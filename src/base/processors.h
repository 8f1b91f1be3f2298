/* How many threads can work at once. */
#ifndef BASE_PROCESSORS_H
#define BASE_PROCESSORS_H

#include "base/compiler.h"

/* Processors that this process may use (its affinity counted), at least 1. */
int64_t processors(void);

#endif
