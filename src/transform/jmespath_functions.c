#include "transform/jmespath_functions.h"

/* Letters of argument types: n number, s text, a array, o object, N array of numbers, S array of
 * texts, c text or array, l text, array or object, e expression, * any value. */

static const struct jmespath_function functions[] = {
	{"abs", 1, 1, "n", jmespath_abs},
	{"avg", 1, 1, "N", jmespath_avg},
	{"ceil", 1, 1, "n", jmespath_ceil},
	{"contains", 2, 2, "c*", jmespath_contains},
	{"ends_with", 2, 2, "ss", jmespath_ends_with},
	{"floor", 1, 1, "n", jmespath_floor},
	{"join", 2, 2, "sS", jmespath_join},
	{"keys", 1, 1, "o", jmespath_keys},
	{"length", 1, 1, "l", jmespath_length},
	{"map", 2, 2, "ea", jmespath_map},
	{"max", 1, 1, "a", jmespath_max},
	{"max_by", 2, 2, "ae", jmespath_max_by},
	{"merge", 1, SIZE_MAX, "o", jmespath_merge},
	{"min", 1, 1, "a", jmespath_min},
	{"min_by", 2, 2, "ae", jmespath_min_by},
	{"not_null", 1, SIZE_MAX, "*", jmespath_not_null},
	{"reverse", 1, 1, "c", jmespath_reverse},
	{"sort", 1, 1, "a", jmespath_sort},
	{"sort_by", 2, 2, "ae", jmespath_sort_by},
	{"starts_with", 2, 2, "ss", jmespath_starts_with},
	{"sum", 1, 1, "N", jmespath_sum},
	{"to_array", 1, 1, "*", jmespath_to_array},
	{"to_number", 1, 1, "*", jmespath_to_number},
	{"to_string", 1, 1, "*", jmespath_to_string},
	{"type", 1, 1, "*", jmespath_type},
	{"values", 1, 1, "o", jmespath_values},
};

const struct jmespath_function *jmespath_function_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++)
		if (str_is(name, functions[i].name))
			return &functions[i];
	return NULL;
}

static bool all_of_type(const struct json *array, enum json_type type)
{
	json_each (one, array)
		if (one->type != type)
			return false;
	return true;
}

#define TYPE(type) (1u << JSON_##type)

static const struct {
	char letter;
	unsigned types;
	const char *expected;
} argument_types[] = {
	{'n', TYPE(NUMBER), "a number"},
	{'s', TYPE(STRING), "a text"},
	{'a', TYPE(ARRAY), "an array"},
	{'o', TYPE(OBJECT), "an object"},
	{'c', TYPE(STRING) | TYPE(ARRAY), "a text or an array"},
	{'l', TYPE(STRING) | TYPE(ARRAY) | TYPE(OBJECT), "a text, an array or an object"},
	{'N', TYPE(ARRAY), "an array of numbers"},
	{'S', TYPE(ARRAY), "an array of texts"},
};

/* NULL: it is of the type; else what it had to be. */
static const char *wrong_type(const struct jmespath_argument *argument, char type)
{
	if (type == 'e')
		return argument->expression ? NULL : "an expression (&…)";
	if (argument->expression)
		return "a value, no expression";
	for (size_t i = 0; i < COUNT_OF(argument_types); i++) {
		if (argument_types[i].letter != type)
			continue;
		if (!(argument_types[i].types & 1u << argument->value->type) ||
		    (type == 'N' && !all_of_type(argument->value, JSON_NUMBER)) ||
		    (type == 'S' && !all_of_type(argument->value, JSON_STRING)))
			return argument_types[i].expected;
	}
	return NULL;
}

struct json *jmespath_call(struct jmespath_run *run, const struct jmespath_function *function,
			   const struct jmespath_argument *arguments, size_t count)
{
	size_t types = strlen(function->types);

	for (size_t i = 0; i < count; i++) {
		const char *expected =
			wrong_type(&arguments[i], function->types[MIN(i, types - 1)]);

		if (!expected)
			continue;
		err_set(run->err, ERR_FORMAT, "JMESPath function %s: argument %zu must be %s",
			function->name, i + 1, expected);
		return NULL;
	}
	return function->call(run, arguments, count);
}
