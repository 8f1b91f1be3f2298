/* The verdict of `shardlift compare`, on what a replay does while it does it. */
#ifndef CLI_REPLAY_COMPARE_H
#define CLI_REPLAY_COMPARE_H

#include "cli/compare_options.h"

struct replay_compare;

/* The strings of `fields` are borrowed. ERR_USAGE. */
int replay_compare_open(const struct compare_rule_fields *fields, struct replay_compare **out,
			struct err *err);
/* struct replay_options: a tuple's line. */
void replay_compare_take(void *compare, struct str line);
/* Prints the verdict, and writes the page where one was asked for. An exit code, or an error. */
int replay_compare_conclude(struct replay_compare *compare, struct err *err);
/* Accepts NULL. */
void replay_compare_free(struct replay_compare *compare);

#endif
