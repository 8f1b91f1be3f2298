/* What the two halves of the check share: the list of problems and the path so far. */
#ifndef WORKFLOW_CONFIG_CHECK_INTERNAL_H
#define WORKFLOW_CONFIG_CHECK_INTERNAL_H

#include "workflow/config_check.h"
#include "workflow/schema.h"

struct config_checker {
	struct arena *mem;
	struct config_problems *problems;
	struct buf path;
	const char *sample; /* where the user finds what keys there are */
};

/* The shape of a value, and of all below it. */
void config_check_value(struct config_checker *c, const struct config_value *value,
			const struct schema *schema);

/* Adds a problem of `value` at the path so far, or below it at `.step` (NULL: right there). */
void config_problem(struct config_checker *c, const struct config_value *value, bool warning,
		    const char *step, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Appends "name", or ".name" behind another; returns the length to give to config_path_cut. */
size_t config_path_step(struct config_checker *c, struct str name);
/* To a child of a map by its key, of a list by its number. */
size_t config_path_child(struct config_checker *c, const struct config_value *child, size_t number);
void config_path_cut(struct config_checker *c, size_t len);
/* "'a', 'b'" of a map's names, for messages; "none" without any. Lives in the arena. */
const char *config_names(struct config_checker *c, const struct config_value *map);

/* Rules between parts of a configuration whose shape is right. */
void config_rules_check(struct config_checker *c, const struct config_value *root);

#endif
