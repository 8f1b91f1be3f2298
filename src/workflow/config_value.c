#include "workflow/config_value.h"

#include <yaml.h>

struct loader {
	yaml_document_t document;
	struct arena *mem;
};

static void document_delete(struct loader *loader)
{
	yaml_document_delete(&loader->document);
}

static int no_room(const struct loader *loader, struct err *err)
{
	return arena_fail(loader->mem, "the configuration", err);
}

static int at(struct err *err, yaml_mark_t mark, const char *what)
{
	return err_set(err, ERR_USAGE, "line %zu, column %zu: %s", mark.line + 1, mark.column + 1,
		       what);
}

static size_t skip_sign(struct str text, size_t i)
{
	return i < text.len && (text.ptr[i] == '-' || text.ptr[i] == '+') ? i + 1 : i;
}

static size_t skip_digits(struct str text, size_t i)
{
	while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
		i++;
	return i;
}

/* [-+]?digits[.digits][e[-+]digits], as both YAML's core schema and JSON have numbers; digits may
 * be missing on one side of the point. */
static bool is_number(struct str text)
{
	size_t start = skip_sign(text, 0), end = skip_digits(text, start), from;
	bool digits = end > start;

	if (end < text.len && text.ptr[end] == '.') {
		from = end + 1;
		end = skip_digits(text, from);
		digits |= end > from;
	}
	if (digits && end < text.len && (text.ptr[end] | 0x20) == 'e') {
		from = skip_sign(text, end + 1);
		end = skip_digits(text, from);
		digits = end > from;
	}
	return digits && end == text.len;
}

static enum config_type plain_type(struct str text)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const booleans[] = {"true", "True", "TRUE", "false", "False", "FALSE"};

	for (size_t i = 0; i < COUNT_OF(nulls); i++)
		if (str_is(text, nulls[i]))
			return CONFIG_NULL;
	for (size_t i = 0; i < COUNT_OF(booleans); i++)
		if (str_is(text, booleans[i]))
			return CONFIG_BOOLEAN;
	return is_number(text) ? CONFIG_NUMBER : CONFIG_STRING;
}

static int copy_scalar(struct loader *loader, const yaml_node_t *node, struct config_value *value,
		       struct err *err)
{
	struct str text = str_of(node->data.scalar.value, node->data.scalar.length);

	value->type = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_type(text)
									 : CONFIG_STRING;
	value->text = arena_str(loader->mem, text);
	return value->text.ptr ? 0 : no_room(loader, err);
}

static void append(struct config_value *parent, struct config_value *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

static int copy_node(struct loader *loader, const yaml_node_t *node, size_t depth,
		     struct config_value **out, struct err *err);

static int copy_list(struct loader *loader, const yaml_node_t *node, size_t depth,
		     struct config_value *list, struct err *err)
{
	struct config_value *child;
	int failed;

	list->type = CONFIG_LIST;
	for (yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++) {
		failed = copy_node(loader, yaml_document_get_node(&loader->document, *item),
				   depth + 1, &child, err);
		if (failed < 0)
			return failed;
		append(list, child);
	}
	return 0;
}

static bool is_comment(struct str key)
{
	return str_starts(key, STR("//")) || str_starts(key, STR("#"));
}

static int copy_pair(struct loader *loader, const yaml_node_pair_t *pair, size_t depth,
		     struct config_value *map, struct err *err)
{
	const yaml_node_t *name = yaml_document_get_node(&loader->document, pair->key);
	struct config_value *child;
	struct str key;
	int failed;

	if (name->type != YAML_SCALAR_NODE)
		return at(err, name->start_mark, "a key must be a word, not a list or a map");
	key = str_of(name->data.scalar.value, name->data.scalar.length);
	if (is_comment(key))
		return 0;
	if (config_get_str(map, key))
		return err_set(
			err, ERR_USAGE,
			"line %zu, column %zu: '" STR_FMT "' is given twice here; keep one of them",
			name->start_mark.line + 1, name->start_mark.column + 1, STR_ARG(key));
	failed = copy_node(loader, yaml_document_get_node(&loader->document, pair->value),
			   depth + 1, &child, err);
	if (failed < 0)
		return failed;
	child->key = arena_str(loader->mem, key);
	if (!child->key.ptr)
		return no_room(loader, err);
	child->line = name->start_mark.line + 1;
	child->column = name->start_mark.column + 1;
	append(map, child);
	return 0;
}

static int copy_map(struct loader *loader, const yaml_node_t *node, size_t depth,
		    struct config_value *map, struct err *err)
{
	int failed = 0;

	map->type = CONFIG_MAP;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top && failed == 0; pair++)
		failed = copy_pair(loader, pair, depth, map, err);
	return failed;
}

/* An alias is another way to the same node, which is copied each time; the arena bounds how often.
 */
static int copy_node(struct loader *loader, const yaml_node_t *node, size_t depth,
		     struct config_value **out, struct err *err)
{
	struct config_value *value = arena_zalloc(loader->mem, 1, sizeof(*value));

	if (!value)
		return no_room(loader, err);
	if (depth > CONFIG_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "line %zu, column %zu: nested deeper than %d levels",
			       node->start_mark.line + 1, node->start_mark.column + 1,
			       CONFIG_DEPTH_MAX);
	value->line = node->start_mark.line + 1;
	value->column = node->start_mark.column + 1;
	*out = value;
	if (node->type == YAML_SEQUENCE_NODE)
		return copy_list(loader, node, depth, value, err);
	if (node->type == YAML_MAPPING_NODE)
		return copy_map(loader, node, depth, value, err);
	return copy_scalar(loader, node, value, err);
}

static int damaged(const yaml_parser_t *parser, struct err *err)
{
	const char *problem = parser->problem ? parser->problem : "no YAML";

	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(err, ERR_NOMEM, "the configuration needs more memory than there is");
	if (parser->error == YAML_READER_ERROR)
		return err_set(err, ERR_USAGE, "byte %zu: %s", parser->problem_offset, problem);
	return at(err, parser->problem_mark, problem);
}

/* The first document, and that there is no second one. */
static int load(yaml_parser_t *parser, struct loader *loader, struct config_value **out,
		struct err *err)
{
	cleanup(document_delete) struct loader more = {0};
	const yaml_node_t *root, *next;
	int failed;

	if (!yaml_parser_load(parser, &loader->document))
		return damaged(parser, err);
	root = yaml_document_get_root_node(&loader->document);
	if (!root)
		return err_set(err, ERR_USAGE,
			       "the configuration is empty; 'workflow configure sample' prints one "
			       "to start from");
	failed = copy_node(loader, root, 0, out, err);
	if (failed < 0)
		return failed;
	if (!yaml_parser_load(parser, &more.document))
		return damaged(parser, err);
	next = yaml_document_get_root_node(&more.document);
	return next ? at(err, next->start_mark, "a second document; keep one of them") : 0;
}

int config_parse(struct str text, struct arena *mem, struct config_value **out, struct err *err)
{
	cleanup(document_delete) struct loader loader = {.mem = mem};
	cleanup(yaml_parser_delete) yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return err_set(err, ERR_NOMEM, "no memory to read the configuration with");
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text.ptr ? text.ptr : ""),
				     text.len);
	return load(&parser, &loader, out, err);
}

const struct config_value *config_get_str(const struct config_value *map, struct str key)
{
	if (map && map->type == CONFIG_MAP)
		config_each (child, map)
			if (str_eq(child->key, key))
				return child;
	return NULL;
}

const struct config_value *config_get(const struct config_value *map, const char *key)
{
	return config_get_str(map, str_from(key));
}

struct str config_text_or(const struct config_value *value, struct str fallback)
{
	bool has = value && (value->type == CONFIG_STRING || value->type == CONFIG_NUMBER ||
			     value->type == CONFIG_BOOLEAN);

	return has ? value->text : fallback;
}

bool config_bool_or(const struct config_value *value, bool fallback)
{
	if (!value || value->type != CONFIG_BOOLEAN)
		return fallback;
	return (value->text.ptr[0] | 0x20) == 't';
}

int64_t config_i64_or(const struct config_value *value, int64_t fallback)
{
	struct str digits;
	uint64_t number;
	bool negative;

	if (!value || value->type != CONFIG_NUMBER)
		return fallback;
	negative = value->text.ptr[0] == '-';
	digits = negative ? str_from_offset(value->text, 1) : value->text;
	if (!str_to_u64(digits, &number) || number > INT64_MAX)
		return fallback;
	return negative ? -(int64_t)number : (int64_t)number;
}
