/* Members of a document that is being rebuilt, by the path of their field. */
#ifndef DOCUMENTS_REBUILD_PATH_H
#define DOCUMENTS_REBUILD_PATH_H

#include "base/json.h"

/* Where the path leads nowhere new: the member is there, dotted or not, or an array is in the way,
 * which could hold it in each of its objects. */
bool rebuild_has_path(const struct json *object, struct str path);
/* The object at the end of the path, made where there is none. NULL: what stands there is none. */
struct json *rebuild_object_at(struct json *object, struct str path, struct arena *mem);
/* Where a value is in the way, the rest of the path becomes one name with dots. */
void rebuild_set_path(struct json *object, struct str path, struct json *value, struct arena *mem);
/* Beside what a member has already: both become elements of one array, those of arrays too. */
void rebuild_add(struct json *object, struct str name, struct json *value, struct arena *mem);
/* The same at the end of a path. */
bool rebuild_add_path(struct json *object, struct str path, struct json *value, struct arena *mem);

#endif
