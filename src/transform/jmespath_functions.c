#include "transform/jmespath_internal.h"

#include "base/json_number.h"

#include <math.h>
#include <stdlib.h>

/* Letters of argument types: n number, s text, a array, o object, N array of numbers, S array of
 * texts, c text or array, l text, array or object, e expression, * any value. */

static struct json *refuse(struct jmespath_run *run, const char *function, const char *what)
{
	err_set(run->err, ERR_FORMAT, "JMESPath function %s: %s", function, what);
	return NULL;
}

static struct json *null_value(struct jmespath_run *run)
{
	return jmespath_new_value(run, JSON_NULL);
}

static struct json *new_bool(struct jmespath_run *run, bool value)
{
	return jmespath_new_value(run, value ? JSON_TRUE : JSON_FALSE);
}

static struct json *new_text(struct jmespath_run *run, enum json_type type, struct str text)
{
	struct json *v = jmespath_new_value(run, type);

	if (v)
		v->text = text;
	if (text.ptr || !text.len)
		return v;
	arena_fail(run->mem, "the value of a JMESPath function", run->err);
	return NULL;
}

static double to_double(struct jmespath_run *run, const struct json *v)
{
	/* The copy ends with a NUL; where there is no room for it, the search fails anyway. */
	struct str text = arena_str(run->mem, v->text);

	return text.ptr ? strtod(text.ptr, NULL) : 0;
}

/* Whole numbers without a point; what is no number (an overflow) as null. */
static struct json *new_double(struct jmespath_run *run, double value)
{
	if (!isfinite(value))
		return null_value(run);
	if (value == floor(value) && fabs(value) < 9007199254740992.0)
		return new_text(run, JSON_NUMBER, arena_printf(run->mem, "%.0f", value + 0.0));
	return new_text(run, JSON_NUMBER, json_number_of_double(run->mem, value));
}

static struct json *call_abs(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	struct str text = arguments[0].value->text;

	(void)count;
	return new_text(run, JSON_NUMBER, str_from_offset(text, str_starts(text, STR("-"))));
}

static bool is_whole(struct str number)
{
	for (size_t i = 0; i < number.len; i++)
		if (strchr(".eE", number.ptr[i]))
			return false;
	return true;
}

static struct json *rounded(struct jmespath_run *run, struct json *v, double (*round_to)(double))
{
	return is_whole(v->text) ? v : new_double(run, round_to(to_double(run, v)));
}

static struct json *call_ceil(struct jmespath_run *run, const struct jmespath_argument *arguments,
			      size_t count)
{
	(void)count;
	return rounded(run, arguments[0].value, ceil);
}

static struct json *call_floor(struct jmespath_run *run, const struct jmespath_argument *arguments,
			       size_t count)
{
	(void)count;
	return rounded(run, arguments[0].value, floor);
}

/* True while all are integers whose sum fits. */
static bool integer_sum(const struct json *array, int64_t *sum)
{
	*sum = 0;
	json_each (one, array) {
		int64_t value = json_i64_or(one, INT64_MIN);

		if (!is_whole(one->text) || value == INT64_MIN ||
		    __builtin_add_overflow(*sum, value, sum))
			return false;
	}
	return true;
}

static double double_sum(struct jmespath_run *run, const struct json *array)
{
	double sum = 0;

	json_each (one, array)
		sum += to_double(run, one);
	return sum;
}

static struct json *call_sum(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	int64_t sum;

	(void)count;
	if (integer_sum(arguments[0].value, &sum))
		return new_text(run, JSON_NUMBER, arena_printf(run->mem, "%lld", (long long)sum));
	return new_double(run, double_sum(run, arguments[0].value));
}

static struct json *call_avg(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	const struct json *array = arguments[0].value;

	(void)count;
	return array->count ? new_double(run, double_sum(run, array) / (double)array->count)
			    : null_value(run);
}

static struct json *call_contains(struct jmespath_run *run,
				  const struct jmespath_argument *arguments, size_t count)
{
	const struct json *in = arguments[0].value, *what = arguments[1].value;

	(void)count;
	if (in->type == JSON_STRING)
		return new_bool(run,
				what->type == JSON_STRING &&
					(!what->text.len ||
					 (in->text.len && memmem(in->text.ptr, in->text.len,
								 what->text.ptr, what->text.len))));
	json_each (one, in)
		if (jmespath_equal(run, one, what))
			return new_bool(run, true);
	return new_bool(run, false);
}

static struct json *call_starts_with(struct jmespath_run *run,
				     const struct jmespath_argument *arguments, size_t count)
{
	(void)count;
	return new_bool(run, str_starts(arguments[0].value->text, arguments[1].value->text));
}

static struct json *call_ends_with(struct jmespath_run *run,
				   const struct jmespath_argument *arguments, size_t count)
{
	(void)count;
	return new_bool(run, str_ends(arguments[0].value->text, arguments[1].value->text));
}

static struct json *call_join(struct jmespath_run *run, const struct jmespath_argument *arguments,
			      size_t count)
{
	cleanup(buf_release) struct buf joined = BUF_INIT(LIMIT_SOURCE);

	(void)count;
	json_each (one, arguments[1].value) {
		if (one != arguments[1].value->first)
			buf_append_str(&joined, arguments[0].value->text);
		buf_append_str(&joined, one->text);
	}
	if (buf_check(&joined, "the result of JMESPath function join", run->err) < 0)
		return NULL;
	return new_text(run, JSON_STRING, arena_str(run->mem, buf_str(&joined)));
}

/* The keys, or the values, of an object. */
static struct json *parts_of(struct jmespath_run *run, const struct json *object, bool keys)
{
	struct json *list = jmespath_new_value(run, JSON_ARRAY), *part;

	if (!list)
		return NULL;
	json_each (member, object) {
		part = keys ? new_text(run, JSON_STRING, member->key) : jmespath_alias(run, member);
		if (!part)
			return NULL;
		json_append(list, part);
	}
	return list;
}

static struct json *call_keys(struct jmespath_run *run, const struct jmespath_argument *arguments,
			      size_t count)
{
	(void)count;
	return parts_of(run, arguments[0].value, true);
}

static struct json *call_values(struct jmespath_run *run, const struct jmespath_argument *arguments,
				size_t count)
{
	(void)count;
	return parts_of(run, arguments[0].value, false);
}

/* Bytes of the character at the start of a text that is not empty. */
static size_t character_length(struct str text)
{
	size_t length = 1;

	while (length < text.len && ((unsigned char)text.ptr[length] & 0xc0) == 0x80)
		length++;
	return length;
}

static struct json *call_length(struct jmespath_run *run, const struct jmespath_argument *arguments,
				size_t count)
{
	const struct json *v = arguments[0].value;
	size_t length = v->count;

	(void)count;
	if (v->type == JSON_STRING)
		for (struct str left = v->text; left.len; length++)
			left = str_from_offset(left, character_length(left));
	return new_text(run, JSON_NUMBER, arena_printf(run->mem, "%zu", length));
}

static struct json *call_map(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	struct json *list = jmespath_new_value(run, JSON_ARRAY), *v, *alias;

	(void)count;
	if (!list)
		return NULL;
	json_each (one, arguments[1].value) {
		v = jmespath_evaluate(run, arguments[0].expression, one);
		alias = v ? jmespath_alias(run, v) : NULL;
		if (!alias)
			return NULL;
		json_append(list, alias);
	}
	return list;
}

static struct json *call_merge(struct jmespath_run *run, const struct jmespath_argument *arguments,
			       size_t count)
{
	struct json *merged = jmespath_new_value(run, JSON_OBJECT), *alias;

	if (!merged)
		return NULL;
	for (size_t i = 0; i < count; i++)
		json_each (member, arguments[i].value) {
			alias = jmespath_alias(run, member);
			if (!alias)
				return NULL;
			json_set(merged, member->key, alias);
		}
	return merged;
}

static struct json *call_not_null(struct jmespath_run *run,
				  const struct jmespath_argument *arguments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (arguments[i].value->type != JSON_NULL)
			return arguments[i].value;
	return null_value(run);
}

static struct json *reversed_text(struct jmespath_run *run, struct str text)
{
	char *bytes = arena_alloc(run->mem, text.len);
	size_t at = text.len;

	if (!bytes) {
		arena_fail(run->mem, "the value of a JMESPath function", run->err);
		return NULL;
	}
	for (struct str left = text; left.len;) {
		size_t length = character_length(left);

		at -= length;
		memcpy(bytes + at, left.ptr, length);
		left = str_from_offset(left, length);
	}
	return new_text(run, JSON_STRING, str_of(bytes, text.len));
}

static struct json *call_reverse(struct jmespath_run *run,
				 const struct jmespath_argument *arguments, size_t count)
{
	const struct json *v = arguments[0].value;
	struct json *list, *alias, *after = NULL;

	(void)count;
	if (v->type == JSON_STRING)
		return reversed_text(run, v->text);
	list = jmespath_new_value(run, JSON_ARRAY);
	if (!list)
		return NULL;
	json_each (one, v) {
		alias = jmespath_alias(run, one);
		if (!alias)
			return NULL;
		alias->next = after;
		after = alias;
		if (!list->last)
			list->last = alias;
	}
	list->first = after;
	list->count = v->count;
	return list;
}

static struct json *call_to_array(struct jmespath_run *run,
				  const struct jmespath_argument *arguments, size_t count)
{
	struct json *list, *alias;

	(void)count;
	if (arguments[0].value->type == JSON_ARRAY)
		return arguments[0].value;
	list = jmespath_new_value(run, JSON_ARRAY);
	alias = list ? jmespath_alias(run, arguments[0].value) : NULL;
	json_append(list, alias);
	return alias ? list : NULL;
}

static struct json *call_to_number(struct jmespath_run *run,
				   const struct jmespath_argument *arguments, size_t count)
{
	struct json *v = arguments[0].value, *number;
	struct err ignored;

	(void)count;
	if (v->type == JSON_NUMBER)
		return v;
	if (v->type != JSON_STRING || json_parse(v->text, run->mem, &number, &ignored) < 0 ||
	    number->type != JSON_NUMBER)
		return null_value(run);
	return number;
}

static struct json *call_to_string(struct jmespath_run *run,
				   const struct jmespath_argument *arguments, size_t count)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SOURCE);
	struct json *v = arguments[0].value;

	(void)count;
	if (v->type == JSON_STRING)
		return v;
	json_write(&text, v);
	if (buf_check(&text, "the result of JMESPath function to_string", run->err) < 0)
		return NULL;
	return new_text(run, JSON_STRING, arena_str(run->mem, buf_str(&text)));
}

static struct json *call_type(struct jmespath_run *run, const struct jmespath_argument *arguments,
			      size_t count)
{
	static const struct str names[] = {
		[JSON_NULL] = {"null", 4},     [JSON_FALSE] = {"boolean", 7},
		[JSON_TRUE] = {"boolean", 7},  [JSON_NUMBER] = {"number", 6},
		[JSON_STRING] = {"string", 6}, [JSON_BINARY] = {"string", 6},
		[JSON_ARRAY] = {"array", 5},   [JSON_OBJECT] = {"object", 6},
	};

	(void)count;
	return new_text(run, JSON_STRING, names[arguments[0].value->type]);
}

/* An element with what it is sorted by, and its place, so that equal ones stay in order. */
struct ranked {
	struct json *element;
	const struct json *rank;
	size_t place;
};

static int ranked_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = jmespath_order(x->rank, y->rank);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* The elements of an array with their ranks: what `expression` (NULL: they themselves) gives of
 * each, all numbers or all texts. */
static struct ranked *rank_all(struct jmespath_run *run, const struct json *array,
			       const struct jmespath_node *expression, const char *function)
{
	struct ranked *all = arena_zalloc(run->mem, array->count, sizeof(*all));
	size_t i = 0;

	if (!all) {
		arena_fail(run->mem, "the value of a JMESPath function", run->err);
		return NULL;
	}
	json_each (one, array) {
		const struct json *rank =
			expression ? jmespath_evaluate(run, expression, one) : one;

		if (!rank)
			return NULL;
		if ((rank->type != JSON_NUMBER && rank->type != JSON_STRING) ||
		    (i && rank->type != all[0].rank->type)) {
			refuse(run, function,
			       "what is compared is neither all numbers nor all texts");
			return NULL;
		}
		all[i] = (struct ranked){one, rank, i};
		i++;
	}
	return all;
}

static struct json *sorted(struct jmespath_run *run, const struct json *array,
			   const struct jmespath_node *expression, const char *function)
{
	struct ranked *all = rank_all(run, array, expression, function);
	struct json *list = all ? jmespath_new_value(run, JSON_ARRAY) : NULL, *alias;

	if (!list)
		return NULL;
	qsort(all, array->count, sizeof(*all), ranked_order);
	for (size_t i = 0; i < array->count; i++) {
		alias = jmespath_alias(run, all[i].element);
		if (!alias)
			return NULL;
		json_append(list, alias);
	}
	return list;
}

static struct json *extreme(struct jmespath_run *run, const struct json *array,
			    const struct jmespath_node *expression, int sign, const char *function)
{
	struct ranked *all = rank_all(run, array, expression, function);
	size_t best = 0;

	if (!all)
		return NULL;
	if (!array->count)
		return null_value(run);
	for (size_t i = 1; i < array->count; i++)
		if (jmespath_order(all[i].rank, all[best].rank) * sign > 0)
			best = i;
	return all[best].element;
}

static struct json *call_sort(struct jmespath_run *run, const struct jmespath_argument *arguments,
			      size_t count)
{
	(void)count;
	return sorted(run, arguments[0].value, NULL, "sort");
}

static struct json *call_sort_by(struct jmespath_run *run,
				 const struct jmespath_argument *arguments, size_t count)
{
	(void)count;
	return sorted(run, arguments[0].value, arguments[1].expression, "sort_by");
}

static struct json *call_max(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, NULL, 1, "max");
}

static struct json *call_max_by(struct jmespath_run *run, const struct jmespath_argument *arguments,
				size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, arguments[1].expression, 1, "max_by");
}

static struct json *call_min(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, NULL, -1, "min");
}

static struct json *call_min_by(struct jmespath_run *run, const struct jmespath_argument *arguments,
				size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, arguments[1].expression, -1, "min_by");
}

static const struct jmespath_function functions[] = {
	{"abs", 1, 1, "n", call_abs},
	{"avg", 1, 1, "N", call_avg},
	{"ceil", 1, 1, "n", call_ceil},
	{"contains", 2, 2, "c*", call_contains},
	{"ends_with", 2, 2, "ss", call_ends_with},
	{"floor", 1, 1, "n", call_floor},
	{"join", 2, 2, "sS", call_join},
	{"keys", 1, 1, "o", call_keys},
	{"length", 1, 1, "l", call_length},
	{"map", 2, 2, "ea", call_map},
	{"max", 1, 1, "a", call_max},
	{"max_by", 2, 2, "ae", call_max_by},
	{"merge", 1, SIZE_MAX, "o", call_merge},
	{"min", 1, 1, "a", call_min},
	{"min_by", 2, 2, "ae", call_min_by},
	{"not_null", 1, SIZE_MAX, "*", call_not_null},
	{"reverse", 1, 1, "c", call_reverse},
	{"sort", 1, 1, "a", call_sort},
	{"sort_by", 2, 2, "ae", call_sort_by},
	{"starts_with", 2, 2, "ss", call_starts_with},
	{"sum", 1, 1, "N", call_sum},
	{"to_array", 1, 1, "*", call_to_array},
	{"to_number", 1, 1, "*", call_to_number},
	{"to_string", 1, 1, "*", call_to_string},
	{"type", 1, 1, "*", call_type},
	{"values", 1, 1, "o", call_values},
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
	if (array->type != JSON_ARRAY)
		return false;
	json_each (one, array)
		if (one->type != type)
			return false;
	return true;
}

/* NULL: it is of the type; else what it had to be. */
static const char *wrong_type(const struct jmespath_argument *argument, char type)
{
	enum json_type is = argument->value ? argument->value->type : JSON_NULL;

	if (type == 'e' || argument->expression)
		return type == 'e' && argument->expression ? NULL
		       : type == 'e'                       ? "an expression (&…)"
							   : "a value, no expression";
	switch (type) {
	case 'n':
		return is == JSON_NUMBER ? NULL : "a number";
	case 's':
		return is == JSON_STRING ? NULL : "a text";
	case 'a':
		return is == JSON_ARRAY ? NULL : "an array";
	case 'o':
		return is == JSON_OBJECT ? NULL : "an object";
	case 'c':
		return is == JSON_STRING || is == JSON_ARRAY ? NULL : "a text or an array";
	case 'l':
		return is == JSON_STRING || is == JSON_ARRAY || is == JSON_OBJECT
			       ? NULL
			       : "a text, an array or an object";
	case 'N':
		return all_of_type(argument->value, JSON_NUMBER) ? NULL : "an array of numbers";
	case 'S':
		return all_of_type(argument->value, JSON_STRING) ? NULL : "an array of texts";
	default:
		return NULL;
	}
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
