/* A pass over stored fields in memory: all documents come, or an error. */
#ifndef FUZZ_FUZZ_STORED_PASS_H
#define FUZZ_FUZZ_STORED_PASS_H

#include "base/limits.h"
#include "lucene/stored_fields.h"
#include "memory_directory.h"

/* Reads the fields of a chunk and the ends of their bytes, where a sanitizer sees one beyond. */
static inline void touch_chunk(const struct stored_fields *fields, const struct stored_chunk *chunk)
{
	struct stored_field field;
	struct err err = {0};
	volatile char last;

	for (int32_t i = 0; i < chunk->doc_count; i++) {
		struct stored_field_cursor cursor = stored_field_cursor_at(fields, chunk, i);

		while (stored_field_next(&cursor, &field, &err) > 0)
			if (field.bytes.len)
				last = field.bytes.ptr[field.bytes.len - 1];
	}
	(void)last;
}

static inline void stored_pass(struct memory_directory *dir, int32_t max_doc,
			       const struct live_docs *live)
{
	struct stored_fields *fields;
	struct stored_chunk chunk;
	struct err err = {0};
	int32_t next = 0;
	int got;

	if (stored_fields_open(&dir->directory, STR("_0"), NULL, max_doc, &fields, &err) < 0)
		return;
	while ((got = stored_fields_next_chunk(fields, live, &chunk, &err)) > 0) {
		if (chunk.first_doc != next)
			BUG("a chunk is missing");
		next += chunk.doc_count;
		if (chunk.bytes)
			touch_chunk(fields, &chunk);
	}
	if (got == 0 && next != max_doc)
		BUG("documents are missing at a good end");
	stored_fields_close(fields);
}

/* With all documents live, and with none. */
static inline void stored_passes(struct memory_directory *dir, int32_t max_doc)
{
	static uint64_t none[65536 / 64];
	struct live_docs dead = {.words = none, .max_doc = max_doc};

	stored_pass(dir, max_doc, NULL);
	stored_pass(dir, max_doc, &dead);
}

#endif
