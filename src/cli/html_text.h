/* Texts of strangers within a page of HTML. */
#ifndef CLI_HTML_TEXT_H
#define CLI_HTML_TEXT_H

#include "base/buf.h"

/* Appends it with what HTML would take for markup escaped, control characters as spaces, and a byte
 * of no character as U+FFFD. */
void html_append_escaped(struct buf *out, struct str text);

#endif
