#include "transform/jmespath_internal.h"

bool jmespath_is_true(const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
	case JSON_FALSE:
		return false;
	case JSON_STRING:
	case JSON_BINARY:
		return v->text.len > 0;
	case JSON_ARRAY:
	case JSON_OBJECT:
		return v->count > 0;
	case JSON_TRUE:
	case JSON_NUMBER:
		return true;
	}
	BUG("no type of JSON");
}

bool jmespath_step(struct jmespath_run *run)
{
	if (run->steps++ < JMESPATH_STEPS_MAX)
		return true;
	err_set(run->err, ERR_LIMIT, "the JMESPath expression looks at more than %u values",
		JMESPATH_STEPS_MAX);
	return false;
}

struct json *jmespath_new_value(struct jmespath_run *run, enum json_type type)
{
	struct json *v = jmespath_step(run) ? json_new(run->mem, type) : NULL;

	if (!v && run->mem->failed)
		arena_fail(run->mem, "the value of a JMESPath expression", run->err);
	return v;
}

struct json *jmespath_alias(struct jmespath_run *run, const struct json *v)
{
	struct json *alias = jmespath_new_value(run, v->type);

	if (!alias)
		return NULL;
	*alias = *v;
	alias->key = STR_NONE;
	alias->next = NULL;
	return alias;
}

static struct json *null_value(struct jmespath_run *run)
{
	return jmespath_new_value(run, JSON_NULL);
}

static struct json *field(struct jmespath_run *run, const struct jmespath_node *node,
			  const struct json *value)
{
	struct json *member = json_get_str(value, node->name);

	return member ? member : null_value(run);
}

static struct json *element(struct jmespath_run *run, const struct jmespath_node *node,
			    const struct json *value)
{
	int64_t at = node->number;

	if (value->type != JSON_ARRAY)
		return null_value(run);
	if (at < 0)
		at += (int64_t)value->count;
	if (at < 0 || (uint64_t)at >= value->count)
		return null_value(run);
	json_each (one, value)
		if (at-- == 0)
			return one;
	BUG("an array shorter than its count");
}

/* A start or stop of a slice, as Python has it. */
static int64_t slice_bound(int64_t bound, int64_t count, int64_t step)
{
	if (bound < 0) {
		bound += count;
		return bound < 0 ? (step < 0 ? -1 : 0) : bound;
	}
	return bound >= count ? (step < 0 ? count - 1 : count) : bound;
}

static struct json **elements_of(struct jmespath_run *run, const struct json *array)
{
	struct json **all = arena_alloc(run->mem, array->count * sizeof(struct json *));
	size_t i = 0;

	if (!all) {
		arena_fail(run->mem, "the value of a JMESPath expression", run->err);
		return NULL;
	}
	json_each (one, array)
		all[i++] = one;
	return all;
}

static struct json *slice(struct jmespath_run *run, const struct jmespath_node *node,
			  const struct json *value)
{
	int64_t count = (int64_t)value->count, step = node->slice.step, start, stop;
	struct json *result, *alias, **all;

	if (value->type != JSON_ARRAY)
		return null_value(run);
	start = node->slice.has_start ? slice_bound(node->slice.start, count, step)
				      : (step < 0 ? count - 1 : 0);
	stop = node->slice.has_stop ? slice_bound(node->slice.stop, count, step)
				    : (step < 0 ? -1 : count);
	result = jmespath_new_value(run, JSON_ARRAY);
	all = result ? elements_of(run, value) : NULL;
	if (!all)
		return NULL;
	for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
		alias = jmespath_alias(run, all[i]);
		if (!alias)
			return NULL;
		json_append(result, alias);
	}
	return result;
}

/* Appends what the right side makes of an element, unless that is null. */
static bool append_projected(struct jmespath_run *run, const struct jmespath_node *node,
			     struct json *one, struct json *result)
{
	struct json *v = jmespath_evaluate(run, node->right, one);
	struct json *alias;

	if (!v || v->type == JSON_NULL)
		return v != NULL;
	alias = jmespath_alias(run, v);
	json_append(result, alias);
	return alias != NULL;
}

static bool passes(struct jmespath_run *run, const struct jmespath_node *node, struct json *one,
		   bool *yes)
{
	struct json *v = node->condition ? jmespath_evaluate(run, node->condition, one) : NULL;

	*yes = !node->condition || (v && jmespath_is_true(v));
	return !node->condition || v;
}

/* Of the elements of an array, or of the members of an object. */
static struct json *projection(struct jmespath_run *run, const struct jmespath_node *node,
			       struct json *value, enum json_type over)
{
	struct json *left = jmespath_evaluate(run, node->left, value), *result;
	bool yes;

	if (!left)
		return NULL;
	if (left->type != over)
		return null_value(run);
	result = jmespath_new_value(run, JSON_ARRAY);
	if (!result)
		return NULL;
	json_each (one, left) {
		if (!jmespath_step(run) || !passes(run, node, one, &yes) ||
		    (yes && !append_projected(run, node, one, result)))
			return NULL;
	}
	return result;
}

static bool append_alias(struct jmespath_run *run, struct json *array, const struct json *v)
{
	struct json *alias = jmespath_alias(run, v);

	json_append(array, alias);
	return alias != NULL;
}

static struct json *flatten(struct jmespath_run *run, const struct jmespath_node *node,
			    struct json *value)
{
	struct json *left = jmespath_evaluate(run, node->left, value), *result;

	if (!left)
		return NULL;
	if (left->type != JSON_ARRAY)
		return null_value(run);
	result = jmespath_new_value(run, JSON_ARRAY);
	if (!result)
		return NULL;
	json_each (one, left) {
		if (one->type != JSON_ARRAY) {
			if (!append_alias(run, result, one))
				return NULL;
			continue;
		}
		json_each (inner, one)
			if (!append_alias(run, result, inner))
				return NULL;
	}
	return result;
}

/* A multi-select: an array, or an object of the children's names. */
static struct json *select_many(struct jmespath_run *run, const struct jmespath_node *node,
				struct json *value, enum json_type type)
{
	struct json *result, *v, *alias;

	if (value->type == JSON_NULL)
		return null_value(run);
	result = jmespath_new_value(run, type);
	if (!result)
		return NULL;
	for (const struct jmespath_node *child = node->first; child; child = child->next) {
		v = jmespath_evaluate(run, child, value);
		alias = v ? jmespath_alias(run, v) : NULL;
		if (!alias)
			return NULL;
		if (type == JSON_OBJECT)
			json_set(result, child->key, alias);
		else
			json_append(result, alias);
	}
	return result;
}

static struct json *new_bool(struct jmespath_run *run, bool value)
{
	return jmespath_new_value(run, value ? JSON_TRUE : JSON_FALSE);
}

static struct json *compare(struct jmespath_run *run, const struct jmespath_node *node,
			    struct json *value)
{
	struct json *left = jmespath_evaluate(run, node->left, value);
	struct json *right = left ? jmespath_evaluate(run, node->right, value) : NULL;
	bool equal;
	int order;

	if (!right)
		return NULL;
	if (node->operator== TOKEN_EQUAL || node->operator== TOKEN_NOT_EQUAL) {
		equal = jmespath_equal(run, left, right);
		if (run->steps > JMESPATH_STEPS_MAX)
			return NULL;
		return new_bool(run, equal == (node->operator== TOKEN_EQUAL));
	}
	if (left->type != JSON_NUMBER || right->type != JSON_NUMBER)
		return null_value(run);
	order = jmespath_order(left, right);
	if (node->operator== TOKEN_LESS)
		return new_bool(run, order < 0);
	if (node->operator== TOKEN_LESS_EQUAL)
		return new_bool(run, order <= 0);
	if (node->operator== TOKEN_GREATER)
		return new_bool(run, order > 0);
	return new_bool(run, order >= 0);
}

static struct json *call(struct jmespath_run *run, const struct jmespath_node *node,
			 struct json *value)
{
	struct jmespath_argument *arguments =
		arena_zalloc(run->mem, node->count, sizeof(*arguments));
	size_t count = 0;

	if (!arguments) {
		arena_fail(run->mem, "the value of a JMESPath expression", run->err);
		return NULL;
	}
	for (const struct jmespath_node *child = node->first; child; child = child->next) {
		struct jmespath_argument *argument = &arguments[count++];

		if (child->type == NODE_EXPRESSION) {
			argument->expression = child->left;
			continue;
		}
		argument->value = jmespath_evaluate(run, child, value);
		if (!argument->value)
			return NULL;
	}
	return jmespath_call(run, node->function, arguments, count);
}

static struct json *either(struct jmespath_run *run, const struct jmespath_node *node,
			   struct json *value)
{
	struct json *left = jmespath_evaluate(run, node->left, value);

	if (!left || jmespath_is_true(left) == (node->type == NODE_OR))
		return left;
	return jmespath_evaluate(run, node->right, value);
}

static struct json *negation(struct jmespath_run *run, const struct jmespath_node *node,
			     struct json *value)
{
	struct json *left = jmespath_evaluate(run, node->left, value);

	return left ? new_bool(run, !jmespath_is_true(left)) : NULL;
}

static struct json *sub(struct jmespath_run *run, const struct jmespath_node *node,
			struct json *value)
{
	struct json *left = jmespath_evaluate(run, node->left, value);

	return left ? jmespath_evaluate(run, node->right, left) : NULL;
}

static struct json *misplaced_expression(struct jmespath_run *run)
{
	err_set(run->err, ERR_FORMAT, "'&' of a JMESPath expression is only for functions");
	return NULL;
}

struct json *jmespath_evaluate(struct jmespath_run *run, const struct jmespath_node *node,
			       struct json *value)
{
	if (!jmespath_step(run))
		return NULL;
	switch (node->type) {
	case NODE_CURRENT:
		return value;
	case NODE_FIELD:
		return field(run, node, value);
	case NODE_INDEX:
		return element(run, node, value);
	case NODE_SLICE:
		return slice(run, node, value);
	case NODE_SUB:
		return sub(run, node, value);
	case NODE_PROJECTION:
	case NODE_FILTER:
		return projection(run, node, value, JSON_ARRAY);
	case NODE_VALUE_PROJECTION:
		return projection(run, node, value, JSON_OBJECT);
	case NODE_FLATTEN:
		return flatten(run, node, value);
	case NODE_LIST:
		return select_many(run, node, value, JSON_ARRAY);
	case NODE_HASH:
		return select_many(run, node, value, JSON_OBJECT);
	case NODE_LITERAL:
		return jmespath_alias(run, node->literal);
	case NODE_OR:
	case NODE_AND:
		return either(run, node, value);
	case NODE_NOT:
		return negation(run, node, value);
	case NODE_COMPARE:
		return compare(run, node, value);
	case NODE_FUNCTION:
		return call(run, node, value);
	case NODE_EXPRESSION:
		return misplaced_expression(run);
	}
	BUG("no node of JMESPath");
}

int jmespath_search(const struct jmespath *expression, struct json *input, struct arena *mem,
		    struct json **out, struct err *err)
{
	struct err local = {0};
	struct jmespath_run run = {.mem = mem, .err = err ? err : &local};
	struct json *v = jmespath_evaluate(&run, expression->root, input);

	if (!v)
		return -(int)run.err->kind;
	/* What was found shares parts with the input. */
	*out = v == input ? input : json_copy(mem, v);
	if (!*out || mem->failed)
		return arena_fail(mem, "the value of a JMESPath expression", run.err);
	(*out)->key = STR_NONE;
	return 0;
}
