#include "transform/declarative.h"
#include "transform/jmespath.h"
#include "transform/transform_internal.h"
#include "transform/value_step.h"

static const char *type_name(const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		return "null";
	case JSON_FALSE:
	case JSON_TRUE:
		return "a boolean";
	case JSON_NUMBER:
		return "a number";
	case JSON_STRING:
	case JSON_BINARY:
		return "a text";
	case JSON_ARRAY:
		return "an array";
	case JSON_OBJECT:
		return "an object";
	}
	BUG("no type of JSON");
}

static int refuse_result(const struct json *v, const char *where, struct err *err)
{
	return err_set(
		err, ERR_FORMAT,
		"the JMESPath expression gives %s%s; it must give an object, a list of them, "
		"or [] to drop the message",
		where, type_name(v));
}

static int transform_value(void *state, struct json *value, struct arena *mem, struct json **out,
			   struct err *err)
{
	const struct jmespath *expression = state;
	struct json *found;
	int status = jmespath_search(expression, value, mem, &found, err);

	if (status < 0)
		return status;
	if (found->type != JSON_OBJECT && found->type != JSON_ARRAY)
		return refuse_result(found, "", err);
	if (found->type == JSON_ARRAY)
		json_each (one, found)
			if (one->type != JSON_OBJECT)
				return refuse_result(one, "a list with ", err);
	*out = found;
	return found != value;
}

static void release(void *state)
{
	jmespath_free(state);
}

int jmespath_configuration(const struct json *configuration, struct jmespath **out, struct err *err)
{
	static const char *const keys[] = {"script", NULL};
	int status = transform_check_keys(configuration, keys, err);
	const struct json *script = json_get(configuration, "script");

	if (status < 0)
		return status;
	if (!script || script->type != JSON_STRING)
		return err_set(err, ERR_USAGE, "script is %s; give a JMESPath expression",
			       script ? "no text" : "missing");
	if (jmespath_new(script->text, out, err) < 0)
		return err_wrap(err, "script");
	return 0;
}

static int make(const struct json *configuration, const struct transform_context *context,
		struct transform_step **out, struct err *err)
{
	struct jmespath *expression;
	int status = jmespath_configuration(configuration, &expression, err);

	(void)context;
	if (status == 0)
		*out = value_step_new(transform_value, expression, release);
	return status;
}

const struct transform_provider transform_provider_jmespath = {"JsonJMESPathTransformerProvider",
							       make};
