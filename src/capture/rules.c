#include "capture/rules.h"

#include "net/http1.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

struct header_rule {
	char *name;
	pcre2_code *value;
};

struct suppress_rules {
	pcre2_code *method, *target, *method_target;
	struct header_rule *headers;
	size_t header_count;
};

/* The end points of Elasticsearch and OpenSearch that read, though they take a POST. */
static const char *const reading[] = {
	"_search",   "_msearch",      "_count",         "_mget",         "_field_caps",
	"_validate", "_explain",      "_termvectors",   "_mtermvectors", "_rank_eval",
	"_analyze",  "_render",       "_search_shards", "_knn_search",   "_terms_enum",
	"_pit",      "_async_search", "_sql",           "_ppl",          "_eql",
	"_esql",     "_mvt",
};

/* The first part of each way that a DELETE has to end what a search keeps open. */
static const char *const ending[] = {
	"_search/scroll", "_search/point_in_time", "_pit", "_async_search", "_eql", "_sql"};

static bool is_reading(struct str part)
{
	for (size_t i = 0; i < COUNT_OF(reading); i++)
		if (str_is(part, reading[i]))
			return true;
	return false;
}

/* `path` is `parts`, or goes on below it. */
static bool is_at(struct str path, const char *parts)
{
	size_t len = strlen(parts);

	return str_starts(path, str_from(parts)) && (path.len == len || path.ptr[len] == '/');
}

static bool ends_search(struct str end_point)
{
	for (size_t i = 0; i < COUNT_OF(ending); i++)
		if (is_at(end_point, ending[i]))
			return true;
	return false;
}

/* Stored templates and pipelines of searches are kept below the end point that searches. */
static bool stores_search(struct str end_point)
{
	return is_at(end_point, "_search/pipeline") ||
	       str_starts(end_point, STR("_search/template/"));
}

/* `/_render/template`, `/_search/scroll`, `/index/_search/point_in_time`, `/index/_validate/query`:
 * what begins with the first part that has a `_` in front, but for those that only name a plugin. A
 * document's place has one, too. STR_NONE: there is none. */
static struct str end_point_of(struct str target)
{
	struct str path, rest, part;

	/* An absolute one has a host in front, which may be called anything. */
	if (!str_starts(target, STR("/")))
		return STR_NONE;
	str_split(target, '?', &path, &rest);
	rest = path;
	while (rest.len > 0) {
		struct str tail = STR_NONE;

		str_split(rest, '/', &part, &tail);
		if (part.len > 0 && part.ptr[0] == '_' && !str_is(part, "_all") &&
		    !str_is(part, "_plugins") && !str_is(part, "_opendistro") &&
		    !str_is(part, "_xpack"))
			return rest;
		rest = tail;
	}
	return STR_NONE;
}

static bool post_reads(struct str target)
{
	struct str end_point = end_point_of(target), part, rest;

	/* ES|QL. Behind an index it deleted by query once, and of plugins it is something else. */
	if (str_starts(target, STR("/_query")))
		return is_at(end_point, "_query");
	if (end_point.len == 0 || stores_search(end_point))
		return false;
	str_split(end_point, '/', &part, &rest);
	return is_reading(part);
}

bool request_is_mutating(struct str method, struct str target)
{
	if (str_is(method, "PUT") || str_is(method, "PATCH"))
		return true;
	if (str_is(method, "POST"))
		return !post_reads(target);
	/* Ending a scroll or a point in time changes nothing that is kept. */
	return str_is(method, "DELETE") && !ends_search(end_point_of(target));
}

static int compile(const char *what, const char *text, pcre2_code **out, struct err *err)
{
	PCRE2_UCHAR message[200];
	PCRE2_SIZE at;
	int code;

	if (!text)
		return 0;
	*out = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
			     PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code, &at, NULL);
	if (*out)
		return 0;
	pcre2_get_error_message(code, message, sizeof(message));
	return err_set(err, ERR_USAGE, "%s: the expression '%s' is wrong at character %zu: %s",
		       what, text, at + 1, (const char *)message);
}

static int compile_headers(const struct suppress_options *options, struct suppress_rules *rules,
			   struct err *err)
{
	if (options->header_count % 2)
		return err_set(err, ERR_USAGE,
			       "--suppress-capture-for-header-match takes a name and an "
			       "expression, two words each time");
	rules->headers = mem_zalloc((options->header_count / 2 + 1) * sizeof(*rules->headers));
	for (size_t i = 0; i < options->header_count; i += 2) {
		struct header_rule *rule = &rules->headers[rules->header_count++];
		int got;

		rule->name = mem_strdup(options->headers[i]);
		got = compile("--suppress-capture-for-header-match", options->headers[i + 1],
			      &rule->value, err);
		if (got < 0)
			return got;
	}
	return 0;
}

int suppress_rules_new(const struct suppress_options *options, struct suppress_rules **out,
		       struct err *err)
{
	struct suppress_rules *rules = mem_zalloc(sizeof(*rules));
	int got;

	if ((got = compile("--suppress-capture-for-method", options->method, &rules->method, err)) <
		    0 ||
	    (got = compile("--suppress-capture-for-uri-path", options->target, &rules->target,
			   err)) < 0 ||
	    (got = compile("--suppress-method-and-path", options->method_target,
			   &rules->method_target, err)) < 0 ||
	    (got = compile_headers(options, rules, err)) < 0) {
		suppress_rules_free(rules);
		return got;
	}
	*out = rules;
	return 0;
}

void suppress_rules_free(struct suppress_rules *rules)
{
	if (!rules)
		return;
	pcre2_code_free(rules->method);
	pcre2_code_free(rules->target);
	pcre2_code_free(rules->method_target);
	for (size_t i = 0; i < rules->header_count; i++) {
		free(rules->headers[i].name);
		pcre2_code_free(rules->headers[i].value);
	}
	free(rules->headers);
	free(rules);
}

static bool matches(const pcre2_code *code, struct str text)
{
	pcre2_match_data *data;
	int got;

	if (!code)
		return false;
	data = pcre2_match_data_create(1, NULL);
	got = pcre2_match(code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, 0, 0, data, NULL);
	pcre2_match_data_free(data);
	return got >= 0;
}

static bool header_matches(const struct suppress_rules *rules, struct str head)
{
	struct http1_header header;
	size_t at = 0;

	if (rules->header_count == 0)
		return false;
	while (http1_next_header(head, &at, &header))
		for (size_t i = 0; i < rules->header_count; i++)
			if (http1_name_is(header.name, rules->headers[i].name) &&
			    matches(rules->headers[i].value, header.value))
				return true;
	return false;
}

static bool both_match(const struct suppress_rules *rules, struct str method, struct str target)
{
	struct str both;
	char *text;
	bool got;

	if (!rules->method_target)
		return false;
	both.len = method.len + 1 + target.len;
	text = mem_alloc(both.len + 1);
	snprintf(text, both.len + 1, STR_FMT " " STR_FMT, STR_ARG(method), STR_ARG(target));
	both.ptr = text;
	got = matches(rules->method_target, both);
	free(text);
	return got;
}

bool suppress_rules_match(const struct suppress_rules *rules, struct str method, struct str target,
			  struct str head)
{
	return rules && (matches(rules->method, method) || matches(rules->target, target) ||
			 both_match(rules, method, target) || header_matches(rules, head));
}
