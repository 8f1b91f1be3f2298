#include "base/json.h"
#include "base/json_internal.h"
#include "base/limits.h"

struct parser {
	struct json_scan scan;
	struct arena *mem;
	size_t depth;
	struct json *open[LIMIT_JSON_DEPTH]; /* arrays and objects, outermost first */
	struct str key;                      /* of the value that comes next */
	bool too_deep, full;
};

static bool refuse_full(struct parser *p)
{
	p->full = true;
	return false;
}

/* Decodes what was scanned as a string; a text with no escapes stays where it is. */
static bool decode(struct parser *p, struct str raw, bool has_escapes, struct str *out)
{
	char *to;

	*out = raw;
	if (!has_escapes)
		return true;
	to = arena_alloc(p->mem, raw.len);
	if (!to)
		return refuse_full(p);
	*out = str_of(to, json_unescape(raw, to));
	return true;
}

static bool parse_key(struct parser *p)
{
	struct str raw;
	bool has_escapes;

	return json_scan_key(&p->scan, &raw, &has_escapes) && decode(p, raw, has_escapes, &p->key);
}

static bool parse_string(struct parser *p, struct str *text)
{
	struct str raw;
	bool has_escapes;

	return json_scan_string(&p->scan, &raw, &has_escapes) && decode(p, raw, has_escapes, text);
}

static bool parse_scalar(struct parser *p, char first, enum json_type *type, struct str *text)
{
	switch (first) {
	case '"':
		*type = JSON_STRING;
		return parse_string(p, text);
	case 't':
		*type = JSON_TRUE;
		return json_scan_word(&p->scan, "true");
	case 'f':
		*type = JSON_FALSE;
		return json_scan_word(&p->scan, "false");
	case 'n':
		*type = JSON_NULL;
		return json_scan_word(&p->scan, "null");
	default:
		*type = JSON_NUMBER;
		if (first == '-' || (first >= '0' && first <= '9'))
			return json_scan_number(&p->scan, text);
		return json_scan_refuse_byte(&p->scan, "a value must stand here");
	}
}

static struct json *add_node(struct parser *p, enum json_type type, struct str text)
{
	struct json *node = json_new(p->mem, type);

	if (!node) {
		refuse_full(p);
		return NULL;
	}
	node->text = text;
	node->key = p->key;
	p->key = STR_NONE;
	if (p->depth)
		json_append(p->open[p->depth - 1], node);
	return node;
}

/* Opens an array or object; *empty is left for parse_closings to close. */
static struct json *parse_opening(struct parser *p, char first, bool *empty)
{
	bool object = first == '{';
	struct json *node;

	if (p->depth == LIMIT_JSON_DEPTH) {
		p->too_deep = true;
		return NULL;
	}
	node = add_node(p, object ? JSON_OBJECT : JSON_ARRAY, STR_NONE);
	if (!node)
		return NULL;
	p->open[p->depth++] = node;
	p->scan.at++;
	*empty = json_scan_peek(&p->scan) == (object ? '}' : ']');
	return *empty || !object || parse_key(p) ? node : NULL;
}

/* One value, but for the content of an array or object (*inside is set then). */
static struct json *parse_start(struct parser *p, bool *inside)
{
	char first = json_scan_peek(&p->scan);
	struct str text = STR_NONE;
	enum json_type type;
	struct json *node;
	bool empty = false;

	if (first == '{' || first == '[') {
		node = parse_opening(p, first, &empty);
		*inside = !empty;
		return node;
	}
	*inside = false;
	return parse_scalar(p, first, &type, &text) ? add_node(p, type, text) : NULL;
}

/* After a value: closes what ends here. *more is set when another value follows. */
static bool parse_closings(struct parser *p, bool *more)
{
	*more = false;
	while (p->depth) {
		bool object = p->open[p->depth - 1]->type == JSON_OBJECT;
		char c = json_scan_peek(&p->scan);

		if (c == ',') {
			p->scan.at++;
			*more = true;
			return !object || parse_key(p);
		}
		if (c != (object ? '}' : ']'))
			return json_scan_refuse_byte(&p->scan,
						     object ? "',' or '}' must stand here"
							    : "',' or ']' must stand here");
		p->scan.at++;
		p->depth--;
	}
	return true;
}

static struct json *parse_all(struct parser *p)
{
	struct json *root = NULL, *node;
	bool more = true, inside = false;

	while (more) {
		node = parse_start(p, &inside);
		if (!node)
			return NULL;
		if (!root)
			root = node;
		if (!inside && !parse_closings(p, &more))
			return NULL;
	}
	return json_scan_end(&p->scan) ? root : NULL;
}

int json_parse(struct str text, struct arena *mem, struct json **out, struct err *err)
{
	struct parser p;
	struct json *root;

	p.scan = json_scan_over(text);
	p.mem = mem;
	p.depth = 0;
	p.key = STR_NONE;
	p.too_deep = p.full = false;
	root = parse_all(&p);
	if (root) {
		*out = root;
		return 0;
	}
	if (p.full)
		return arena_fail(mem, "JSON", err);
	if (p.too_deep)
		return err_set(err, ERR_LIMIT, "JSON is nested deeper than %d levels at byte %zu",
			       LIMIT_JSON_DEPTH, (size_t)(p.scan.at - p.scan.start));
	return json_scan_fail(&p.scan, err);
}
