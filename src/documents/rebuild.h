/* Documents whose index stores no _source, a part of it, or a synthetic one, put together again by
 * the mapping: stored fields, doc values, constants. docs/sourceless.md tells which types come back
 * exactly, which do not. */
#ifndef DOCUMENTS_REBUILD_H
#define DOCUMENTS_REBUILD_H

#include "base/json.h"
#include "lucene/segment_reader.h"

enum rebuild_quality {
	REBUILD_EXACT,       /* as values; their spelling may be another */
	REBUILD_APPROXIMATE, /* order or duplicates of several values, precision */
	REBUILD_NOT_AT_ALL,
};

/* What is read of a field that has neither stored values nor doc values. */
enum rebuild_index {
	REBUILD_NO_INDEX,
	REBUILD_POINTS,
	REBUILD_TERMS,
	REBUILD_TEXT, /* terms by their positions */
};

struct rebuild_field {
	struct str path;    /* "user.name" */
	struct str name;    /* in the index, where it is another (index_name); ptr NULL: the path */
	struct str type;    /* as mapped; of "string" text or keyword */
	struct str of_type; /* documents of this mapping type alone; ptr NULL: all */
	enum rebuild_quality quality;
	const char *reason; /* why not exact, or NULL */
	struct str column;  /* whose doc values, or terms, it is; ptr NULL: none, its own */
	struct str format;  /* of dates: those that are written here, a||b; of vectors: the type of
			     * their elements; ptr NULL: the default */
	double factor;      /* of scaled_float */
	const struct json *constant; /* of constant_keyword */
	const struct json
		*relations; /* of join and of what it hides: parent -> child or children */
	enum rebuild_index indexed;
	int32_t position_gap; /* of text: between two values; 0: the default */
	size_t nested;        /* 0: of the document; n: of the nested objects plan->nested[n - 1] */
	bool hidden;          /* holds a part of the join field before it */
};

struct rebuild_nested {
	struct str path;
	size_t parent; /* as rebuild_field.nested */
};

/* index.version.created from which on vectors are little-endian: 8.9. */
#define REBUILD_LITTLE_VECTORS 8090000

struct rebuild_tally;

/* What is to be done for an index. Immutable once made: threads share it. */
struct rebuild_plan {
	struct rebuild_field *fields;
	size_t count;
	struct rebuild_nested *nested;
	size_t nested_count;
	bool nested_left_out; /* the mapping has more, of which nothing is rebuilt */
	bool nested_reversed; /* before 6.5 the last of an array comes first */
	size_t columns_most;  /* bytes that the columns of a segment may hold: LIMIT_COLUMNS */
	size_t indexed_most;  /* bytes that its points and terms may hold: LIMIT_INDEXED */
	bool inverts;         /* some field is read out of points or terms */
	bool opensearch;      /* wrote it: unsigned_long differs */
	int64_t created; /* by which Elasticsearch; of OpenSearch the greatest number there is */
	bool old;        /* by one before 5: numbers are terms */
	const struct json *whole;    /* object: mapping types whose documents keep their source */
	bool synthetic;              /* the index stores by itself what has no doc values */
	struct rebuild_tally *tally; /* takes documents that do not fit; borrowed; NULL: none */
	int32_t shard;               /* whose documents they are, for the tally */
	int64_t first_doc;           /* from which they are read, for the tally */
};

/* `mappings`: type name -> mapping. Fields are allocated in `mem`, and borrow from it. `created`:
 * index.version.created. */
int rebuild_plan_make(const struct json *mappings, struct str created, bool synthetic,
		      struct arena *mem, struct rebuild_plan *out, struct err *err);

/* Rebuilds the documents of one segment, in ascending order. One thread. */
struct rebuilder;
/* `doc_base`: what its first document is in the shard. */
int rebuilder_open(const struct rebuild_plan *plan, const struct segment_reader *segment,
		   int64_t doc_base, struct rebuilder **out, struct err *err);
/* Documents of that mapping type keep their source, unlike others of the index. */
bool rebuild_keeps_source(const struct rebuild_plan *plan, struct str type);
/* `stored`: the fields of the document, from the first on. `type`: its mapping type. `filtered`:
 * what is stored of its source, JSON, or ptr NULL. *out is borrowed until the next call. A document
 * with a part that cannot be read is ERR_UNSUPPORTED, and the next one can be asked for. ERR_LIMIT
 * where the columns of the segment need more memory than plan->columns_most, its points and terms
 * more than plan->indexed_most. */
int rebuilder_document(struct rebuilder *rebuilder, int32_t doc, struct stored_field_cursor *stored,
		       struct str type, struct str filtered, struct str *out, struct err *err);
/* A nested document, in its place among the others: it becomes a part of the next document that is
 * rebuilt. What is wrong with it is told of there. */
int rebuilder_nested(struct rebuilder *rebuilder, int32_t doc, struct stored_field_cursor *stored,
		     struct err *err);
/* The next document is not rebuilt: its nested ones are forgotten. */
void rebuilder_skip(struct rebuilder *rebuilder);
/* Accepts NULL. */
void rebuilder_close(struct rebuilder *rebuilder);

#endif
