/* UTF-8 to the UTF-16 of the engine and back, several times as fast as its own conversion where
 * most characters are ASCII. */
#ifndef SCRIPT_PROGRAM_TEXT16_H
#define SCRIPT_PROGRAM_TEXT16_H

#include "base/buf.h"

/* Writes the code units of `text` to `out`, which has room for text.len of them; returns their
 * number. What is no UTF-8 becomes U+FFFD. */
size_t text16_from_utf8(struct str text, uint16_t *out);
/* Appends as UTF-8. A lone surrogate becomes U+FFFD. */
void text16_to_utf8(struct buf *out, const uint16_t *units, size_t count);

#endif
