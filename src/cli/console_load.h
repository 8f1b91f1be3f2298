/* Documents of our own making, sent by bulks. */
#ifndef CLI_CONSOLE_LOAD_H
#define CLI_CONSOLE_LOAD_H

#include "base/buf.h"
#include "cluster/cluster.h"

struct console_load {
	const char *index;
	uint64_t documents;
	uint64_t batch; /* documents in a bulk */
	bool quiet;     /* no progress on standard error */
	/* Appends the source of document `number`, one line. */
	void (*write)(struct buf *out, uint64_t number, const void *user);
	const void *user;
};

/* *elapsed_ms: of the bulks alone. ERR_HTTP: some document was refused. */
int console_load(struct cluster *cluster, const struct console_load *load, int64_t *elapsed_ms,
		 struct err *err);

#endif
