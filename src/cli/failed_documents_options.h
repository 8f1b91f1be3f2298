/* What the commands over failed documents have in common: which of them are meant, and how what
 * cannot be read is told. */
#ifndef CLI_FAILED_DOCUMENTS_OPTIONS_H
#define CLI_FAILED_DOCUMENTS_OPTIONS_H

#include "backfill/failed_documents_pending.h"
#include "cli/common_options.h"

/* The blob store that failed documents are in: --failed-documents-uri, or the Java tool's flags. */
struct failed_store_fields {
	const char *uri;
	const char *s3_bucket, *s3_prefix, *s3_region, *s3_endpoint;
};
extern const struct opt failed_store_options[];
/* NULL in *out when none was asked for. `others`: how else to reach stores; NULL: as is usual. */
int failed_store_open(const struct failed_store_fields *fields,
		      const struct blob_store_options *others, struct arena *mem,
		      struct blob_store **out, struct err *err);

/* Where a run keeps them. */
struct failed_keep_fields {
	struct failed_store_fields store;
	const char *session_id;
	int64_t bytes;
};
extern const struct opt failed_keep_options[];

struct failed_fields {
	const char *folder, *session_name, *index, *type;
	struct failed_store_fields store;
};
extern const struct opt failed_options[];

/* Resolves the folder (given, or below the state directory) into `mem`; what is in a store is
 * copied below the state directory first. */
int failed_fields_filter(const struct failed_fields *fields, const struct general_fields *general,
			 struct arena *mem, struct failed_filter *out, struct err *err);

/* For struct failed_visitor: logs it, and counts what is damaged in the size_t that `damaged` is.
 */
void failed_documents_tell(void *damaged_count, bool damaged, const char *what);

/* --allowed-doc-exception-types */
struct allowed_fields {
	struct opt_list types;
};
extern const struct opt allowed_options[];

#endif
