/* A source that is converted is an object in valid JSON on one line; others stay as they are. */
#include "documents/source_format.h"

#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str source = str_of(data, size), json;
	enum source_format format = source_format_of(source);
	struct source_converter converter;
	struct err err = {0};
	int rc;

	source_converter_init(&converter);
	rc = source_to_json(&converter, source, &json, &err);
	if (rc < 0 && (!err.kind || !err.message[0]))
		BUG("an error that says nothing");
	if (rc == 0 && (format == SOURCE_JSON || format == SOURCE_UNKNOWN) &&
	    (json.ptr != source.ptr || json.len != source.len))
		BUG("a source was touched that needs no conversion");
	if (rc == 0 && format >= SOURCE_SMILE && format <= SOURCE_YAML &&
	    (json_validate(json, &err) < 0 || json.ptr[0] != '{' ||
	     memchr(json.ptr, '\n', json.len)))
		BUG("a converted source is no object on one line");
	source_converter_release(&converter);
	return 0;
}
