/* The flags that say which transformers messages pass through, and what of those that cannot. */
#ifndef CLI_TRANSFORM_OPTIONS_H
#define CLI_TRANSFORM_OPTIONS_H

#include "base/opt.h"
#include "transform/document_batch.h"

/* One of three ways to give a configuration. */
struct transformer_fields {
	const char *config, *file, *base64;
};
/* --doc-transformer-config, -file, -base64 */
extern const struct opt doc_transformer_options[];
/* --transformer-config, -file, -base64: metadata items */
extern const struct opt transformer_options[];
/* --tuple-transformer-config, -file, -base64 */
extern const struct opt tuple_transformer_options[];
/* The text of the configuration; ptr NULL: none was given. ERR_USAGE when more than one was, or it
 * cannot be read. */
int transformer_fields_read(const struct transformer_fields *fields, struct arena *mem,
			    struct str *out, struct err *err);

/* --on-transform-error, --script-timeout, --script-memory */
struct transform_run_fields {
	const char *on_error;
	int64_t script_timeout_ms, script_memory;
};
extern const struct opt transform_run_options[];
/* Of these the last two, where no documents pass. */
extern const struct opt script_options[];
/* The transform that items of metadata pass through: NULL when none is configured. */
int metadata_transform_new(const struct transformer_fields *fields,
			   const struct transform_run_fields *run, struct arena *mem,
			   struct transform **out, struct err *err);
enum transform_error_policy transform_error_policy_of(const struct transform_run_fields *fields);
struct transform_context transform_context_of(const struct transform_run_fields *fields,
					      enum transform_kind kind);

#endif
