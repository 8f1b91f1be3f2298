#include "cli/transform_options.h"

#include "base/base64.h"
#include "base/bytes_source.h"

#define TRANSFORM(struct_type, member) \
	OPT_FIELD(struct struct_type, member), .category = "Transform"

#define TRANSFORMER_ROWS(prefix, variable, what)                                             \
	{                                                                                    \
		{.name = prefix "transformer-config",                                        \
		 .env = variable "TRANSFORMER_CONFIG",                                       \
		 .type = OPT_STRING,                                                         \
		 TRANSFORM(transformer_fields, config),                                      \
		 .metavar = "NAME|JSON",                                                     \
		 .help = "What " what " pass through: a provider's name, or a JSON list of " \
			 "objects with one key, [{\"Provider\": configuration}]."},          \
		{.name = prefix "transformer-config-file",                                   \
		 .env = variable "TRANSFORMER_CONFIG_FILE",                                  \
		 .type = OPT_STRING,                                                         \
		 TRANSFORM(transformer_fields, file),                                        \
		 .metavar = "FILE",                                                          \
		 .help = "The same in a file."},                                             \
		{.name = prefix "transformer-config-base64",                                 \
		 .aliases = prefix "transformer-config-encoded",                             \
		 .env = variable "TRANSFORMER_CONFIG_BASE64",                                \
		 .type = OPT_STRING,                                                         \
		 TRANSFORM(transformer_fields, base64),                                      \
		 .metavar = "BASE64",                                                        \
		 .help = "The same in base64."},                                             \
		{0},                                                                         \
	}

const struct opt doc_transformer_options[] = TRANSFORMER_ROWS("doc-", "RFS_DOC_", "documents");
const struct opt transformer_options[] =
	TRANSFORMER_ROWS("", "METADATA_MIGRATE_", "indices and templates");
const struct opt tuple_transformer_options[] = TRANSFORMER_ROWS("tuple-", "TUPLE_", "tuples");

#define SCRIPT_ROWS                                                                                \
	{.name = "script-timeout",                                                                 \
	 .type = OPT_DURATION,                                                                     \
	 TRANSFORM(transform_run_fields, script_timeout_ms),                                       \
	 .fallback = "10s",                                                                        \
	 .min = 1,                                                                                 \
	 .max = (int64_t)24 * 3600 * 1000,                                                         \
	 .help = "How long a script may take for one message; then it is stopped and started "     \
		 "again for the next."},                                                           \
		{.name = "script-memory",                                                          \
		 .type = OPT_BYTES,                                                                \
		 TRANSFORM(transform_run_fields, script_memory),                                   \
		 .fallback = "512MiB",                                                             \
		 .min = (int64_t)64 << 20,                                                         \
		 .max = (int64_t)1 << 40,                                                          \
		 .help = "Memory of the process of a script (each thread has one), at most; then " \
			 "it is "                                                                  \
			 "stopped and started again."}

const struct opt transform_run_options[] = {
	{.name = "on-transform-error",
	 .type = OPT_CHOICE,
	 TRANSFORM(transform_run_fields, on_error),
	 .choices = "record|skip|fail",
	 .fallback = "record",
	 .help = "What becomes of a document that a transformer cannot do: record keeps it as a "
		 "failed document, skip only counts and logs it, fail ends the run."},
	SCRIPT_ROWS,
	{0},
};

const struct opt script_options[] = {
	SCRIPT_ROWS,
	{0},
};

static int read_file(const char *path, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;

	if (file_source_open(path, &source, err) < 0 ||
	    bytes_source_read_all(source, mem, LIMIT_TRANSFORM_CONFIGURATION, out, err) < 0) {
		err->kind = ERR_USAGE;
		return err_wrap(err, "transformer configuration");
	}
	return 0;
}

static int read_base64(const char *text, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(LIMIT_TRANSFORM_CONFIGURATION);

	if (!base64_decode(&bytes, str_from(text)))
		return err_set(err, ERR_USAGE, "transformer configuration: it is no base64");
	if (buf_check(&bytes, "a transformer configuration", err) < 0)
		return -(int)err->kind;
	*out = arena_str(mem, buf_str(&bytes));
	return out->ptr ? 0 : arena_fail(mem, "a transformer configuration", err);
}

int transformer_fields_read(const struct transformer_fields *fields, struct arena *mem,
			    struct str *out, struct err *err)
{
	*out = STR_NONE;
	if (!!fields->config + !!fields->file + !!fields->base64 > 1)
		return err_set(err, ERR_USAGE,
			       "a transformer configuration is given twice; give one of …-config, "
			       "…-config-file, …-config-base64");
	if (fields->file)
		return read_file(fields->file, mem, out, err);
	if (fields->base64)
		return read_base64(fields->base64, mem, out, err);
	if (fields->config)
		*out = str_from(fields->config);
	return 0;
}

enum transform_error_policy transform_error_policy_of(const struct transform_run_fields *fields)
{
	if (strcmp(fields->on_error, "fail") == 0)
		return TRANSFORM_ERROR_FAIL;
	if (strcmp(fields->on_error, "skip") == 0)
		return TRANSFORM_ERROR_SKIP;
	return TRANSFORM_ERROR_RECORD;
}

struct transform_context transform_context_of(const struct transform_run_fields *fields,
					      enum transform_kind kind)
{
	return (struct transform_context){
		.kind = kind,
		.script_timeout_ms = fields->script_timeout_ms,
		.script_memory = fields->script_memory,
	};
}

int metadata_transform_new(const struct transformer_fields *fields,
			   const struct transform_run_fields *run, struct arena *mem,
			   struct transform **out, struct err *err)
{
	const struct transform_context context = transform_context_of(run, TRANSFORM_METADATA);
	struct str text;

	*out = NULL;
	if (transformer_fields_read(fields, mem, &text, err) < 0)
		return -(int)err->kind;
	return text.ptr ? transform_new(text, &context, out, err) : 0;
}
