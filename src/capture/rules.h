/* What is recorded, and what waits for its record. */
#ifndef CAPTURE_RULES_H
#define CAPTURE_RULES_H

#include "base/err.h"
#include "base/str.h"

/* Of POST, PUT, DELETE and PATCH those that change something: not _search, _count and the like. */
bool request_is_mutating(struct str method, struct str target);

/* Regular expressions (PCRE2) that must match in full. NULL pointers: no such rule. */
struct suppress_options {
	const char *method;         /* against the method */
	const char *target;         /* against the target, query included */
	const char *method_target;  /* against "METHOD target" */
	const char *const *headers; /* name, expression, name, expression ... */
	size_t header_count;        /* strings in it */
};

struct suppress_rules;

/* ERR_USAGE names the expression and where it is wrong. */
int suppress_rules_new(const struct suppress_options *options, struct suppress_rules **out,
		       struct err *err);
/* Accepts NULL. */
void suppress_rules_free(struct suppress_rules *rules);
/* Whether a request with this head is not recorded. Thread-safe. NULL rules: none. */
bool suppress_rules_match(const struct suppress_rules *rules, struct str method, struct str target,
			  struct str head);

#endif
