/* .fnm: the fields of a segment. Formats 40, 42, 46, 50, 60, 90, 94. */
#ifndef LUCENE_FIELD_INFOS_H
#define LUCENE_FIELD_INFOS_H

#include "lucene/directory.h"

enum doc_values_type {
	DOC_VALUES_NONE = 0,
	DOC_VALUES_NUMERIC = 1,
	DOC_VALUES_BINARY = 2,
	DOC_VALUES_SORTED = 3,
	DOC_VALUES_SORTED_SET = 4,
	DOC_VALUES_SORTED_NUMERIC = 5,
};

/* What the index keeps of each term. */
enum index_options {
	INDEX_NONE = 0,
	INDEX_DOCS = 1,
	INDEX_FREQS = 2,
	INDEX_POSITIONS = 3,
	INDEX_OFFSETS = 4, /* and positions */
};

struct field_attribute {
	struct str key, value;
};

struct field_info {
	struct str name;
	int32_t number;
	bool soft_deletes; /* the soft-deletes field of the index */
	enum index_options index_options;
	bool payloads;             /* with positions */
	uint32_t point_dimensions; /* 0: no points */
	enum doc_values_type doc_values;
	uint8_t doc_values_skip; /* docValuesSkipIndexType of Lucene 10; 0 before */
	int64_t doc_values_gen;  /* -1: base files */
	struct field_attribute *attributes;
	size_t attribute_count;
};

struct field_infos {
	struct str format; /* the header's codec string */
	int32_t version;
	struct field_info *fields; /* by ascending number */
	size_t count;
};

/* Reads the .fnm of a segment into the arena: <segment>.fnm for generation -1 (base), else
 * <segment>_<generation>.fnm. `id` (or NULL) is the segment's id in segments_N. */
int field_infos_read(struct lucene_directory *dir, struct str segment, int64_t generation,
		     const uint8_t *id, struct arena *mem, struct field_infos *out,
		     struct err *err);
/* NULL when the segment has no such field. */
const struct field_info *field_infos_find(const struct field_infos *infos, struct str name);
const struct field_info *field_infos_by_number(const struct field_infos *infos, int32_t number);
/* STR_NONE when absent. */
struct str field_info_attribute(const struct field_info *field, const char *key);

#endif
