#include "backfill/mapping_compare.h"

#define PATH_MAX_LENGTH 512

struct comparison {
	struct buf *out;
	size_t found, most;
	bool missing;               /* fields that the target lacks are sought, and no others */
	char path[PATH_MAX_LENGTH]; /* of the object at hand, with a dot at its end */
	size_t path_length;
};

/* What a type of one product or age is in another. */
static const struct {
	const char *source, *target;
} successors[] = {
	{"string", "text"},
	{"string", "keyword"},
	{"flattened", "flat_object"},
	{"flat_object", "flattened"},
	{"dense_vector", "knn_vector"},
	{"knn_vector", "dense_vector"},
	{"object", "flat_object"},
	{"object", "flattened"},
};

static struct str type_of(const struct json *field)
{
	return json_text_or(json_get(field, "type"), STR("object"));
}

static bool is_same_type(struct str source, struct str target)
{
	if (str_eq(source, target))
		return true;
	for (size_t i = 0; i < COUNT_OF(successors); i++)
		if (str_is(source, successors[i].source) && str_is(target, successors[i].target))
			return true;
	return false;
}

static void add(struct comparison *c, struct str name, struct str source, struct str target)
{
	if (c->found++ >= c->most)
		return;
	if (c->missing)
		buf_printf(c->out, "%s%.*s" STR_FMT " (" STR_FMT ")", c->found > 1 ? ", " : "",
			   (int)c->path_length, c->path, STR_ARG(name), STR_ARG(source));
	else
		buf_printf(c->out, "%s%.*s" STR_FMT " (" STR_FMT ", there " STR_FMT ")",
			   c->found > 1 ? ", " : "", (int)c->path_length, c->path, STR_ARG(name),
			   STR_ARG(source), STR_ARG(target));
}

static void compare(struct comparison *c, const struct json *source, const struct json *target);

/* What lies below a field of both. */
static void descend(struct comparison *c, const struct json *source, const struct json *target)
{
	struct str name = source->key;
	size_t before = c->path_length;

	if (!json_get(source, "properties") || !json_get(target, "properties") ||
	    before + name.len + 1 > sizeof(c->path))
		return;
	memcpy(c->path + before, name.ptr, name.len);
	c->path[before + name.len] = '.';
	c->path_length += name.len + 1;
	compare(c, json_get(source, "properties"), json_get(target, "properties"));
	c->path_length = before;
}

/* Two "properties". Metadata is at most LIMIT_JSON_DEPTH deep. */
static void compare(struct comparison *c, const struct json *source, const struct json *target)
{
	json_each (field, source) {
		const struct json *there = json_get_str(target, field->key);
		struct str type = type_of(field);

		if (!there) {
			if (c->missing)
				add(c, field->key, type, STR_NONE);
			continue;
		}
		if (!c->missing && !is_same_type(type, type_of(there)))
			add(c, field->key, type, type_of(there));
		else
			descend(c, field, there);
	}
}

static size_t walk(struct comparison *c, const struct json *source, const struct json *target)
{
	json_each (type, source)
		compare(c, json_get(type, "properties"), json_get(target, "properties"));
	return c->found;
}

size_t mapping_compare(const struct json *source, const struct json *target, size_t most,
		       struct buf *out)
{
	struct comparison c = {.out = out, .most = most};

	return walk(&c, source, target);
}

size_t mapping_missing(const struct json *source, const struct json *target, size_t most,
		       struct buf *out)
{
	struct comparison c = {.out = out, .most = most, .missing = true};

	return walk(&c, source, target);
}
