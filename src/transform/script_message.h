/* A document's message as text, with its source in it as it is (a JSON_BINARY in the tree). */
#ifndef TRANSFORM_SCRIPT_MESSAGE_H
#define TRANSFORM_SCRIPT_MESSAGE_H

#include "base/json.h"

/* The source in it; NULL: the message has none, or a tree of one. */
struct json *script_message_source(const struct json *message);
/* Appends it. The source must be JSON. */
void script_message_write(const struct json *message, struct buf *out);
/* What a script returned: an object or an array of objects, in which each "document" that is an
 * object is left as text. The tree points into `text`. */
int script_message_read(struct str text, struct arena *mem, struct json **out, struct err *err);

#endif
