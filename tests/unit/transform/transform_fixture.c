#include "transform_fixture.h"

static struct str with_quotes(struct arena *mem, const char *text)
{
	char *bytes = arena_alloc(mem, strlen(text));

	for (size_t i = 0; i < strlen(text); i++)
		bytes[i] = text[i] == '\'' ? '"' : text[i];
	return str_of(bytes, strlen(text));
}

struct json *parse_quoted(struct arena *mem, const char *text)
{
	struct json *v = NULL;
	struct err err = {0};

	if (json_parse(with_quotes(mem, text), mem, &v, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	return v;
}

static int make(enum transform_kind kind, const char *configuration, struct transform **out,
		struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct transform_context context = {
		.kind = kind, .script_timeout_ms = 60000, .script_memory = 1 << 30};

	return transform_new(with_quotes(&mem, configuration), &context, out, err);
}

struct transform *make_transform(enum transform_kind kind, const char *configuration)
{
	struct transform *transform = NULL;
	struct err err = {0};

	if (make(kind, configuration, &transform, &err) < 0)
		fail_msg("%s: %s", configuration, err.message);
	return transform;
}

static void apply(enum transform_kind kind, const char *configuration,
		  struct transform_message *message, struct arena *mem)
{
	struct transform *transform = make_transform(kind, configuration);
	struct err err = {0};

	message->name = STR("m");
	if (transform_apply(transform, message, 1, mem, &err) < 0)
		fail_msg("%s: %s", configuration, err.message);
	transform_free(transform);
}

static bool is_dropped(const struct json *v)
{
	return !v || (v->type == JSON_ARRAY && !v->count);
}

static void check(enum transform_kind kind, const char *configuration, const char *text,
		  const char *expected, bool told)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	cleanup(buf_release) struct buf is = BUF_INIT(MIB(1));
	struct transform_message message = {.value = parse_quoted(&mem, text)};
	struct json *wanted = expected ? parse_quoted(&mem, expected) : NULL;

	apply(kind, configuration, &message, &mem);
	if (message.error.kind)
		fail_msg("%s: %s", text, message.error.message);
	if (message.value)
		json_write(&is, message.value);
	if (is_dropped(wanted) ? !is_dropped(message.value)
			       : is_dropped(message.value) || !json_equal(message.value, wanted))
		fail_msg("%s became %s instead of %s", text,
			 message.value ? buf_cstr(&is) : "nothing",
			 expected ? expected : "nothing");
	if (told &&
	    message.changed == (expected && json_equal(parse_quoted(&mem, text), message.value)))
		fail_msg("%s is told to be %schanged", text, message.changed ? "" : "un");
}

void assert_becomes(enum transform_kind kind, const char *configuration, const char *message,
		    const char *expected)
{
	check(kind, configuration, message, expected, true);
}

void assert_result(enum transform_kind kind, const char *configuration, const char *message,
		   const char *expected)
{
	check(kind, configuration, message, expected, false);
}

static bool ends_with(const char *text, const char *end)
{
	return str_ends(str_from(text), str_from(end));
}

void assert_message_error(enum transform_kind kind, const char *configuration, const char *text,
			  const char *error)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct transform_message message = {.value = parse_quoted(&mem, text)};

	apply(kind, configuration, &message, &mem);
	if (!message.error.kind || !ends_with(message.error.message, error))
		fail_msg("%s: '%s' instead of '%s'", text, message.error.message, error);
}

void assert_configuration_error(enum transform_kind kind, const char *configuration,
				const char *error)
{
	struct transform *transform = NULL;
	struct err err = {0};
	int status = make(kind, configuration, &transform, &err);

	if (status == 0)
		transform_free(transform);
	if (status != -ERR_USAGE || !ends_with(err.message, error))
		fail_msg("%s: '%s' instead of '%s'", configuration, err.message, error);
}
