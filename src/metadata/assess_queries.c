/* Queries: names that later versions do not know, in search bodies and in texts that become some.
 */
#include "metadata/assess_internal.h"

#include <ctype.h>

#define DEPTH_MAX 200
#define NESTED_QUERIES_MAX 20 /* OpenSearch 3 */

static const struct {
	const char *name, *id;
	bool plain; /* a word that means other things elsewhere: not looked for in texts */
} removed[] = {
	{"filtered", "BQ01", false},
	{"and", "BQ02", true},
	{"or", "BQ02", true},
	{"not", "BQ02", true},
	{"missing", "BQ03", true},
	{"fuzzy_like_this", "BQ07", false},
	{"flt", "BQ07", false},
	{"fuzzy_like_this_field", "BQ07", false},
	{"flt_field", "BQ07", false},
	{"top_children", "BQ07", false},
	{"custom_score", "BQ07", false},
	{"custom_boost_factor", "BQ07", false},
	{"custom_filters_score", "BQ07", false},
	{"limit", "BQ08", true},
	{"indices", "BQ08", true},
	{"template", "BQ08", true},
	{"geo_distance_range", "BQ08", false},
	{"geohash_cell", "BQ08", false},
	{"in", "BQ08", true},
	{"mlt", "BQ08", false},
	{"geo_bbox", "BQ08", false},
	{"match_fuzzy", "BQ08", false},
	{"fuzzy_match", "BQ08", false},
	{"type", "BQ10", true},
	{"common", "BQ10", true},
};

static void hit(struct assess_scan *scan, const char *id, const char *what)
{
	if (!assess_applies(scan->a, id))
		return;
	scan->id = id;
	assess_hit(scan, NULL, "it has %s", what);
}

static void scan_query(struct assess_scan *scan, const struct json *query, int depth);

/* The queries within one: {"bool": {"must": […]}}, {"nested": {"query": …}} … */
static void scan_inner(struct assess_scan *scan, const struct json *body, int depth)
{
	static const char *const holders[] = {
		"query",    "filter",   "must",    "must_not", "should",
		"positive", "negative", "filters", "queries",  "no_match_query",
		"clauses",  "and",      "or",      "not"};

	for (size_t i = 0; i < COUNT_OF(holders); i++)
		scan_query(scan, json_get(body, holders[i]), depth + 1);
	json_each (function, json_get(body, "functions"))
		scan_query(scan, json_get(function, "filter"), depth + 1);
}

static bool means_all(const struct json *body)
{
	if (json_get(body, "_all") ||
	    str_is(json_string(json_get(body, "default_field")), "_all") ||
	    str_is(json_string(json_get(body, "field")), "_all"))
		return true;
	json_each (field, json_get(body, "fields"))
		if (str_is(json_string(field), "_all"))
			return true;
	return false;
}

static void scan_one(struct assess_scan *scan, const struct json *query, int depth)
{
	for (size_t i = 0; i < COUNT_OF(removed); i++)
		if (str_is(query->key, removed[i].name) &&
		    (query->type == JSON_OBJECT || query->type == JSON_ARRAY))
			hit(scan, removed[i].id, removed[i].name);
	if (query->type == JSON_OBJECT && means_all(query))
		hit(scan, "BQ09", "_all");
	if (str_is(query->key, "wildcard"))
		json_each (field, query)
			if (json_get(field, "case_insensitive"))
				hit(scan, "BO24", "a wildcard with case_insensitive");
	/* and, or and not hold queries themselves, or say so: each is looked at once. */
	if (query->type == JSON_ARRAY ||
	    (str_is(query->key, "not") && !json_get(query, "filter") && !json_get(query, "query")))
		scan_query(scan, query, depth + 1);
	else
		scan_inner(scan, query, depth);
}

static void scan_query(struct assess_scan *scan, const struct json *query, int depth)
{
	if (!query || depth > DEPTH_MAX)
		return;
	if (depth == NESTED_QUERIES_MAX + 1)
		hit(scan, "BO34", "queries nested deeper than 20");
	if (query->type == JSON_ARRAY) {
		json_each (element, query)
			scan_query(scan, element, depth);
		return;
	}
	if (query->type != JSON_OBJECT)
		return;
	json_each (one, query)
		scan_one(scan, one, depth);
}

void assess_query(struct assess_scan *scan, const struct json *query)
{
	scan_query(scan, query, 0);
}

static void scan_aggregations(struct assess_scan *scan, const struct json *aggregations, int depth)
{
	if (depth > DEPTH_MAX || !aggregations || aggregations->type != JSON_OBJECT)
		return;
	json_each (aggregation, aggregations) {
		const struct json *filters = json_path(aggregation, "filters", "filters", NULL);

		scan_query(scan, json_get(aggregation, "filter"), 0);
		json_each (filter, filters)
			scan_query(scan, filter, 0);
		scan_aggregations(scan, json_get(aggregation, "aggs"), depth + 1);
		scan_aggregations(scan, json_get(aggregation, "aggregations"), depth + 1);
	}
}

void assess_search_body(struct assess_scan *scan, const struct json *body)
{
	static const char *const fields[] = {"fields", "fielddata_fields"};
	static const char *const queries[] = {"query", "filter", "post_filter"};

	if (!body || body->type != JSON_OBJECT)
		return;
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (json_get(body, fields[i]))
			hit(scan, "BQ04", fields[i]);
	if (json_get(body, "facets"))
		hit(scan, "BQ05", "facets");
	for (size_t i = 0; i < COUNT_OF(queries); i++)
		scan_query(scan, json_get(body, queries[i]), 0);
	scan_aggregations(scan, json_get(body, "aggs"), 0);
	scan_aggregations(scan, json_get(body, "aggregations"), 0);
}

/* "name" : { or [ */
static bool has_member(struct str text, const char *name)
{
	size_t length = strlen(name);

	for (size_t at = 0; at + length + 2 <= text.len; at++) {
		size_t next = at + length + 2;

		if (text.ptr[at] != '"' || memcmp(text.ptr + at + 1, name, length) != 0 ||
		    text.ptr[next - 1] != '"')
			continue;
		while (next < text.len && isspace((unsigned char)text.ptr[next]))
			next++;
		if (next == text.len || text.ptr[next] != ':')
			continue;
		next++;
		while (next < text.len && isspace((unsigned char)text.ptr[next]))
			next++;
		if (next < text.len && (text.ptr[next] == '{' || text.ptr[next] == '['))
			return true;
	}
	return false;
}

void assess_query_text(struct assess_scan *scan, struct str text)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct json *body;

	if (json_parse(text, &mem, &body, NULL) == 0) {
		assess_search_body(scan, body);
		if (!json_get(body, "query"))
			assess_query(scan, body);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(removed); i++)
		if (!removed[i].plain && has_member(text, removed[i].name))
			hit(scan, removed[i].id, removed[i].name);
	if (has_member(text, "facets"))
		hit(scan, "BQ05", "facets");
}
