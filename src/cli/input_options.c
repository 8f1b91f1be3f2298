#include "cli/input_options.h"

#define INPUT(member) OPT_FIELD(struct input_fields, member), .category = "Source files"

const struct opt input_options[] = {
	{.name = "index",
	 .type = OPT_STRING,
	 INPUT(index),
	 .metavar = "NAME",
	 .help = "The index of all documents, whatever the lines say. Without it, what an action "
		 "line says, else the file's name without its endings."},
	{.name = "id-field",
	 .type = OPT_STRING,
	 INPUT(id_field),
	 .metavar = "a.b",
	 .help = "The field that holds a document's id. Without it ids are those of the lines; "
		 "documents that have none get one made of the file and the place in it, the same "
		 "whenever the same file is read."},
	{.name = "remove-id-field",
	 .type = OPT_BOOL,
	 INPUT(remove_id_field),
	 .help = "Take the field of --id-field out of the documents."},
	{.name = "routing-field",
	 .type = OPT_STRING,
	 INPUT(routing_field),
	 .metavar = "a.b",
	 .help = "The field that holds a document's routing."},
	{.name = "file-format",
	 .type = OPT_CHOICE,
	 INPUT(format),
	 .choices = "auto|documents|bulk|elasticdump",
	 .fallback = "auto",
	 .help = "What lines are: documents, actions and documents as in a bulk body, or "
		 "elasticdump's. auto: what the first line of each file is."},
	{.name = "on-bad-line",
	 .type = OPT_CHOICE,
	 INPUT(on_bad_line),
	 .choices = "record|skip|fail",
	 .fallback = "record",
	 .help = "A line that is no document: keep it as a failed document, leave it out with a "
		 "warning, or end the run."},
	{.name = "max-line",
	 .type = OPT_BYTES,
	 INPUT(max_line),
	 .fallback = "100MiB",
	 .min = 1024,
	 .max = (int64_t)LIMIT_SOURCE,
	 .help = "Bytes of one line, at most; a longer one is a bad line."},
	{0},
};

const char *input_path(const char *from)
{
	struct str text = str_from(from);

	if (!str_starts(text, STR("file:")))
		return NULL;
	return str_starts(text, STR("file:///")) ? from + 7 : from + 5;
}

int input_fields_check(const struct input_fields *fields, struct err *err)
{
	if (fields->path && !*fields->path)
		return err_set(err, ERR_USAGE,
			       "--from file: names no file; give file:PATH, or file:- for standard "
			       "input");
	if (!fields->path &&
	    (fields->index || fields->id_field || fields->routing_field || fields->remove_id_field))
		return err_set(err, ERR_USAGE,
			       "--index, --id-field, --remove-id-field and --routing-field are of "
			       "files: give --from file:PATH");
	if (fields->remove_id_field && !fields->id_field)
		return err_set(err, ERR_USAGE, "--remove-id-field needs --id-field");
	return 0;
}

static struct str text_or_none(const char *text)
{
	return text && *text ? str_from(text) : STR_NONE;
}

void input_fields_describe(const struct input_fields *fields, const struct input_files *files,
			   struct file_documents_options *out)
{
	static const char *const formats[] = {
		[FILE_FORMAT_AUTO] = "auto",
		[FILE_FORMAT_DOCUMENTS] = "documents",
		[FILE_FORMAT_BULK] = "bulk",
		[FILE_FORMAT_ELASTICDUMP] = "elasticdump",
	};

	*out = (struct file_documents_options){
		.files = files,
		.line_limit = (size_t)fields->max_line,
		.index = text_or_none(fields->index),
		.id_field = text_or_none(fields->id_field),
		.remove_id_field = fields->remove_id_field,
		.routing_field = text_or_none(fields->routing_field),
	};
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (strcmp(fields->format, formats[i]) == 0)
			out->format = (enum file_format)i;
}

enum transform_error_policy bad_line_policy_of(const struct input_fields *fields)
{
	if (strcmp(fields->on_bad_line, "fail") == 0)
		return TRANSFORM_ERROR_FAIL;
	if (strcmp(fields->on_bad_line, "skip") == 0)
		return TRANSFORM_ERROR_SKIP;
	return TRANSFORM_ERROR_RECORD;
}
