#include "documents/yaml_source.h"

#include "base/limits.h"
#include "documents/yaml_scalar.h"

#include <yaml.h>

struct decoder {
	yaml_parser_t parser;
	struct arena *mem;
	struct json *open[LIMIT_JSON_DEPTH]; /* the sequences and mappings around the event */
	size_t depth;
	struct str
		key; /* of the value that comes next in a mapping; ptr NULL: the key comes next */
	struct json *root;
};

static int damaged(const yaml_parser_t *parser, struct err *err)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(err, ERR_NOMEM, "YAML needs more memory than there is");
	if (parser->error == YAML_READER_ERROR)
		return err_set(err, ERR_FORMAT, "YAML is damaged: %s at byte %zu", parser->problem,
			       parser->problem_offset);
	return err_set(err, ERR_FORMAT, "YAML is damaged: %s in line %zu, column %zu",
		       parser->problem, parser->problem_mark.line + 1,
		       parser->problem_mark.column + 1);
}

static int full(const struct decoder *d, struct err *err)
{
	return arena_fail(d->mem, "YAML", err);
}

static int copy_text(struct decoder *d, const void *text, size_t len, struct str *out,
		     struct err *err)
{
	*out = arena_str(d->mem, str_of(text, len));
	return out->ptr ? 0 : full(d, err);
}

static bool key_comes_next(const struct decoder *d)
{
	return d->depth > 0 && d->open[d->depth - 1]->type == JSON_OBJECT && !d->key.ptr;
}

static int take_key(struct decoder *d, const yaml_event_t *event, struct err *err)
{
	if (event->type != YAML_SCALAR_EVENT)
		return err_set(err, ERR_FORMAT,
			       "YAML has a name that is no scalar in line %zu, column %zu",
			       event->start_mark.line + 1, event->start_mark.column + 1);
	return copy_text(d, event->data.scalar.value, event->data.scalar.length, &d->key, err);
}

static int resolve(struct decoder *d, const yaml_event_t *event, struct json *value,
		   struct err *err)
{
	struct yaml_scalar scalar = {.tag = (const char *)event->data.scalar.tag,
				     .plain = event->data.scalar.plain_implicit};

	if (copy_text(d, event->data.scalar.value, event->data.scalar.length, &scalar.text, err) <
	    0)
		return -(int)err->kind;
	if (yaml_scalar_resolve(&scalar, d->mem, value, err) < 0)
		return err_wrap(err, "YAML, line %zu, column %zu", event->start_mark.line + 1,
				event->start_mark.column + 1);
	return 0;
}

/* The type and text of a value; children come with later events. */
static int start_value(struct decoder *d, const yaml_event_t *event, struct json *value,
		       struct err *err)
{
	const char *anchor = (const char *)event->data.alias.anchor;

	switch ((int)event->type) {
	case YAML_SEQUENCE_START_EVENT:
		value->type = JSON_ARRAY;
		return 0;
	case YAML_MAPPING_START_EVENT:
		value->type = JSON_OBJECT;
		return 0;
	case YAML_ALIAS_EVENT:
		/* To Elasticsearch, *x is the string "x"; so nothing is ever repeated. */
		value->type = JSON_STRING;
		return copy_text(d, anchor, strlen(anchor), &value->text, err);
	default:
		return resolve(d, event, value, err);
	}
}

static int take_value(struct decoder *d, const yaml_event_t *event, struct err *err)
{
	struct json *value = json_new(d->mem, JSON_NULL);
	bool opens =
		event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;

	if (!value)
		return full(d, err);
	if (opens && d->depth == LIMIT_JSON_DEPTH)
		return err_set(err, ERR_LIMIT, "YAML nests deeper than %d levels",
			       LIMIT_JSON_DEPTH);
	if (start_value(d, event, value, err) < 0)
		return -(int)err->kind;
	value->key = d->key;
	d->key = STR_NONE;
	if (d->depth > 0)
		json_append(d->open[d->depth - 1], value);
	else
		d->root = value;
	if (opens)
		d->open[d->depth++] = value;
	return 0;
}

static int take_event(struct decoder *d, const yaml_event_t *event, struct err *err)
{
	switch ((int)event->type) {
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		d->depth--;
		return 0;
	case YAML_SCALAR_EVENT:
	case YAML_ALIAS_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return key_comes_next(d) ? take_key(d, event, err) : take_value(d, event, err);
	default:
		return 0;
	}
}

static int read_events(struct decoder *d, struct err *err)
{
	yaml_event_t event;
	int rc = 0;
	bool more = true;

	while (rc == 0 && more) {
		if (!yaml_parser_parse(&d->parser, &event))
			return damaged(&d->parser, err);
		rc = take_event(d, &event, err);
		more = event.type != YAML_DOCUMENT_END_EVENT && event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	if (rc == 0 && !d->root)
		return err_set(err, ERR_FORMAT, "YAML has no document");
	return rc;
}

int yaml_source_parse(struct str text, struct arena *mem, struct json **out, struct err *err)
{
	cleanup(mem_freep) struct decoder *d = mem_zalloc(sizeof(*d));
	int rc;

	d->mem = mem;
	if (!yaml_parser_initialize(&d->parser))
		return err_set(err, ERR_NOMEM, "YAML needs more memory than there is");
	yaml_parser_set_encoding(&d->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&d->parser, (const unsigned char *)text.ptr, text.len);
	rc = read_events(d, err);
	yaml_parser_delete(&d->parser);
	if (rc == 0)
		*out = d->root;
	return rc;
}
