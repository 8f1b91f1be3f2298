/* What was done about failed documents since they were recorded: retried.ndjson in the folder of
 * their session (docs/formats/failed-documents.md). One process at a time writes it. */
#ifndef BACKFILL_RETRIED_LEDGER_H
#define BACKFILL_RETRIED_LEDGER_H

#include "backfill/digest_table.h"
#include "base/err.h"

enum retried_outcome {
	RETRIED_SENT,         /* the target has it */
	RETRIED_FAILED_AGAIN, /* a newer record tells why */
	RETRIED_REPEATED,     /* another record of the same document stands for it */
};

struct retried_entry {
	struct id128 document, record;
};

struct retried_ledger;

/* Makes it or goes on with it. ERR_CONFLICT while another process does. */
int retried_ledger_open(const char *folder, struct retried_ledger **out, struct err *err);
int retried_ledger_add(struct retried_ledger *ledger, const struct retried_entry *entry,
		       enum retried_outcome outcome, struct err *err);
/* All that was added is on the disk. */
int retried_ledger_sync(struct retried_ledger *ledger, struct err *err);
/* Without a sync; accepts NULL. */
void retried_ledger_close(struct retried_ledger *ledger);

/* Calls `visit` for each entry, in their order; nothing where there is no ledger. A line that a
 * crash cut off is passed over: its document is sent once more. */
int retried_ledger_read(const char *folder,
			void (*visit)(void *user, const struct retried_entry *entry), void *user,
			struct err *err);

#endif
