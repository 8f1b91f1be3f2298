/* Which captured requests are replayed. Thread-safe once made. */
#ifndef REPLAY_FILTER_H
#define REPLAY_FILTER_H

#include "base/err.h"
#include "base/str.h"

struct filter_options {
	const char *const *methods; /* only these; count 0: all */
	size_t method_count;
	const char *path; /* a regular expression (PCRE) that some part of the target
			     matches; NULL: all */
	bool gets_only, writes_only;
	double percentage; /* of connections and requests in them, by their id: the same
			      with each run; 100: all */
};

struct filter;

/* ERR_USAGE: the expression is none. */
int filter_new(const struct filter_options *options, struct filter **out, struct err *err);
/* Accepts NULL. */
void filter_free(struct filter *filter);
bool filter_takes(const struct filter *filter, struct str method, struct str target,
		  struct str connection_id, int64_t index);

#endif
