#include "transform/declarative.h"
#include "transform/transform_internal.h"
#include "transform/value_step.h"

#include <ctype.h>

/* Rules for documents that need no configuration. */

static int remove_type(void *state, struct json *value, struct arena *mem, struct json **out,
		       struct err *err)
{
	(void)state;
	(void)mem;
	(void)out;
	(void)err;
	return json_remove(json_get(value, "operation"), STR("_type")) != NULL;
}

static size_t digits_at_end(struct str text)
{
	size_t count = 0;

	while (count < text.len && isdigit((unsigned char)text.ptr[text.len - 1 - count]))
		count++;
	return count;
}

static struct str without_end(struct str text, size_t count)
{
	return str_of(text.ptr, text.len - count);
}

/* Whether the text ends with "-2024.01.15". */
static bool ends_with_date(struct str text)
{
	static const char shape[] = "-dddd.dd.dd";
	struct str date;

	if (text.len < sizeof(shape) - 1)
		return false;
	date = str_from_offset(text, text.len - (sizeof(shape) - 1));
	for (size_t i = 0; i < date.len; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char)date.ptr[i])
				    : date.ptr[i] != shape[i])
			return false;
	return true;
}

/* ".ds-<name>-[<yyyy.MM.dd>-]<generation>": the name; empty for other indices. */
static struct str data_stream_of(struct str index)
{
	struct str name = index;
	size_t digits = digits_at_end(name);

	if (!str_starts(name, STR(".ds-")) || digits < 3 || digits > 10)
		return STR_NONE;
	name = without_end(name, digits);
	if (!str_ends(name, STR("-")))
		return STR_NONE;
	name = str_from_offset(without_end(name, 1), 4);
	return ends_with_date(name) && name.len > 11 ? without_end(name, 11) : name;
}

static int to_data_stream(void *state, struct json *value, struct arena *mem, struct json **out,
			  struct err *err)
{
	struct json *operation = json_get(value, "operation");
	struct str name = data_stream_of(json_string(json_get(operation, "_index")));

	(void)state;
	(void)out;
	(void)err;
	if (!name.len)
		return 0;
	json_set(operation, STR("_index"), json_new_string(mem, name));
	json_set(operation, STR("op_type"), json_new_string(mem, STR("create")));
	return 1;
}

static int make(value_step_fn fn, const struct json *configuration,
		const struct transform_context *context, struct transform_step **out,
		struct err *err)
{
	static const char *const no_keys[] = {NULL};
	int status = transform_check_keys(configuration, no_keys, err);

	if (status < 0)
		return status;
	if (context->kind != TRANSFORM_DOCUMENT)
		return err_set(err, ERR_USAGE, "it is for documents only");
	*out = value_step_new(fn, NULL, NULL);
	(*out)->takes_source_text = true;
	return 0;
}

static int make_type_removal(const struct json *configuration,
			     const struct transform_context *context, struct transform_step **out,
			     struct err *err)
{
	return make(remove_type, configuration, context, out, err);
}

static int make_data_stream(const struct json *configuration,
			    const struct transform_context *context, struct transform_step **out,
			    struct err *err)
{
	return make(to_data_stream, configuration, context, out, err);
}

const struct transform_provider transform_provider_document_type_removal = {
	"JsonTransformerForDocumentTypeRemovalProvider", make_type_removal};
const struct transform_provider transform_provider_data_stream = {
	"DataStreamBackingIndexTransformerProvider", make_data_stream};
