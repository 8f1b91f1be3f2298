#include "transform/jmespath_functions.h"

#include "base/json_number.h"

#include <math.h>
#include <stdlib.h>

struct json *jmespath_new_text(struct jmespath_run *run, enum json_type type, struct str text)
{
	struct json *v = jmespath_new_value(run, type);

	if (v)
		v->text = text;
	if (text.ptr || !text.len)
		return v;
	arena_fail(run->mem, "the value of a JMESPath function", run->err);
	return NULL;
}

static struct json *jmespath_new_bool(struct jmespath_run *run, bool value)
{
	return jmespath_new_value(run, value ? JSON_TRUE : JSON_FALSE);
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
		return jmespath_new_value(run, JSON_NULL);
	if (value == floor(value) && fabs(value) < 9007199254740992.0)
		return jmespath_new_text(run, JSON_NUMBER,
					 arena_printf(run->mem, "%.0f", value + 0.0));
	return jmespath_new_text(run, JSON_NUMBER, json_number_of_double(run->mem, value));
}

struct json *jmespath_abs(struct jmespath_run *run, const struct jmespath_argument *arguments,
			  size_t count)
{
	struct str text = arguments[0].value->text;

	(void)count;
	return jmespath_new_text(run, JSON_NUMBER,
				 str_from_offset(text, str_starts(text, STR("-"))));
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

struct json *jmespath_ceil(struct jmespath_run *run, const struct jmespath_argument *arguments,
			   size_t count)
{
	(void)count;
	return rounded(run, arguments[0].value, ceil);
}

struct json *jmespath_floor(struct jmespath_run *run, const struct jmespath_argument *arguments,
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

struct json *jmespath_sum(struct jmespath_run *run, const struct jmespath_argument *arguments,
			  size_t count)
{
	int64_t sum;

	(void)count;
	if (integer_sum(arguments[0].value, &sum))
		return jmespath_new_text(run, JSON_NUMBER,
					 arena_printf(run->mem, "%lld", (long long)sum));
	return new_double(run, double_sum(run, arguments[0].value));
}

struct json *jmespath_avg(struct jmespath_run *run, const struct jmespath_argument *arguments,
			  size_t count)
{
	const struct json *array = arguments[0].value;

	(void)count;
	return array->count ? new_double(run, double_sum(run, array) / (double)array->count)
			    : jmespath_new_value(run, JSON_NULL);
}

struct json *jmespath_contains(struct jmespath_run *run, const struct jmespath_argument *arguments,
			       size_t count)
{
	const struct json *in = arguments[0].value, *what = arguments[1].value;

	(void)count;
	if (in->type == JSON_STRING)
		return jmespath_new_bool(
			run, what->type == JSON_STRING &&
				     (!what->text.len ||
				      (in->text.len && memmem(in->text.ptr, in->text.len,
							      what->text.ptr, what->text.len))));
	json_each (one, in)
		if (jmespath_equal(run, one, what))
			return jmespath_new_bool(run, true);
	return jmespath_new_bool(run, false);
}

struct json *jmespath_starts_with(struct jmespath_run *run,
				  const struct jmespath_argument *arguments, size_t count)
{
	(void)count;
	return jmespath_new_bool(run,
				 str_starts(arguments[0].value->text, arguments[1].value->text));
}

struct json *jmespath_ends_with(struct jmespath_run *run, const struct jmespath_argument *arguments,
				size_t count)
{
	(void)count;
	return jmespath_new_bool(run, str_ends(arguments[0].value->text, arguments[1].value->text));
}

struct json *jmespath_join(struct jmespath_run *run, const struct jmespath_argument *arguments,
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
	return jmespath_new_text(run, JSON_STRING, arena_str(run->mem, buf_str(&joined)));
}

struct json *jmespath_length(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	const struct json *v = arguments[0].value;
	size_t length = v->count;

	(void)count;
	if (v->type == JSON_STRING)
		for (struct str left = v->text; left.len; length++)
			left = str_from_offset(left, jmespath_character_length(left));
	return jmespath_new_text(run, JSON_NUMBER, arena_printf(run->mem, "%zu", length));
}

struct json *jmespath_to_number(struct jmespath_run *run, const struct jmespath_argument *arguments,
				size_t count)
{
	struct json *v = arguments[0].value, *number;
	struct err ignored;

	(void)count;
	if (v->type == JSON_NUMBER)
		return v;
	if (v->type != JSON_STRING || json_parse(v->text, run->mem, &number, &ignored) < 0 ||
	    number->type != JSON_NUMBER)
		return jmespath_new_value(run, JSON_NULL);
	return number;
}

struct json *jmespath_to_string(struct jmespath_run *run, const struct jmespath_argument *arguments,
				size_t count)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SOURCE);
	struct json *v = arguments[0].value;

	(void)count;
	if (v->type == JSON_STRING)
		return v;
	json_write(&text, v);
	if (buf_check(&text, "the result of JMESPath function to_string", run->err) < 0)
		return NULL;
	return jmespath_new_text(run, JSON_STRING, arena_str(run->mem, buf_str(&text)));
}

struct json *jmespath_type(struct jmespath_run *run, const struct jmespath_argument *arguments,
			   size_t count)
{
	static const struct str names[] = {
		[JSON_NULL] = {"null", 4},     [JSON_FALSE] = {"boolean", 7},
		[JSON_TRUE] = {"boolean", 7},  [JSON_NUMBER] = {"number", 6},
		[JSON_STRING] = {"string", 6}, [JSON_BINARY] = {"string", 6},
		[JSON_ARRAY] = {"array", 5},   [JSON_OBJECT] = {"object", 6},
	};

	(void)count;
	return jmespath_new_text(run, JSON_STRING, names[arguments[0].value->type]);
}
