/* The targets' answers of two sets of tuples, matched by connectionId. */
#ifndef CLI_COMPARE_SETS_H
#define CLI_COMPARE_SETS_H

#include "traffic/tuple_read.h"

/* What of one set is held in memory, at most. */
#define COMPARE_SET_MAX MIB(4096)

struct tuple_set;

struct tuple_set *tuple_set_new(void);
/* Accepts NULL. */
void tuple_set_free(struct tuple_set *set);
/* Keeps the last answer of its target, or that there is none. Of two tuples of one id the first
 * counts. ERR_LIMIT names what to do. */
int tuple_set_add(struct tuple_set *set, const struct tuple *tuple, struct err *err);
/* Takes what has that id: false: none. *out has the target's answer, parsed into `mem`. */
bool tuple_set_take(struct tuple_set *set, struct str id, struct arena *mem, struct tuple *out);
/* Those that were not taken. */
uint64_t tuple_set_left(const struct tuple_set *set);

#endif
