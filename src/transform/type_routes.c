#define PCRE2_CODE_UNIT_WIDTH 8
#include "transform/type_routes.h"
#include "transform/transform_internal.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdlib.h>

#define INDEX_NAME_MAX 255u
#define PATTERN_MAX KIB(16)
#define MATCH_STEPS_MAX 1000000u

struct regex_route {
	pcre2_code *code;
	pcre2_match_data *match;
	struct str target; /* with $1 …; borrowed */
};

struct type_routes {
	const struct json *statics; /* or NULL; borrowed */
	struct regex_route *regexes;
	size_t regex_count;
	pcre2_match_context *limits;
	/* The answer given last: documents come by the thousand of one index and type. */
	bool asked;
	struct buf last_index, last_type, last_target;
	int last_status;
};

static const char *name_problem(struct str name)
{
	if (!name.len)
		return "is empty";
	if (name.len > INDEX_NAME_MAX)
		return "is longer than 255 bytes";
	if (memchr("_-+", name.ptr[0], 3))
		return "starts with '_', '-' or '+'";
	if (str_is(name, ".") || str_is(name, ".."))
		return "is a path";
	for (size_t i = 0; i < name.len; i++) {
		if (isupper((unsigned char)name.ptr[i]))
			return "has an upper-case letter";
		if (name.ptr[i] < ' ' ? name.ptr[i] >= 0
				      : strchr("\\/*?\"<>| ,#:", name.ptr[i]) != NULL)
			return "has a character that no index name may have";
	}
	return NULL;
}

static int read_static_types(const struct json *types, struct err *err)
{
	if (types->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE,
			       "staticMappings." STR_FMT " is no object {type: target index}",
			       STR_ARG(types->key));
	json_each (target, types) {
		const char *problem =
			target->type == JSON_STRING ? name_problem(target->text) : "is no text";

		if (problem)
			return err_set(err, ERR_USAGE,
				       "staticMappings." STR_FMT "." STR_FMT
				       ": the target index %s; leave a type out to drop it",
				       STR_ARG(types->key), STR_ARG(target->key), problem);
	}
	return 0;
}

static int read_statics(struct type_routes *routes, const struct json *statics, struct err *err)
{
	if (!statics || statics->type == JSON_NULL)
		return 0;
	if (statics->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE,
			       "staticMappings is no object {index: {type: target index}}");
	json_each (types, statics)
		if (read_static_types(types, err) < 0)
			return -(int)ERR_USAGE;
	routes->statics = statics;
	return 0;
}

static int compile(struct regex_route *route, struct str index, struct str type, size_t position,
		   struct err *err)
{
	cleanup(buf_release) struct buf pattern = BUF_INIT(PATTERN_MAX);
	PCRE2_UCHAR reason[128];
	PCRE2_SIZE at;
	int problem;

	buf_printf(&pattern, "(?:" STR_FMT ")/(?:" STR_FMT ")", STR_ARG(index), STR_ARG(type));
	if (buf_check(&pattern, "a pattern of regexMappings", err) < 0)
		return err_set(err, ERR_USAGE,
			       "regexMappings[%zu]: a pattern is longer than %zu bytes", position,
			       PATTERN_MAX);
	route->code =
		pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
			      PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &problem, &at, NULL);
	if (!route->code) {
		pcre2_get_error_message(problem, reason, sizeof(reason));
		return err_set(err, ERR_USAGE,
			       "regexMappings[%zu]: '" STR_FMT "' and '" STR_FMT
			       "' are no pattern: %s",
			       position, STR_ARG(index), STR_ARG(type), (const char *)reason);
	}
	route->match = pcre2_match_data_create_from_pattern(route->code, NULL);
	return route->match ? 0 : err_set(err, ERR_NOMEM, "no memory for a pattern");
}

static uint32_t group_count(const struct regex_route *route)
{
	uint32_t count = 0;

	pcre2_pattern_info(route->code, PCRE2_INFO_CAPTURECOUNT, &count);
	return count;
}

/* The group that "$…" at `at` means, and how many bytes that takes; 0 bytes: it is no group. Of two
 * digits, as many as there is a group for. */
static size_t group_reference(struct str text, size_t at, uint32_t groups, uint32_t *group)
{
	size_t digits = 0;
	uint32_t number = 0;

	if (text.ptr[at] != '$')
		return 0;
	while (digits < 2 && at + 1 + digits < text.len &&
	       isdigit((unsigned char)text.ptr[at + 1 + digits])) {
		uint32_t longer = number * 10 + (uint32_t)(text.ptr[at + 1 + digits] - '0');

		if (digits == 1 && longer > groups)
			break;
		number = longer;
		digits++;
	}
	*group = number;
	return digits ? digits + 1 : 0;
}

static int check_references(const struct regex_route *route, size_t position, struct err *err)
{
	uint32_t groups = group_count(route), group;

	for (size_t i = 0; i < route->target.len; i++)
		if (group_reference(route->target, i, groups, &group) &&
		    (group == 0 || group > groups))
			return err_set(
				err, ERR_USAGE,
				"regexMappings[%zu].targetIndexPattern: there is no group $%u;"
				" the two source patterns have %u",
				position, group, groups);
	return 0;
}

static int read_regex(struct type_routes *routes, const struct json *entry, size_t position,
		      struct err *err)
{
	static const char *const keys[] = {"sourceIndexPattern", "sourceTypePattern",
					   "targetIndexPattern", NULL};
	struct regex_route *route = &routes->regexes[position];

	if (entry->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "regexMappings[%zu] is no object", position);
	if (transform_check_keys(entry, keys, err) < 0)
		return err_wrap(err, "regexMappings[%zu]", position);
	for (size_t i = 0; keys[i]; i++)
		if (!json_string(json_get(entry, keys[i])).len)
			return err_set(err, ERR_USAGE,
				       "regexMappings[%zu].%s is missing, or no text", position,
				       keys[i]);
	route->target = json_string(json_get(entry, keys[2]));
	routes->regex_count++;
	if (compile(route, json_string(json_get(entry, keys[0])),
		    json_string(json_get(entry, keys[1])), position, err) < 0)
		return -(int)err->kind;
	return check_references(route, position, err);
}

static int read_regexes(struct type_routes *routes, const struct json *list, struct err *err)
{
	size_t position = 0;

	if (list && list->type != JSON_NULL && list->type != JSON_ARRAY)
		return err_set(err, ERR_USAGE, "regexMappings is no list");
	if (!list || !list->count) {
		routes->regexes = mem_zalloc(sizeof(*routes->regexes));
		routes->regexes->target = STR("$1");
		routes->regex_count = 1;
		return compile(routes->regexes, STR("(.+)"), STR("(.+)"), 0, err);
	}
	routes->regexes = mem_zalloc(list->count * sizeof(*routes->regexes));
	json_each (entry, list)
		if (read_regex(routes, entry, position++, err) < 0)
			return -(int)err->kind;
	return 0;
}

int type_routes_new(const struct json *configuration, struct type_routes **out, struct err *err)
{
	struct type_routes *routes = mem_zalloc(sizeof(*routes));

	routes->last_index = routes->last_type = routes->last_target = BUF_INIT(KIB(64));
	routes->limits = pcre2_match_context_create(NULL);
	if (routes->limits)
		pcre2_set_match_limit(routes->limits, MATCH_STEPS_MAX);
	if (read_statics(routes, json_get(configuration, "staticMappings"), err) < 0 ||
	    read_regexes(routes, json_get(configuration, "regexMappings"), err) < 0) {
		type_routes_free(routes);
		return -(int)err->kind;
	}
	*out = routes;
	return 0;
}

void type_routes_free(struct type_routes *routes)
{
	if (!routes)
		return;
	for (size_t i = 0; i < routes->regex_count; i++) {
		pcre2_match_data_free(routes->regexes[i].match);
		pcre2_code_free(routes->regexes[i].code);
	}
	free(routes->regexes);
	pcre2_match_context_free(routes->limits);
	buf_release(&routes->last_index);
	buf_release(&routes->last_type);
	buf_release(&routes->last_target);
	free(routes);
}

const struct json *type_routes_statics(const struct type_routes *routes)
{
	return routes->statics;
}

const struct json *type_routes_static(const struct type_routes *routes, struct str index)
{
	return json_get_str(routes->statics, index);
}

static void substitute(const struct regex_route *route, struct str source, struct buf *out)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(route->match);
	uint32_t groups = group_count(route), group;

	for (size_t i = 0; i < route->target.len;) {
		size_t length = group_reference(route->target, i, groups, &group);

		if (!length) {
			buf_append_byte(out, route->target.ptr[i++]);
			continue;
		}
		if (at[2 * group] != PCRE2_UNSET)
			buf_append(out, source.ptr + at[2 * group],
				   at[2 * group + 1] - at[2 * group]);
		i += length;
	}
}

static int match_regexes(struct type_routes *routes, struct str index, struct str type,
			 struct buf *target, struct err *err)
{
	cleanup(buf_release) struct buf source = BUF_INIT(KIB(64));

	buf_printf(&source, STR_FMT "/" STR_FMT, STR_ARG(index), STR_ARG(type));
	if (buf_check(&source, "the name of an index and type", err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < routes->regex_count; i++) {
		struct regex_route *route = &routes->regexes[i];
		int status = pcre2_match(route->code, (PCRE2_SPTR)source.ptr, source.len, 0, 0,
					 route->match, routes->limits);

		if (status == PCRE2_ERROR_NOMATCH)
			continue;
		if (status < 0)
			return err_set(err, ERR_LIMIT,
				       "regexMappings[%zu] cannot be matched with '" STR_FMT
				       "': it needs too many steps, or the name is no UTF-8",
				       i, STR_ARG(buf_str(&source)));
		substitute(route, buf_str(&source), target);
		return 1;
	}
	return 0;
}

static int find(struct type_routes *routes, struct str index, struct str type, struct err *err)
{
	const struct json *types = type_routes_static(routes, index);
	const struct json *target;

	buf_reset(&routes->last_target);
	if (!types)
		return match_regexes(routes, index, type, &routes->last_target, err);
	target = json_get_str(types, type);
	if (!target)
		return 0;
	buf_append_str(&routes->last_target, target->text);
	return 1;
}

static bool is_last(const struct type_routes *routes, struct str index, struct str type)
{
	return routes->asked && str_eq(buf_str(&routes->last_index), index) &&
	       str_eq(buf_str(&routes->last_type), type);
}

int type_routes_target(struct type_routes *routes, struct str index, struct str type,
		       struct arena *mem, struct str *target, struct err *err)
{
	if (!is_last(routes, index, type)) {
		routes->asked = false;
		routes->last_status = find(routes, index, type, err);
		if (routes->last_status < 0)
			return routes->last_status;
		buf_reset(&routes->last_index);
		buf_reset(&routes->last_type);
		buf_append_str(&routes->last_index, index);
		buf_append_str(&routes->last_type, type);
		if (buf_check(&routes->last_target, "the name of a target index", err) < 0 ||
		    buf_check(&routes->last_index, "the name of an index", err) < 0 ||
		    buf_check(&routes->last_type, "the name of a type", err) < 0)
			return -(int)err->kind;
		routes->asked = true;
	}
	if (routes->last_status == 0)
		return 0;
	*target = arena_str(mem, buf_str(&routes->last_target));
	return target->ptr ? 1 : arena_fail(mem, "the name of a target index", err);
}

int type_routes_index(struct type_routes *routes, struct str index, struct str type,
		      struct arena *mem, struct str *target, struct err *err)
{
	int status = type_routes_target(routes, index, type, mem, target, err);
	const char *problem = status > 0 ? name_problem(*target) : NULL;

	if (problem)
		return err_set(err, ERR_FORMAT,
			       "index '" STR_FMT "', type '" STR_FMT "': the target index '" STR_FMT
			       "' %s; name another in staticMappings",
			       STR_ARG(index), STR_ARG(type), STR_ARG(*target), problem);
	return status;
}
