/* From snapshot to snapshot: flags of backfill. */
#ifndef CLI_DELTA_OPTIONS_H
#define CLI_DELTA_OPTIONS_H

#include "base/opt.h"
#include "documents/delta_documents.h"
#include "snapshot/repository.h"

struct delta_fields {
	const char *previous_snapshot; /* NULL: all documents */
	const char *mode;
};
extern const struct opt delta_options[];

/* Opens the previous snapshot out of the repository of the current one; *out is NULL where none was
 * named. ERR_USAGE: no such mode, or `op_type` is one that a delta cannot be sent with. */
int delta_fields_open(const struct delta_fields *fields, const char *op_type,
		      struct repository *repository, bool allow_partial, struct snapshot **out,
		      enum delta_mode *mode, struct err *err);

#endif
