/* A configuration of transformers, for each kind of message. */
#include "transform/transform.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	struct transform *transform;
	struct err err;

	/* Scripts would read files and start processes. */
	if (memmem(data, size, "JsonJS", 6) || memmem(data, size, "\\u", 2))
		return 0;
	for (int kind = TRANSFORM_DOCUMENT; kind <= TRANSFORM_TUPLE; kind++) {
		const struct transform_context context = {.kind = (enum transform_kind)kind,
							  .script_timeout_ms = 1000,
							  .script_memory = MIB(64)};

		if (transform_new(text, &context, &transform, &err) == 0)
			transform_free(transform);
	}
	return 0;
}
