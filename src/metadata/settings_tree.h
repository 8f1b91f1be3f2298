/* Settings of an index in one form: a tree without "index.". */
#ifndef METADATA_SETTINGS_TREE_H
#define METADATA_SETTINGS_TREE_H

#include "base/json.h"

/* Out of flat dotted keys, trees, or both mixed; "index." before them or not. A name that has a
 * value and names below it (index.knn, index.knn.space_type) stays flat. Objects whose keys are 0,
 * 1, 2 … (lists as Elasticsearch 1 to 5 keep them) become arrays. NULL at the arena's ceiling;
 * texts are shared with `settings`. */
struct json *settings_tree(const struct json *settings, struct arena *mem);
/* The value at a dotted path of a tree, whether it stands there as a tree or flat; NULL: none. */
struct json *settings_get(const struct json *tree, const char *path);
/* Takes it out, and objects that become empty by it. Returns what was there. */
struct json *settings_remove(struct json *tree, const char *path);
/* Sets it, making the objects on the way. */
void settings_set(struct json *tree, const char *path, struct json *value, struct arena *mem);
/* Whether a setting of that name counts bytes, where m is no minute. */
bool settings_is_size(struct str name);

#endif
