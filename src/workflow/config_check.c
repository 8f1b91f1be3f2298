#define PCRE2_CODE_UNIT_WIDTH 8
#include "workflow/config_check.h"
#include "workflow/config_check_internal.h"
#include "workflow/schema.h"

#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PATTERN_STEPS_MAX 100000 /* of the matcher, for one value */

void config_problem(struct config_checker *c, const struct config_value *value, bool warning,
		    const char *step, const char *fmt, ...)
{
	struct config_problems *problems = c->problems;
	struct config_problem *problem = &problems->list[problems->count];
	size_t len = c->path.len;
	char message[1000];
	va_list args;

	if (problems->count == CONFIG_PROBLEMS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (step)
		config_path_step(c, str_from(step));
	*problem = (struct config_problem){
		.path = arena_str(c->mem, c->path.len > 0 ? buf_str(&c->path) : STR(".")),
		.message = arena_str(c->mem, str_from(message)),
		.line = value->line,
		.column = value->column,
		.warning = warning};
	config_path_cut(c, len);
	problems->count++;
	problems->errors += !warning;
}

size_t config_path_step(struct config_checker *c, struct str name)
{
	size_t len = c->path.len;

	if (len > 0)
		buf_append_byte(&c->path, '.');
	buf_append_str(&c->path, name);
	return len;
}

size_t config_path_child(struct config_checker *c, const struct config_value *child, size_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", number);
	return config_path_step(c, child && child->key.ptr ? child->key : str_from(text));
}

void config_path_cut(struct config_checker *c, size_t len)
{
	c->path.len = len;
}

const char *config_names(struct config_checker *c, const struct config_value *map)
{
	struct str names = STR_NONE;

	config_each (child, map) {
		names = arena_printf(c->mem, STR_FMT "%s'" STR_FMT "'", STR_ARG(names),
				     names.len > 0 ? ", " : "", STR_ARG(child->key));
		if (!names.ptr)
			return "";
	}
	return names.len > 0 ? names.ptr : "none";
}

static const char *type_name(enum config_type type)
{
	static const char *const names[] = {
		[CONFIG_NULL] = "nothing",    [CONFIG_BOOLEAN] = "a boolean",
		[CONFIG_NUMBER] = "a number", [CONFIG_STRING] = "text",
		[CONFIG_LIST] = "a list",     [CONFIG_MAP] = "a map"};

	return names[type];
}

/* The nearest of the names within a distance that a slip of the fingers makes; NULL: none. */
static const char *nearest(struct str name, const struct schema_field *fields)
{
	size_t best = MAX(name.len / 3, 1) + 1, distance;
	const char *found = NULL;

	for (; fields->name; fields++) {
		distance = str_distance(name, str_from(fields->name));
		if (distance < best) {
			best = distance;
			found = fields->name;
		}
	}
	return found;
}

static void unknown_key(struct config_checker *c, const struct config_value *value,
			const struct schema *object)
{
	const char *near = nearest(value->key, object->fields);

	if (near)
		config_problem(c, value, false, NULL, "unknown key '" STR_FMT "'; is '%s' meant?",
			       STR_ARG(value->key), near);
	else
		config_problem(c, value, false, NULL,
			       "unknown key '" STR_FMT "'; remove it, or see %s for what there is",
			       STR_ARG(value->key), c->sample);
}

static void check_object(struct config_checker *c, const struct config_value *map,
			 const struct schema *schema)
{
	const struct schema_field *field;

	config_each (child, map) {
		size_t len = config_path_step(c, child->key);

		field = schema_field_find(schema, child->key);
		if (!field)
			unknown_key(c, child, schema);
		else if (child->type == CONFIG_NULL && !field->schema->nullable)
			config_problem(c, child, false, NULL,
				       "'%s' has no value; give one or remove the key",
				       field->name);
		else
			config_check_value(c, child, field->schema);
		config_path_cut(c, len);
	}
	for (field = schema->fields; field->name; field++)
		if (field->required && !config_get(map, field->name))
			config_problem(c, map, false, field->name,
				       "'%s' is missing; it is required", field->name);
}

static void check_children(struct config_checker *c, const struct config_value *parent,
			   const struct schema *schema)
{
	size_t number = 0;

	if (parent->count < schema->min_count)
		config_problem(c, parent, false, NULL, "empty; at least %zu %s needed",
			       schema->min_count,
			       schema->min_count == 1 ? "entry is" : "entries are");
	config_each (child, parent) {
		char text[24];
		size_t len;

		snprintf(text, sizeof(text), "%zu", number++);
		len = config_path_step(c,
				       parent->type == CONFIG_LIST ? str_from(text) : child->key);
		config_check_value(c, child, schema->items);
		config_path_cut(c, len);
	}
}

/* How well a map fits a variant: its known keys count for it, missing required ones against. */
static int fitness(const struct config_value *value, const struct schema *variant)
{
	const struct config_value *child;
	int points = 0;

	if (variant->kind != SCHEMA_OBJECT || value->type != CONFIG_MAP)
		return (variant->kind == SCHEMA_STRING) == (value->type == CONFIG_STRING) ? 1
											  : -100;
	for (const struct schema_field *field = variant->fields; field->name; field++) {
		child = config_get(value, field->name);
		if (child)
			points += field->required ? 3 : 1;
		else if (field->required)
			points -= 2;
		/* What tells variants apart by its value, as tls.mode does. */
		if (child && child->type == CONFIG_STRING && field->schema->choices &&
		    !strchr(field->schema->choices, '|') &&
		    !str_is(child->text, field->schema->choices))
			points -= 100;
	}
	return points;
}

static const char *variant_names(struct config_checker *c, const struct schema *schema)
{
	struct str names = STR_NONE;

	for (size_t i = 0; schema->variants[i]; i++) {
		names = arena_printf(c->mem, STR_FMT "%s%s", STR_ARG(names), i > 0 ? ", " : "",
				     schema->variants[i]->name);
		if (!names.ptr)
			return "";
	}
	return names.ptr ? names.ptr : "";
}

static void check_variants(struct config_checker *c, const struct config_value *value,
			   const struct schema *schema)
{
	const struct schema *best = NULL;
	int points, most = 0;

	for (size_t i = 0; schema->variants[i]; i++) {
		points = fitness(value, schema->variants[i]);
		if (points > most || (points == 0 && most == 0 && !best)) {
			most = points;
			best = schema->variants[i];
		}
	}
	if (!best)
		config_problem(c, value, false, NULL,
			       "none of the forms known here; give one of: %s",
			       variant_names(c, schema));
	else
		config_check_value(c, value, best);
}

static bool is_one_of(struct str text, const char *choices)
{
	struct str rest = str_from(choices), choice;

	for (bool more = true; more;) {
		more = str_split(rest, '|', &choice, &rest);
		if (str_eq(choice, text))
			return true;
	}
	return false;
}

/* 1: matches; 0: not; a pattern that does not compile is our own mistake. */
static bool matches(struct str text, const char *pattern)
{
	int code;
	PCRE2_SIZE offset;
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
					     PCRE2_DOLLAR_ENDONLY, &code, &offset, NULL);
	pcre2_match_data *data;
	pcre2_match_context *context;
	int rc;

	if (!compiled)
		BUG("a pattern of the schema does not compile");
	data = pcre2_match_data_create_from_pattern(compiled, NULL);
	context = pcre2_match_context_create(NULL);
	if (!data || !context)
		BUG("out of memory");
	pcre2_set_match_limit(context, PATTERN_STEPS_MAX);
	rc = pcre2_match(compiled, (PCRE2_SPTR)text.ptr, text.len, 0, 0, data, context);
	pcre2_match_context_free(context);
	pcre2_match_data_free(data);
	pcre2_code_free(compiled);
	return rc >= 0;
}

static void check_string(struct config_checker *c, const struct config_value *value,
			 const struct schema *schema)
{
	if (value->type != CONFIG_STRING)
		config_problem(c, value, false, NULL, "%s where text is expected%s",
			       type_name(value->type),
			       value->type == CONFIG_NUMBER || value->type == CONFIG_BOOLEAN
				       ? "; put it in quotes"
				       : "");
	else if (schema->choices && !is_one_of(value->text, schema->choices))
		config_problem(c, value, false, NULL, "'" STR_FMT "' is none of %s",
			       STR_ARG(value->text), schema->choices);
	else if (schema->pattern && !matches(value->text, schema->pattern))
		config_problem(c, value, false, NULL, "'" STR_FMT "' is not %s",
			       STR_ARG(value->text),
			       schema->shape ? schema->shape : "of the form expected");
}

static void check_number(struct config_checker *c, const struct config_value *value,
			 const struct schema *schema)
{
	double number;

	if (value->type != CONFIG_NUMBER) {
		config_problem(c, value, false, NULL, "%s where %s is expected",
			       type_name(value->type),
			       schema->kind == SCHEMA_INTEGER ? "a whole number" : "a number");
		return;
	}
	number = strtod(value->text.ptr, NULL);
	if (schema->kind == SCHEMA_INTEGER && memchr(value->text.ptr, '.', value->text.len))
		config_problem(c, value, false, NULL, STR_FMT " is no whole number",
			       STR_ARG(value->text));
	else if (schema->bounded && number < (double)schema->min)
		config_problem(c, value, false, NULL, STR_FMT " is less than %lld",
			       STR_ARG(value->text), (long long)schema->min);
	else if (schema->max > schema->min && number > (double)schema->max)
		config_problem(c, value, false, NULL, STR_FMT " is more than %lld",
			       STR_ARG(value->text), (long long)schema->max);
}

static void expect(struct config_checker *c, const struct config_value *value,
		   enum config_type type, const struct schema *schema,
		   void (*check)(struct config_checker *c, const struct config_value *value,
				 const struct schema *schema))
{
	if (value->type != type)
		config_problem(c, value, false, NULL, "%s where %s is expected",
			       type_name(value->type), type_name(type));
	else if (check)
		check(c, value, schema);
}

static void check_list(struct config_checker *c, const struct config_value *value,
		       const struct schema *schema)
{
	if (schema->or_single && value->type == CONFIG_MAP)
		config_check_value(c, value, schema->items);
	else
		expect(c, value, CONFIG_LIST, schema, check_children);
}

void config_check_value(struct config_checker *c, const struct config_value *value,
			const struct schema *schema)
{
	if (value->type == CONFIG_NULL && schema->nullable)
		return;
	switch (schema->kind) {
	case SCHEMA_STRING:
		check_string(c, value, schema);
		break;
	case SCHEMA_BOOLEAN:
		expect(c, value, CONFIG_BOOLEAN, schema, NULL);
		break;
	case SCHEMA_NUMBER:
	case SCHEMA_INTEGER:
		check_number(c, value, schema);
		break;
	case SCHEMA_OBJECT:
		expect(c, value, CONFIG_MAP, schema, check_object);
		break;
	case SCHEMA_MAP:
		expect(c, value, CONFIG_MAP, schema, check_children);
		break;
	case SCHEMA_LIST:
		check_list(c, value, schema);
		break;
	case SCHEMA_ONE_OF:
		check_variants(c, value, schema);
		break;
	case SCHEMA_FREE:
		break;
	}
}

int config_check(const struct config_value *root, struct arena *mem, struct config_problems *out,
		 struct err *err)
{
	struct config_checker c = {mem, out, BUF_INIT(LIMIT_PATH), "'workflow configure sample'"};

	*out = (struct config_problems){
		.list = arena_zalloc(mem, CONFIG_PROBLEMS_MAX, sizeof(struct config_problem))};
	if (!out->list)
		return arena_fail(mem, "what is wrong with the configuration", err);
	config_check_value(&c, root, &schema_root);
	if (out->errors == 0)
		config_rules_check(&c, root);
	buf_release(&c.path);
	return mem->failed ? arena_fail(mem, "what is wrong with the configuration", err) : 0;
}

void config_problems_write(struct buf *out, const struct config_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->list[i];

		buf_printf(out, "%s" STR_FMT " at:\n  " STR_FMT " (line %zu, column %zu)\n",
			   problem->warning ? "warning: " : "", STR_ARG(problem->message),
			   STR_ARG(problem->path), problem->line, problem->column);
	}
}
