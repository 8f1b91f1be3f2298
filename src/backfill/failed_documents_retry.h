/* Failed documents sent again, after their cause was removed. */
#ifndef BACKFILL_FAILED_DOCUMENTS_RETRY_H
#define BACKFILL_FAILED_DOCUMENTS_RETRY_H

#include "backfill/allowed_failures.h"
#include "backfill/failed_documents_pending.h"

#include <stdatomic.h>

struct failed_retry {
	struct failed_filter filter;
	struct cluster *target; /* borrowed; NULL: only tell what would be sent */
	bool compress;
	size_t documents_per_bulk, bytes_per_bulk; /* at most; a larger document goes alone */
	struct allowed_failures allowed;
	void (*tell)(void *user, bool damaged, const char *what); /* as struct failed_visitor */
	void *tell_user;
};

/* What became of one index's documents. */
struct failed_retry_index {
	struct str name;
	uint64_t pending;    /* documents that were to be brought in */
	uint64_t sent;       /* of these: the target has them now */
	uint64_t failed;     /* failed again, recorded anew with their new reasons */
	uint64_t unsendable; /* no document is in the record, or none that is JSON */
	struct str reason;   /* of the last one that failed; ptr NULL: none */
};

struct failed_retry_report {
	struct arena mem;
	struct failed_retry_index *indices; /* in the order in which they came up */
	size_t count;
	uint64_t pending, sent, failed, unsendable;
};

/* Sends the pending documents with their operation, routing and version. An outcome is on the disk
 * before the next bulk is sent: a run that was stopped anywhere goes on with what is left, and
 * sends at most one bulk twice. 0 however many fail again; negative when the target, the streams or
 * the ledger cannot be used, with *report as far as it came. *cancel ends it with ERR_CANCELLED
 * after the bulk in flight. */
int failed_documents_retry(const struct failed_retry *retry, const atomic_bool *cancel,
			   struct failed_retry_report *report, struct err *err);
void failed_retry_report_release(struct failed_retry_report *report);

#endif
