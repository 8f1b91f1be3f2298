/* What the commands over failed documents have in common: which of them are meant, and how what
 * cannot be read is told. */
#ifndef CLI_FAILED_DOCUMENTS_OPTIONS_H
#define CLI_FAILED_DOCUMENTS_OPTIONS_H

#include "backfill/failed_documents_pending.h"
#include "cli/common_options.h"

struct failed_fields {
	const char *folder, *session_name, *index, *type;
};
extern const struct opt failed_options[];

/* Resolves the folder (given, or below the state directory) into `mem`. */
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
