/* Which types of a mapping are known, and how they come back; docs/sourceless.md has
 * the table. */
#ifndef DOCUMENTS_REBUILD_KNOWN_H
#define DOCUMENTS_REBUILD_KNOWN_H

#include "documents/rebuild.h"

#define REBUILD_SEVERAL "of several values order, and duplicates of text, are lost"

struct rebuild_known {
	const char *name;
	enum rebuild_quality quality;
	const char *reason; /* why not exact, or NULL */
};

/* NULL: a type that is not known. */
const struct rebuild_known *rebuild_known_type(struct str type);
/* text, match_only_text */
bool rebuild_is_text(struct str type);
/* Whether an index of synthetic sources keeps values of the type aside that its doc values lose. */
bool rebuild_is_put_aside(struct str type);

#endif
