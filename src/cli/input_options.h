/* Files of documents as the source: --from file:PATH. */
#ifndef CLI_INPUT_OPTIONS_H
#define CLI_INPUT_OPTIONS_H

#include "base/opt.h"
#include "documents/file_documents.h"
#include "transform/document_batch.h"

struct input_fields {
	const char *path; /* behind "file:"; NULL: the source is another one */
	const char *index, *id_field, *routing_field;
	bool remove_id_field;
	const char *format; /* auto, documents, bulk, elasticdump */
	const char *on_bad_line;
	int64_t max_line;
};
extern const struct opt input_options[];

/* The path behind "file:" (also "file:///path"); NULL: it is something else. */
const char *input_path(const char *from);
/* ERR_USAGE for what does not go together, and for options of files without files. */
int input_fields_check(const struct input_fields *fields, struct err *err);
/* Borrows strings and files. */
void input_fields_describe(const struct input_fields *fields, const struct input_files *files,
			   struct file_documents_options *out);
enum transform_error_policy bad_line_policy_of(const struct input_fields *fields);

#endif
