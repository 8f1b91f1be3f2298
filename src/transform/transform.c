#include "transform/transform_internal.h"

#include <ctype.h>
#include <stdlib.h>

struct transform {
	struct arena mem; /* the configuration, which steps borrow */
	struct transform_step **steps;
	size_t count;
};

void transform_free(struct transform *transform)
{
	if (!transform)
		return;
	while (transform->count > 0) {
		struct transform_step *step = transform->steps[--transform->count];

		step->ops->close(step);
	}
	free(transform->steps);
	arena_release(&transform->mem);
	free(transform);
}

static void transform_freep(struct transform **transform)
{
	transform_free(*transform);
}

static int unknown_provider(struct str name, struct err *err)
{
	const char *nearest = transform_provider_nearest(name);

	if (nearest)
		return err_set(err, ERR_USAGE,
			       "there is no provider '" STR_FMT "'; do you mean '%s'?",
			       STR_ARG(name), nearest);
	return err_set(err, ERR_USAGE,
		       "there is no provider '" STR_FMT "'; docs/transforms.md lists those there "
		       "are",
		       STR_ARG(name));
}

/* `entry`: a name, or an object whose one key is the name and whose value is its configuration. */
static int add_step(struct transform *transform, const struct json *entry,
		    const struct transform_context *context, struct err *err)
{
	const struct json *configuration = NULL;
	const struct transform_provider *provider;
	struct transform_step *step;
	struct str name;

	if (entry->type == JSON_STRING) {
		name = entry->text;
	} else if (entry->type == JSON_OBJECT && entry->count == 1) {
		name = entry->first->key;
		configuration = entry->first;
	} else {
		return err_set(err, ERR_USAGE,
			       "expected a provider's name or an object with one key, "
			       "{\"Provider\": configuration}");
	}
	provider = transform_provider_find(name);
	if (!provider)
		return unknown_provider(name, err);
	if (provider->make(configuration, context, &step, err) < 0)
		return err_wrap(err, "%s", provider->name);
	step->provider = provider->name;
	step->position = transform->count + 1;
	transform->steps[transform->count++] = step;
	return 0;
}

static int add_steps(struct transform *transform, const struct json *configuration,
		     const struct transform_context *context, struct err *err)
{
	bool is_list = configuration->type == JSON_ARRAY;
	size_t total = is_list ? configuration->count : 1;

	transform->steps = mem_zalloc(MAX(total, (size_t)1) * sizeof(struct transform_step *));
	if (!is_list)
		return add_step(transform, configuration, context, err);
	json_each (entry, configuration)
		if (add_step(transform, entry, context, err) < 0)
			return err_wrap(err, "step %zu", transform->count + 1);
	return 0;
}

int transform_new_of_json(const struct json *configuration, const struct transform_context *context,
			  struct transform **out, struct err *err)
{
	cleanup(transform_freep) struct transform *transform = mem_zalloc(sizeof(*transform));

	if (add_steps(transform, configuration, context, err) < 0)
		return -(int)err->kind;
	*out = take(transform);
	return 0;
}

static struct str trimmed(struct str text)
{
	while (text.len > 0 && isspace((unsigned char)text.ptr[0]))
		text = str_from_offset(text, 1);
	while (text.len > 0 && isspace((unsigned char)text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static int parse_configuration(struct str text, struct arena *mem, struct json **out,
			       struct err *err)
{
	text = arena_str(mem, trimmed(text));
	if (!text.ptr)
		return arena_fail(mem, "a transformer configuration", err);
	if (text.len == 0)
		return err_set(err, ERR_USAGE, "transformer configuration: it is empty");
	if (!memchr("[{\"", text.ptr[0], 3)) {
		*out = json_new_string(mem, text);
		return *out ? 0 : arena_fail(mem, "a transformer configuration", err);
	}
	if (json_parse(text, mem, out, err) < 0) {
		err->kind = err->kind == ERR_FORMAT ? ERR_USAGE : err->kind;
		return err_wrap(err, "transformer configuration");
	}
	return 0;
}

int transform_new(struct str text, const struct transform_context *context, struct transform **out,
		  struct err *err)
{
	cleanup(transform_freep) struct transform *transform = mem_zalloc(sizeof(*transform));
	struct json *configuration;

	transform->mem = ARENA_INIT(LIMIT_TRANSFORM_CONFIGURATION);
	if (parse_configuration(text, &transform->mem, &configuration, err) < 0)
		return -(int)err->kind;
	if (add_steps(transform, configuration, context, err) < 0)
		return err_wrap(err, "transformer configuration");
	*out = take(transform);
	return 0;
}

/* The messages one step gets: those without error, with arrays taken apart. */
struct flat {
	struct transform_message *messages;
	size_t *origins; /* which of the caller's messages each comes from */
	size_t count;
};

static size_t parts_of(const struct transform_message *message)
{
	if (message->error.kind != ERR_NONE || !message->value)
		return 0;
	return message->value->type == JSON_ARRAY ? message->value->count : 1;
}

static void flat_add(struct flat *flat, const struct transform_message *from, struct json *value,
		     size_t origin)
{
	flat->origins[flat->count] = origin;
	flat->messages[flat->count++] =
		(struct transform_message){.name = from->name, .value = value};
}

static int flatten(struct flat *flat, const struct transform_message *messages, size_t count,
		   struct arena *mem, struct err *err)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += parts_of(&messages[i]);
	flat->messages = arena_zalloc(mem, total, sizeof(*flat->messages));
	flat->origins = arena_zalloc(mem, total, sizeof(*flat->origins));
	if (!flat->messages || !flat->origins)
		return arena_fail(mem, "the messages of a transform", err);
	for (size_t i = 0; i < count; i++) {
		struct json *value = messages[i].value, *next;

		if (parts_of(&messages[i]) == 0)
			continue;
		if (value->type != JSON_ARRAY) {
			flat_add(flat, &messages[i], value, i);
			continue;
		}
		/* A step may replace an element: its link to the next is taken first. */
		for (struct json *part = value->first; part; part = next) {
			next = part->next;
			part->next = NULL;
			flat_add(flat, &messages[i], part, i);
		}
	}
	return 0;
}

static void append_parts(struct json *array, struct json *value)
{
	struct json *next;

	if (!value || value->type != JSON_ARRAY) {
		json_append(array, value);
		return;
	}
	for (struct json *part = value->first; part; part = next) {
		next = part->next;
		part->next = NULL;
		json_append(array, part);
	}
}

/* One value of the parts [from, to) of a message: none, the one, or an array. */
static void fold_message(struct transform_message *message, const struct flat *flat, size_t from,
			 size_t to, struct arena *mem)
{
	struct json *array;

	for (size_t i = from; i < to; i++) {
		message->changed |= flat->messages[i].changed;
		if (flat->messages[i].error.kind != ERR_NONE) {
			message->error = flat->messages[i].error;
			return;
		}
	}
	if (to - from == 1) {
		message->value = flat->messages[from].value;
		return;
	}
	array = json_new(mem, JSON_ARRAY);
	for (size_t i = from; array && i < to; i++)
		append_parts(array, flat->messages[i].value);
	if (array && array->count == 1)
		array = array->first;
	message->value = array;
}

static int fold(const struct flat *flat, struct transform_message *messages, struct arena *mem,
		struct err *err)
{
	size_t from = 0, to;

	for (; from < flat->count; from = to) {
		to = from + 1;
		while (to < flat->count && flat->origins[to] == flat->origins[from])
			to++;
		fold_message(&messages[flat->origins[from]], flat, from, to, mem);
	}
	return mem->failed ? arena_fail(mem, "the messages of a transform", err) : 0;
}

static int apply_plain(struct transform_step *step, struct transform_message *messages,
		       size_t count, struct arena *mem, struct err *err)
{
	if (count == 0)
		return 0;
	if (step->ops->apply(step, messages, count, mem, err) < 0)
		return err_wrap(err, "transformer step %zu (%s)", step->position, step->provider);
	for (size_t i = 0; i < count; i++)
		if (messages[i].error.kind != ERR_NONE)
			err_wrap(&messages[i].error, STR_FMT ": transformer step %zu (%s)",
				 STR_ARG(messages[i].name), step->position, step->provider);
	return 0;
}

static bool all_plain(const struct transform_message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (messages[i].error.kind != ERR_NONE || !messages[i].value ||
		    messages[i].value->type == JSON_ARRAY)
			return false;
	return true;
}

static int apply_step(struct transform_step *step, struct transform_message *messages, size_t count,
		      struct arena *mem, struct err *err)
{
	struct flat flat = {0};

	if (all_plain(messages, count))
		return apply_plain(step, messages, count, mem, err);
	if (flatten(&flat, messages, count, mem, err) < 0 ||
	    apply_plain(step, flat.messages, flat.count, mem, err) < 0)
		return -(int)err->kind;
	return fold(&flat, messages, mem, err);
}

int transform_apply(struct transform *transform, struct transform_message *messages, size_t count,
		    struct arena *mem, struct err *err)
{
	for (size_t i = 0; i < transform->count; i++)
		if (apply_step(transform->steps[i], messages, count, mem, err) < 0)
			return -(int)err->kind;
	return 0;
}

int transform_apply_part(struct transform *transform, bool wants_types,
			 struct transform_message *messages, size_t count, struct arena *mem,
			 struct err *err)
{
	for (size_t i = 0; i < transform->count; i++)
		if (transform->steps[i]->wants_types == wants_types &&
		    apply_step(transform->steps[i], messages, count, mem, err) < 0)
			return -(int)err->kind;
	return 0;
}

bool transform_takes_source_texts(const struct transform *transform)
{
	for (size_t i = 0; i < transform->count; i++)
		if (!transform->steps[i]->takes_source_text)
			return false;
	return true;
}

static bool is_known(struct str key, const char *const *keys)
{
	for (; *keys; keys++)
		if (str_is(key, *keys))
			return true;
	return false;
}

static const char *nearest_key(struct str key, const char *const *keys)
{
	size_t best = MAX(key.len / 3, (size_t)1) + 1;
	const char *nearest = NULL;

	for (; *keys; keys++) {
		size_t apart = str_distance(key, str_from(*keys));

		if (apart >= best)
			continue;
		best = apart;
		nearest = *keys;
	}
	return nearest;
}

int transform_check_keys(const struct json *configuration, const char *const *keys, struct err *err)
{
	const char *nearest;

	if (!configuration || configuration->type == JSON_NULL ||
	    (configuration->type == JSON_STRING && configuration->text.len == 0))
		return 0;
	if (configuration->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "its configuration must be an object");
	json_each (member, configuration) {
		if (is_known(member->key, keys))
			continue;
		nearest = nearest_key(member->key, keys);
		return err_set(err, ERR_USAGE, "there is no key '" STR_FMT "'%s%s%s",
			       STR_ARG(member->key), nearest ? "; do you mean '" : "",
			       nearest ? nearest : "", nearest ? "'?" : "");
	}
	return 0;
}
