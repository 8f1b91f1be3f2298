/* The failed documents that nobody has brought in yet: of each document the record that came last,
 * unless the ledger says that it is settled.
 *
 * A document is (target index, id); one without an id is its record. Memory is bounded: when there
 * are more records than fit a table, the files are read several times, each time for the documents
 * of one part of the hashes. */
#ifndef BACKFILL_FAILED_DOCUMENTS_PENDING_H
#define BACKFILL_FAILED_DOCUMENTS_PENDING_H

#include "backfill/failed_documents_read.h"
#include "backfill/failed_record.h"
#include "backfill/retried_ledger.h"

struct failed_filter {
	const char *folder;     /* that holds session=…, or one of them, or below */
	const char *session;    /* NULL: all */
	const char *index;      /* on the target, whole name; NULL: all */
	const char *type;       /* failure type; NULL: all */
	uint64_t keys_per_pass; /* 0: the usual; tests make it small */
};

/* Borrowed until the callback returns. */
struct failed_pending {
	const struct failed_record *record;
	struct retried_entry ids;
	struct str home; /* folder of its session; lives as long as the call */
	bool repeated;   /* another record stands for this one: told so that it can be settled */
};

struct failed_visitor {
	/* 0: go on; 1: enough, stop; negative: stop with *err. */
	int (*visit)(void *user, const struct failed_pending *pending, struct err *err);
	/* What could not be read, in words; `damaged`: lost, not only cut off by a crash. */
	void (*tell)(void *user, bool damaged, const char *what);
	void *user;
};

/* Visits the pending records, in the order of their files and lines within each pass. Lines that
 * are written while it runs are left for the next time. 0, or negative: a file or the ledger cannot
 * be read, or what `visit` said. */
int failed_documents_visit(const struct failed_filter *filter, const struct failed_visitor *visitor,
			   struct err *err);

#endif
