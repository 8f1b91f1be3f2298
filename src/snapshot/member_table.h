/* The members of a JSON object, sorted by name, for objects too large to look through each time. */
#ifndef SNAPSHOT_MEMBER_TABLE_H
#define SNAPSHOT_MEMBER_TABLE_H

#include "base/json.h"

struct member_table {
	struct json **members;
	size_t count;
};

/* Of NULL or no object: an empty table. The table is in `mem` and points into the object. */
int member_table_build(const struct json *object, struct arena *mem, struct member_table *out,
		       struct err *err);
/* The member of that name, or NULL. */
struct json *member_table_get(const struct member_table *table, struct str name);

#endif
