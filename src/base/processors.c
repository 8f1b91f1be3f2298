#include "base/processors.h"

#include <sched.h>

int64_t processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? MAX(CPU_COUNT(&set), 1) : 1;
}
