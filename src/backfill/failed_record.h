/* One line of a failed document stream (docs/formats/failed-documents.md), ours or the Java tool's.
 *
 * Source: opensearch-migrations FailedDocumentStreamRecord, BulkOperationSpec. */
#ifndef BACKFILL_FAILED_RECORD_H
#define BACKFILL_FAILED_RECORD_H

#include "cluster/bulk.h"

struct failed_record {
	struct str session, work_item;
	struct str target_index; /* never empty */
	struct str id;           /* ptr NULL: the target makes one */
	struct str failure_type, reason, timestamp;
	int status; /* 0: it was not sent */
	enum bulk_operation operation;
	struct str metadata;      /* of the action line, JSON: {"_index":…,"_id":…} */
	struct str routing, type; /* ptr NULL: none */
	int64_t version;          /* where `external` */
	bool external;
	struct str document; /* JSON, byte for byte; ptr NULL: none that could be sent */
};

/* Everything in *out is in `mem` or in `line`. ERR_FORMAT when it is no such record. */
int failed_record_read(struct str line, struct arena *mem, struct failed_record *out,
		       struct err *err);
/* "index", "create", "delete" */
const char *failed_record_operation_name(const struct failed_record *record);

#endif
