/* What every coordinator promises, as tests that run over any of them. */
#ifndef TESTS_COORDINATOR_SUITE_H
#define TESTS_COORDINATOR_SUITE_H

#include "backfill/coordinator_internal.h"

struct coordinator_suite {
	const char *name;
	/* Opens the store of options->session. The clock is at the machine's time then, and
	 * outlives the coordinator. */
	int (*open)(void *user, const struct coordinator_options *options,
		    const struct coordinator_clock *clock, struct coordinator **out,
		    struct err *err);
	void *user;
	bool frees_dead;  /* leases of dead processes are free at once */
	bool brief;       /* only a test of each operation */
	size_t processes; /* that work at once; 0: that test is left out */
	size_t items;     /* for several workers at once */
};

/* Runs all; returns the number of failed tests. */
int coordinator_suite_run(struct coordinator_suite *suite);

#endif
