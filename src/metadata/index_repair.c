#include "metadata/index_body.h"

/* Reasons lie in error, root_cause[], suppressed[] and caused_by; nothing useful lies deeper. */
#define ANSWER_DEPTH 6

struct repair {
	struct json *body;
	struct arena *mem;
	struct buf *changes;
	size_t count;
};

/* Finds `before`…`after` in `text`; *rest starts after it. */
static bool find_between(struct str text, const char *before, const char *after, struct str *out,
			 struct str *rest)
{
	const char *start = memmem(text.ptr, text.len, before, strlen(before));
	const char *end;

	if (!start)
		return false;
	start += strlen(before);
	end = memmem(start, (size_t)(text.ptr + text.len - start), after, strlen(after));
	if (!end)
		return false;
	*out = str_of(start, (size_t)(end - start));
	*rest = str_of(end, (size_t)(text.ptr + text.len - end));
	return true;
}

static struct json *body_mapping(const struct repair *repair)
{
	struct json *mapping = json_get(repair->body, "mappings");

	/* Below its type for Elasticsearch 6: then there is one member, and it is no field list. */
	if (mapping && mapping->count == 1 && json_get(mapping->first, "properties") &&
	    !json_get(mapping, "properties"))
		return mapping->first;
	return mapping;
}

static void remove_setting(struct repair *repair, struct str name, const char *why)
{
	if (!json_remove(json_get(repair->body, "settings"), name))
		return;
	repair->count++;
	changes_add(repair->changes, "left out " STR_FMT ": %s", STR_ARG(name), why);
}

/* "unknown setting [X] please …", "private index setting [X] can not be set explicitly" */
static void repair_settings(struct repair *repair, struct str reason)
{
	struct str rest = reason, name;

	while (find_between(rest, "unknown setting [", "]", &name, &rest))
		remove_setting(repair, name, "the target does not know it");
	rest = reason;
	while (find_between(rest, "private index setting [", "]", &name, &rest))
		remove_setting(repair, name, "the target sets it itself");
}

/* "unknown value for [index.codec] must be one of […] but was: zstd" */
static void repair_codec(struct repair *repair, struct str reason)
{
	struct json *settings = json_get(repair->body, "settings");
	struct str codec = json_string(json_get(settings, "index.codec"));
	struct json *replacement;

	if (codec.len == 0 || !memmem(reason.ptr, reason.len, "[index.codec]", 13))
		return;
	if (!str_starts(codec, STR("zstd"))) {
		remove_setting(repair, STR("index.codec"), "the target does not know the codec");
		return;
	}
	replacement = json_new_string(repair->mem, STR("best_compression"));
	if (!replacement)
		return;
	changes_add(repair->changes, "index.codec is best_compression: the target has no " STR_FMT,
		    STR_ARG(codec));
	json_set(settings, STR("index.codec"), replacement);
	repair->count++;
}

/* "Root mapping definition has unsupported parameters:  [_ttl : {…}] [_all : {…}]" */
static void repair_root(struct repair *repair, struct str reason)
{
	struct json *mapping = body_mapping(repair);
	struct str rest, name, ignored;

	if (!find_between(reason, "Root mapping definition has unsupported parameters:", "[",
			  &ignored, &rest))
		return;
	while (find_between(rest, "[", " : ", &name, &rest))
		if (json_remove(mapping, name)) {
			repair->count++;
			changes_add(repair->changes,
				    "left out " STR_FMT " of the mapping: the target does not "
				    "know it",
				    STR_ARG(name));
		}
}

struct field_repair {
	struct str field, parameter;
	size_t count;
};

static void remove_parameter(struct str name, struct json *definition, void *user)
{
	struct field_repair *wanted = user;

	/* Answers give a template's field a name of their own. */
	if ((name.len == 0 || str_eq(name, wanted->field)) &&
	    json_remove(definition, wanted->parameter))
		wanted->count++;
}

static void repair_field(struct repair *repair, struct str parameter, struct str field)
{
	struct field_repair wanted = {.field = field, .parameter = parameter};
	struct json *mapping = body_mapping(repair);

	if (parameter.len == 0 || str_is(parameter, "type"))
		return;
	index_mapping_each_field(mapping, remove_parameter, &wanted);
	/* Meta fields such as _source are fields to the target, too. */
	if (json_remove(json_get_str(mapping, field), parameter))
		wanted.count++;
	if (wanted.count == 0)
		return;
	repair->count += wanted.count;
	changes_add(repair->changes,
		    "left out " STR_FMT " of field " STR_FMT ": the target does not know it",
		    STR_ARG(parameter), STR_ARG(field));
}

/* "unknown parameter [p] on mapper [f] of type [t]"; before Elasticsearch 7.8 "Mapping definition
 * for [f] has unsupported parameters:  [p : v] [q : w]" */
static void repair_fields(struct repair *repair, struct str reason)
{
	struct str rest = reason, parameter, field;

	while (find_between(rest, "unknown parameter [", "]", &parameter, &rest) &&
	       find_between(rest, "on mapper [", "]", &field, &rest))
		repair_field(repair, parameter, field);
	if (find_between(reason, "Mapping definition for [",
			 "] has unsupported parameters:", &field, &rest)) {
		rest = str_from_offset(rest, 1);
		while (find_between(rest, "[", " : ", &parameter, &rest))
			repair_field(repair, parameter, field);
	}
}

static void read_reasons(struct repair *repair, const struct json *error, int depth)
{
	struct str reason = json_string(json_get(error, "reason"));

	if (depth == 0)
		return;
	if (reason.len > 0) {
		repair_settings(repair, reason);
		repair_codec(repair, reason);
		repair_root(repair, reason);
		repair_fields(repair, reason);
	}
	json_each (cause, json_get(error, "root_cause"))
		read_reasons(repair, cause, depth - 1);
	json_each (cause, json_get(error, "suppressed"))
		read_reasons(repair, cause, depth - 1);
	if (json_get(error, "caused_by"))
		read_reasons(repair, json_get(error, "caused_by"), depth - 1);
}

size_t index_body_repair(struct json *body, const struct json *answer, struct arena *mem,
			 struct buf *changes)
{
	struct repair repair = {.body = body, .mem = mem, .changes = changes};

	read_reasons(&repair, json_get(answer, "error"), ANSWER_DEPTH);
	return repair.count;
}
