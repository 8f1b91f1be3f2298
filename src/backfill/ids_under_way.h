/* Which documents may be in a bulk that is not answered yet. */
#ifndef BACKFILL_IDS_UNDER_WAY_H
#define BACKFILL_IDS_UNDER_WAY_H

#include "base/str.h"

struct ids_under_way {
	uint64_t *slots; /* hashes; 0: free */
	size_t count;
};

/* False: it may be among them already, or there is no room; nothing is added. */
bool ids_under_way_add(struct ids_under_way *ids, struct str index, struct str id);
void ids_under_way_clear(struct ids_under_way *ids);
void ids_under_way_release(struct ids_under_way *ids);

#endif
