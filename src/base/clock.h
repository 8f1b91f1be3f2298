/* Clocks: monotonic for durations, wall for what people read. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/compiler.h"

/* Milliseconds since some fixed point; never goes back. */
int64_t clock_monotonic_ms(void);
/* The same clock in microseconds. */
int64_t clock_monotonic_us(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);
/* "2026-11-21T10:24:00.123Z" into text (25 bytes with its NUL). */
void clock_format_utc(int64_t wall_ms, char text[static 25]);

#endif
