#include "transform/script_source.h"

#include "transform/script_number.h"

#include "base/json_numbers.h"

#include <stdlib.h>

void script_source_release(struct script_source *room)
{
	free(room->list);
	*room = (struct script_source){0};
}

static void note(void *user, struct str text, uint64_t place)
{
	struct script_source *room = user;
	double value;

	if (script_number_is_kept(text))
		return;
	value = script_number_value(text);
	room->needs_tree |= script_number_is_inexact(text, value);
	if (room->count == room->capacity) {
		room->capacity = MAX(room->capacity * 2, (size_t)32);
		room->list = mem_realloc(room->list, room->capacity * sizeof(*room->list));
	}
	room->list[room->count++] =
		(struct script_source_number){.place = place, .text = text, .value = value};
}

static int by_place(const void *a, const void *b)
{
	uint64_t left = ((const struct script_source_number *)a)->place;
	uint64_t right = ((const struct script_source_number *)b)->place;

	return left < right ? -1 : left > right;
}

static bool is_object(struct str source)
{
	size_t at = 0;

	while (at < source.len && strchr(" \t\r\n", source.ptr[at]))
		at++;
	return at < source.len && source.ptr[at] == '{';
}

/* Of members with the same name only one comes back. */
static bool has_twins(const struct script_source *room)
{
	for (size_t i = 1; i < room->count; i++)
		if (room->list[i - 1].place == room->list[i].place)
			return true;
	return false;
}

bool script_source_note(struct script_source *room, struct str source, struct arena *mem,
			struct script_source_numbers *out)
{
	size_t bytes;
	struct err ignored;

	*out = (struct script_source_numbers){0};
	room->count = 0;
	room->needs_tree = false;
	if (!is_object(source) || json_numbers(source, note, room, &ignored) < 0 ||
	    room->needs_tree)
		return false;
	if (room->count == 0)
		return true;
	qsort(room->list, room->count, sizeof(*room->list), by_place);
	bytes = room->count * sizeof(*room->list);
	out->list = arena_alloc(mem, bytes);
	if (has_twins(room) || !out->list)
		return false;
	memcpy(out->list, room->list, bytes);
	out->count = room->count;
	return true;
}

/* A walk through what came back. */
struct restoring {
	struct script_source_numbers *numbers;
	struct buf *out;
	const char *copied_to; /* within what came back */
	size_t found;
};

static void restore(void *user, struct str text, uint64_t place)
{
	struct restoring *restoring = user;
	const struct script_source_number key = {.place = place};
	struct script_source_number *number = NULL;

	if (restoring->numbers->count > 0)
		number = bsearch(&key, restoring->numbers->list, restoring->numbers->count,
				 sizeof(key), by_place);
	if (!number || number->found || script_number_value(text) != number->value)
		return;
	number->found = true;
	restoring->found++;
	buf_append(restoring->out, restoring->copied_to, (size_t)(text.ptr - restoring->copied_to));
	buf_append_str(restoring->out, number->text);
	restoring->copied_to = text.ptr + text.len;
}

bool script_source_restore(struct script_source_numbers *numbers, struct str returned,
			   struct buf *out)
{
	struct restoring restoring = {.numbers = numbers, .out = out, .copied_to = returned.ptr};
	struct err ignored;

	for (size_t i = 0; i < numbers->count; i++)
		numbers->list[i].found = false;
	if (json_numbers(returned, restore, &restoring, &ignored) < 0 ||
	    restoring.found != numbers->count)
		return false;
	buf_append(out, restoring.copied_to,
		   (size_t)(returned.ptr + returned.len - restoring.copied_to));
	return !out->failed;
}
