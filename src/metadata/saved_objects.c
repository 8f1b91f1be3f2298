#include "metadata/saved_objects_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NOTE_MAX 2000

void saved_objects_init(struct saved_objects *set)
{
	*set = (struct saved_objects){.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
	set->unreadable = json_new(&set->mem, JSON_ARRAY);
}

void saved_objects_release(struct saved_objects *set)
{
	free(set->items);
	arena_release(&set->mem);
}

int saved_objects_add(struct saved_objects *set, struct str space, struct json *body,
		      struct saved_object **out, struct err *err)
{
	struct saved_object *object;
	struct json *attributes = json_get(body, "attributes");

	if (json_string(json_get(body, "type")).len == 0 ||
	    json_string(json_get(body, "id")).len == 0 || !attributes ||
	    attributes->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT,
			       "this is no saved object: it has no type, id or attributes");
	object = arena_zalloc(&set->mem, 1, sizeof(*object));
	if (!object)
		return arena_fail(&set->mem, "the saved objects", err);
	*object = (struct saved_object){
		.type = json_string(json_get(body, "type")),
		.id = json_string(json_get(body, "id")),
		.space = space,
		.body = body,
	};
	if (set->count == set->capacity) {
		set->capacity = MAX((size_t)64, set->capacity * 2);
		set->items = mem_realloc(set->items, set->capacity * sizeof(struct saved_object *));
	}
	set->items[set->count++] = object;
	if (out)
		*out = object;
	return 0;
}

static int parse_line(struct saved_objects *set, struct str space, struct str line, struct err *err)
{
	struct json *body = NULL;

	if (json_parse(line, &set->mem, &body, err) < 0)
		return -(int)err->kind;
	if (json_get(body, "exportedCount") && !json_get(body, "attributes"))
		return 0;
	return saved_objects_add(set, space, body, NULL, err);
}

int saved_objects_parse(struct saved_objects *set, struct str space, struct str text,
			struct err *err)
{
	struct str line, rest = text;

	for (size_t number = 1; rest.len > 0; number++) {
		if (!str_split(rest, '\n', &line, &rest))
			rest = STR_NONE;
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0 && parse_line(set, space, line, err) < 0)
			return err_wrap(err, "line %zu of the export", number);
	}
	return 0;
}

void saved_objects_print(const struct saved_objects *set, struct buf *out)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->outcome == SAVED_OBJECT_READY) {
			json_write(out, set->items[i]->body);
			buf_append_byte(out, '\n');
		}
}

/* Those that others refer to come first: a target looks for references in one request only. */
static int rank_of(const struct saved_object *object)
{
	static const char *const order[] = {"index-pattern", "search", "query", "visualization",
					    "dashboard"};

	for (size_t i = 0; i < COUNT_OF(order); i++)
		if (str_is(object->type, order[i]))
			return (int)i;
	return (int)COUNT_OF(order);
}

static int by_rank(const void *a, const void *b)
{
	const struct saved_object *x = *(struct saved_object *const *)a,
				  *y = *(struct saved_object *const *)b;
	int order = rank_of(x) - rank_of(y);

	if (order == 0)
		order = str_cmp(x->space, y->space);
	if (order == 0)
		order = str_cmp(x->type, y->type);
	return order ? order : str_cmp(x->id, y->id);
}

void saved_objects_sort(struct saved_objects *set)
{
	if (set->count > 0)
		qsort(set->items, set->count, sizeof(struct saved_object *), by_rank);
}

struct str saved_object_title(const struct saved_object *object)
{
	const struct json *attributes = json_get(object->body, "attributes");

	return json_text_or(json_get(attributes, "title"),
			    json_text_or(json_get(attributes, "url"), object->id));
}

static struct str print_text(struct saved_objects *set, const char *fmt, va_list arguments)
{
	char text[NOTE_MAX];

	vsnprintf(text, sizeof(text), fmt, arguments);
	return arena_str(&set->mem, str_from(text));
}

void saved_object_note(struct saved_objects *set, struct saved_object *object, bool warning,
		       const char *fmt, ...)
{
	struct saved_object_note *note = arena_zalloc(&set->mem, 1, sizeof(*note));
	va_list arguments;

	if (!note)
		return;
	va_start(arguments, fmt);
	note->text = print_text(set, fmt, arguments);
	va_end(arguments);
	note->warning = warning;
	if (object->last_note)
		object->last_note->next = note;
	else
		object->notes = note;
	object->last_note = note;
}

void saved_object_end(struct saved_objects *set, struct saved_object *object,
		      enum saved_object_outcome outcome, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	object->reason = print_text(set, fmt, arguments);
	va_end(arguments);
	object->outcome = outcome;
}
