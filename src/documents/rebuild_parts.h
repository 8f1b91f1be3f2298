/* What the segment has of each field of a plan: stored values, columns, and what is kept beside
 * them. */
#ifndef DOCUMENTS_REBUILD_PARTS_H
#define DOCUMENTS_REBUILD_PARTS_H

#include "documents/rebuild.h"

struct column;

struct rebuild_part {
	const struct rebuild_field *field;
	struct column *column;     /* NULL: none */
	struct column *offsets;    /* of "<path>.offsets": the order of several values; of
				    * "<path>_count": how often each; NULL: none */
	struct inversion *indexed; /* points or terms, where there are no columns; NULL: none */
	int32_t stored;            /* number of the stored field of that name; -1: no such field */
	int32_t original;    /* of "<path>._original": what ignore_above kept out of doc values */
	int32_t malformed;   /* of "<path>._ignore_malformed": what is none of its type */
	size_t memory;       /* of the columns */
	bool ordered;        /* it was an array, and this is its order */
	bool unfit;          /* what the segment has of it is of another type */
	bool bad;            /* the document at hand has a value that is none of its type */
	struct json *values; /* of the document at hand */
};

struct rebuild_parts {
	const struct rebuild_plan *plan; /* borrowed */
	struct rebuild_part *list;       /* one for each field of the plan */
	size_t memory;                   /* of all columns */
	size_t indexed_memory;           /* of all points and terms */
	struct str of_type;              /* mapping type of the document at hand */
	struct arena names;              /* of the segment */
	struct arena *mem;               /* of the document at hand; borrowed */
	struct err problem;              /* the first of the document at hand; kind 0: none */
	int64_t doc_base;                /* of the segment in its shard */
};
/* To be closed after an error, too. ERR_LIMIT: the columns need more than plan->columns_most. */
int rebuild_parts_open(struct rebuild_parts *parts, const struct rebuild_plan *plan,
		       const struct segment_reader *segment, int64_t doc_base, struct arena *mem,
		       struct err *err);
void rebuild_parts_close(struct rebuild_parts *parts);
/* Forgets the values of the document at hand. */
void rebuild_parts_reset(struct rebuild_parts *parts);
/* Reads the values of a document, or of a nested one: of its fields alone. `stored`: from the first
 * field on. Errors as of rebuilder_document. */
int rebuild_parts_read(struct rebuild_parts *parts, int32_t doc,
		       const struct stored_field_cursor *stored, bool nested, struct err *err);

#endif
