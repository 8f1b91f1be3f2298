/* Heads of requests that are changed on their way: what is recorded, what is sent on. */
#ifndef CAPTURE_REWRITE_H
#define CAPTURE_REWRITE_H

#include "base/buf.h"

struct set_header {
	const char *name, *value;
};

/* Appends `head` without Upgrade and HTTP2-Settings, and with each header of `set` instead of those
 * of its name, behind the first line. */
void rewrite_head(struct str head, const struct set_header *set, size_t count, struct buf *out);
/* Appends `head` with the values of those headers replaced that hold credentials. */
void redact_head(struct str head, struct buf *out);

#endif
