#include "metadata/index_create_internal.h"

#include <stdarg.h>
#include <stdio.h>

void changes_add(struct buf *changes, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (changes->len > 0)
		buf_append_str(changes, STR("; "));
	buf_append_str(changes, str_from(text));
}

/* Before Elasticsearch 7, mappings lie below a type: the source's where it had one. */
static struct json *wrap_in_type(struct json *mapping, const struct json *types, struct arena *mem)
{
	struct json *wrapped = json_new(mem, JSON_OBJECT);
	bool single = types && types->count == 1;

	if (wrapped)
		json_set(wrapped, single ? types->first->key : STR("_doc"), mapping);
	return wrapped;
}

static bool needs_type(const struct cluster_version *target)
{
	return target->flavour == CLUSTER_ELASTICSEARCH && target->major < 7;
}

static int mapping_for_target(const struct index_metadata *metadata,
			      const struct index_create_options *options, struct arena *mem,
			      struct json **out, struct buf *changes, struct err *err)
{
	struct json *mapping;

	if (index_mapping_unwrap(metadata->mappings, mem, &mapping, changes, err) < 0)
		return -(int)err->kind;
	index_mapping_clean(mapping, &options->target, changes);
	if (needs_type(&options->target))
		mapping = wrap_in_type(mapping, metadata->mappings, mem);
	*out = mapping;
	return mapping ? 0 : arena_fail(mem, "index mappings", err);
}

int index_create_body(const struct index_metadata *metadata,
		      const struct index_create_options *options, struct arena *mem,
		      struct json **out, struct str *changes, struct err *err)
{
	cleanup(buf_release) struct buf told = BUF_INIT(CHANGES_MAX);
	struct json *body = json_new(mem, JSON_OBJECT);
	struct json *settings, *mapping, *aliases = NULL;

	if (!body)
		return arena_fail(mem, "index metadata", err);
	if (index_settings_for_target(metadata, options, mem, &settings, &told, err) < 0 ||
	    mapping_for_target(metadata, options, mem, &mapping, &told, err) < 0)
		return -(int)err->kind;
	if (metadata->aliases && !(aliases = json_copy(mem, metadata->aliases)))
		return arena_fail(mem, "index aliases", err);
	json_set(body, STR("settings"), settings);
	json_set(body, STR("mappings"), mapping);
	json_set(body, STR("aliases"), aliases);
	*changes = arena_str(mem, buf_str(&told));
	*out = body;
	return 0;
}
