/* A configuration as its user wrote it: YAML or JSON as a tree that knows where each value stands,
 * so that what is wrong with it can be pointed at. Read-only once parsed. */
#ifndef WORKFLOW_CONFIG_VALUE_H
#define WORKFLOW_CONFIG_VALUE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum config_type {
	CONFIG_NULL,
	CONFIG_BOOLEAN,
	CONFIG_NUMBER,
	CONFIG_STRING,
	CONFIG_LIST,
	CONFIG_MAP,
};

struct config_value {
	enum config_type type;
	struct str key;                    /* in the map around it; empty elsewhere */
	struct str text;                   /* of a scalar; of a string, decoded */
	struct config_value *first, *last; /* of a list or map, in the order of the text */
	struct config_value *next;
	size_t count;
	size_t line, column; /* of the key in a map, else of the value; from 1 */
};

/* Parses the whole of `text` (YAML 1.2's core schema: true, false, null and numbers are what they
 * look like unless quoted; JSON is YAML). Aliases are copies of what they name. Keys that start
 * with
 * "//" or "#" are comments and left out. Strings live in `mem`. ERR_USAGE says line and column:
 * damaged YAML, a key given twice, more than one document, nothing at all. ERR_LIMIT: deeper than
 * CONFIG_DEPTH_MAX, or more than the arena takes. */
int config_parse(struct str text, struct arena *mem, struct config_value **out, struct err *err);
#define CONFIG_DEPTH_MAX 64

/* The value of a key; NULL if absent, or if `map` is NULL or no map. */
const struct config_value *config_get(const struct config_value *map, const char *key);
const struct config_value *config_get_str(const struct config_value *map, struct str key);
/* Of scalars; the fallback where the value is NULL or of another type. */
struct str config_text_or(const struct config_value *value, struct str fallback);
bool config_bool_or(const struct config_value *value, bool fallback);
int64_t config_i64_or(const struct config_value *value, int64_t fallback);

#define config_each(child, parent)                                                        \
	for (const struct config_value *child = (parent) ? (parent)->first : NULL; child; \
	     child = child->next)

#endif
