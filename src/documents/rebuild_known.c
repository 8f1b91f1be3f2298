#include "documents/rebuild_known.h"

#define SEVERAL REBUILD_SEVERAL

#define RANGE "with both ends, as gte and lte; of several ranges the order is lost"

/* By doc values; what is stored (store: true) is exact whatever its type. */
static const struct rebuild_known known_types[] = {
	{"long", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"integer", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"short", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"byte", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"unsigned_long", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"double", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"float", REBUILD_APPROXIMATE, "32 bits of precision"},
	{"half_float", REBUILD_APPROXIMATE, "16 bits of precision"},
	{"scaled_float", REBUILD_APPROXIMATE, "rounded to its scaling factor"},
	{"date", REBUILD_APPROXIMATE, "milliseconds, written in a known format of its own"},
	{"date_nanos", REBUILD_APPROXIMATE, "written in a known format of its own"},
	{"boolean", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"keyword", REBUILD_APPROXIMATE, SEVERAL ", and values beyond ignore_above"},
	{"ip", REBUILD_APPROXIMATE, SEVERAL},
	{"geo_point", REBUILD_APPROXIMATE, "32 bits of precision"},
	{"binary", REBUILD_APPROXIMATE, SEVERAL},
	{"constant_keyword", REBUILD_EXACT, NULL},
	{"integer_range", REBUILD_APPROXIMATE, RANGE},
	{"long_range", REBUILD_APPROXIMATE, RANGE},
	{"float_range", REBUILD_APPROXIMATE, RANGE},
	{"double_range", REBUILD_APPROXIMATE, RANGE},
	{"date_range", REBUILD_APPROXIMATE, RANGE},
	{"ip_range", REBUILD_APPROXIMATE, RANGE},
	{"flattened", REBUILD_APPROXIMATE, "all values become text, " SEVERAL},
	{"flat_object", REBUILD_APPROXIMATE, "all values become text, " SEVERAL},
	{"join", REBUILD_EXACT, NULL},
	{"wildcard", REBUILD_APPROXIMATE, SEVERAL ", and values beyond ignore_above"},
	{"dense_vector", REBUILD_APPROXIMATE, "32 bits of precision"},
	{"version", REBUILD_APPROXIMATE, SEVERAL},
	{"histogram", REBUILD_APPROXIMATE, "buckets that are counted 0 are lost"},
	{"counted_keyword", REBUILD_APPROXIMATE, "of several values the order is lost"},
	/* Of these nothing comes back. */
	{"completion", REBUILD_NOT_AT_ALL, "suggestions are kept in a format of their own"},
	{"semantic_text", REBUILD_NOT_AT_ALL, "its text is in the source alone"},
	{"sparse_vector", REBUILD_NOT_AT_ALL, "its weights are rounded to 9 bits in the index"},
	{"rank_feature", REBUILD_NOT_AT_ALL, "its number is rounded to 9 bits in the index"},
	{"rank_features", REBUILD_NOT_AT_ALL, "its numbers are rounded to 9 bits in the index"},
	{"search_as_you_type", REBUILD_NOT_AT_ALL, "text that is not stored"},
	{"geo_shape", REBUILD_NOT_AT_ALL, "the index has its triangles alone"},
	{"shape", REBUILD_NOT_AT_ALL, "the index has its triangles alone"},
	{"xy_shape", REBUILD_NOT_AT_ALL, "the index has its triangles alone"},
	{"percolator", REBUILD_NOT_AT_ALL, "a query that is not stored as it was sent"},
	{"murmur3", REBUILD_NOT_AT_ALL, "a hash"},
	{"token_count", REBUILD_NOT_AT_ALL, "a number of tokens"},
};

/* What a node rebuilds of a synthetic source out of the segment, and puts nowhere else. */
static const char *const never_aside[] = {"dense_vector", "sparse_vector", "semantic_text",
					  "wildcard",     "rank_vectors",  "exponential_histogram"};

const struct rebuild_known *rebuild_known_type(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(known_types); i++)
		if (str_is(type, known_types[i].name))
			return &known_types[i];
	return NULL;
}

bool rebuild_is_text(struct str type)
{
	return str_is(type, "text") || str_is(type, "match_only_text");
}

bool rebuild_is_put_aside(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(never_aside); i++)
		if (str_is(type, never_aside[i]))
			return false;
	return true;
}
