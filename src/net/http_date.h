/* Dates in the header fields of HTTP, and what they tell of a server's clock. */
#ifndef NET_HTTP_DATE_H
#define NET_HTTP_DATE_H

#include "base/compiler.h"

/* A clock that is this far off makes servers refuse what we sign. */
#define HTTP_DATE_SKEW_MS (4 * 60 * 1000)

/* "Sun, 22 Nov 2026 03:00:00 GMT" in milliseconds since 1970; -1: NULL, or no date. */
int64_t http_date_ms(const char *text);
/* "Sun, 22 Nov 2026 03:00:00 GMT" into text (30 bytes with its NUL). */
void http_date_format(int64_t wall_ms, char text[static 30]);
/* Whether the server's Date says that its clock and that of this machine are far apart. */
bool http_date_is_skewed(const char *date);

#endif
