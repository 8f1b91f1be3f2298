/* Base64 with the standard digits and padding. Source: RFC 4648, section 4. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Appends the digits; failure is sticky in `out`. */
void base64_encode(struct buf *out, struct str bytes);
/* Appends the bytes. False when text is no base64; `out` may hold a part then. White space at the
 * end is ignored. */
bool base64_decode(struct buf *out, struct str text);

#endif
