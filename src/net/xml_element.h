/* Elements of the small XML answers of AWS, found by their names. No tree, no attributes. */
#ifndef NET_XML_ELEMENT_H
#define NET_XML_ELEMENT_H

#include "base/arena.h"

/* What is in the first <name>…</name> of `xml`; ptr NULL: there is none. `rest` (unless NULL) gets
 * what follows it. Elements of that name within each other are not told apart. */
struct str xml_element(struct str xml, const char *name, struct str *rest);
/* The text with its references (&amp;, &#x41;) replaced, in the arena; ptr NULL at its ceiling. */
struct str xml_text(struct str text, struct arena *mem);

#endif
