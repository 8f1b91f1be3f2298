#include "transform/declarative.h"
#include "transform/jolt_internal.h"
#include "transform/transform_internal.h"
#include "transform/value_step.h"

#include <stdlib.h>

enum operation_type {
	OPERATION_SHIFT,
	OPERATION_DEFAULT,
	OPERATION_REMOVE,
	OPERATION_SET_HEADER, /* canned */
	OPERATION_NOTHING,    /* canned */
};

struct operation {
	enum operation_type type;
	const struct json *spec;   /* borrowed */
	const char *header, *text; /* of OPERATION_SET_HEADER */
};

struct jolt {
	struct operation *operations;
	size_t count;
};

static const struct {
	const char *name;
	struct operation operation;
} canned[] = {
	{"ADD_GZIP", {.type = OPERATION_SET_HEADER, .header = "content-encoding", .text = "gzip"}},
	{"MAKE_CHUNKED",
	 {.type = OPERATION_SET_HEADER, .header = "transfer-encoding", .text = "chunked"}},
	{"PASS_THRU", {.type = OPERATION_NOTHING}},
};

/* Header names in any case, each with the list of its values. */
static void set_header(const struct operation *operation, struct json *message, struct arena *mem)
{
	struct json *headers = json_get(message, "headers"), *values = json_new(mem, JSON_ARRAY);
	struct json *header, *next;

	if (!headers || headers->type != JSON_OBJECT)
		json_set(message, STR("headers"), headers = json_new(mem, JSON_OBJECT));
	if (!headers)
		return;
	for (header = headers->first; header; header = next) {
		next = header->next;
		if (header->key.len == strlen(operation->header) &&
		    strncasecmp(header->key.ptr, operation->header, header->key.len) == 0)
			json_remove(headers, header->key);
	}
	json_append(values, json_new_string(mem, str_from(operation->text)));
	json_set(headers, str_from(operation->header), values);
}

static int transform_value(void *state, struct json *value, struct arena *mem, struct json **out,
			   struct err *err)
{
	const struct jolt *jolt = state;
	int changed = 0;

	for (size_t i = 0; i < jolt->count; i++) {
		const struct operation *operation = &jolt->operations[i];

		if (operation->type == OPERATION_NOTHING)
			continue;
		changed = 1;
		if (operation->type == OPERATION_REMOVE)
			jolt_remove(operation->spec, value, mem);
		else if (operation->type == OPERATION_DEFAULT)
			jolt_default(operation->spec, value, mem);
		else if (operation->type == OPERATION_SET_HEADER)
			set_header(operation, value, mem);
		else if (jolt_shift(operation->spec, value, mem, &value, err) < 0)
			return -(int)err->kind;
	}
	*out = value;
	return changed;
}

static void release(void *state)
{
	struct jolt *jolt = state;

	free(jolt->operations);
	free(jolt);
}

static int check_stars(const struct json *spec, struct err *err)
{
	size_t stars = 0;

	for (size_t i = 0; i < spec->key.len; i++)
		stars += spec->key.ptr[i] == '*';
	if (stars > JOLT_STARS_MAX)
		return err_set(err, ERR_USAGE, "key '" STR_FMT "' has more than %u stars",
			       STR_ARG(spec->key), JOLT_STARS_MAX);
	json_each (child, spec)
		if (check_stars(child, err) < 0)
			return -(int)ERR_USAGE;
	return 0;
}

static int read_script(const struct json *script, struct operation *operation, struct err *err)
{
	static const char *const keys[] = {"operation", "spec", NULL};
	struct str name = json_string(json_get(script, "operation"));

	if (script->type != JSON_OBJECT || transform_check_keys(script, keys, err) < 0)
		return err_set(err, ERR_USAGE,
			       "script is no object {\"operation\": …, \"spec\": {…}}");
	operation->spec = json_get(script, "spec");
	if (!operation->spec || operation->spec->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "script.spec is no object");
	if (check_stars(operation->spec, err) < 0)
		return err_wrap(err, "script.spec");
	if (str_is(name, "shift")) {
		operation->type = OPERATION_SHIFT;
		return jolt_shift_check(operation->spec, err);
	}
	if (str_is(name, "default")) {
		operation->type = OPERATION_DEFAULT;
		return jolt_default_check(operation->spec, err);
	}
	if (str_is(name, "remove")) {
		operation->type = OPERATION_REMOVE;
		return jolt_remove_check(operation->spec, err);
	}
	return err_set(err, ERR_USAGE,
		       "script.operation '" STR_FMT "' is not there; use shift, default or remove, "
		       "or a JsonJSTransformerProvider",
		       STR_ARG(name));
}

static int read_canned(const struct json *name, enum transform_kind kind,
		       struct operation *operation, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(canned); i++) {
		if (!str_is(json_string(name), canned[i].name))
			continue;
		*operation = canned[i].operation;
		if (operation->type == OPERATION_SET_HEADER && kind != TRANSFORM_REQUEST)
			return err_set(err, ERR_USAGE, "canned %s is for requests only",
				       canned[i].name);
		return 0;
	}
	return err_set(err, ERR_USAGE,
		       "there is no canned '" STR_FMT "'; use ADD_GZIP, MAKE_CHUNKED or "
		       "PASS_THRU",
		       STR_ARG(json_text_or(name, STR_NONE)));
}

static int read_operation(const struct json *entry, enum transform_kind kind,
			  struct operation *operation, struct err *err)
{
	const struct json *script = json_get(entry, "script");
	const struct json *name = json_get(entry, "canned");

	if (entry->type != JSON_OBJECT || entry->count != 1 || (!script && !name))
		return err_set(
			err, ERR_USAGE,
			"its configuration must be an object with one key, canned or script, "
			"or a list of these");
	return script ? read_script(script, operation, err)
		      : read_canned(name, kind, operation, err);
}

static int read_operations(struct jolt *jolt, const struct json *configuration,
			   enum transform_kind kind, struct err *err)
{
	static const struct json missing = {.type = JSON_NULL};
	const struct json *entry = configuration ? configuration : &missing;
	size_t count = entry->type == JSON_ARRAY ? entry->count : 1;
	int status;

	jolt->operations = mem_zalloc(MAX(count, (size_t)1) * sizeof(*jolt->operations));
	if (entry->type == JSON_ARRAY)
		entry = entry->first;
	for (; jolt->count < count; entry = entry->next) {
		status = read_operation(entry, kind, &jolt->operations[jolt->count], err);
		if (status < 0)
			return status;
		jolt->count++;
	}
	return 0;
}

static int make(const struct json *configuration, const struct transform_context *context,
		struct transform_step **out, struct err *err)
{
	struct jolt *jolt = mem_zalloc(sizeof(*jolt));
	int status = read_operations(jolt, configuration, context->kind, err);

	if (status < 0) {
		release(jolt);
		return status;
	}
	*out = value_step_new(transform_value, jolt, release);
	return 0;
}

const struct transform_provider transform_provider_jolt = {"JsonJoltTransformerProvider", make};
