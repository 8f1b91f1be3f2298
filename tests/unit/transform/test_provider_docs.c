#include "transform_fixture.h"

/* docs/transform-providers.md: an example is a line that begins with "Example (--kind …):", and
 * three indented blocks: the configuration, a message, and what becomes of it. */

static struct str read_file(struct arena *mem, const char *path)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	FILE *file = fopen(path, "rb");
	char piece[4096];
	size_t length;

	if (!file)
		fail_msg("cannot read %s", path);
	while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_append(&text, piece, length);
	fclose(file);
	return arena_str(mem, buf_str(&text));
}

/* The next run of indented lines. */
static const char *next_block(struct str *text, struct arena *mem)
{
	cleanup(buf_release) struct buf block = BUF_INIT(KIB(64));
	struct str line;

	while (text->len) {
		bool indented = str_starts(*text, STR("    "));

		if (!indented && block.len)
			break;
		str_split(*text, '\n', &line, text);
		if (!indented)
			continue;
		buf_append_str(&block, line);
		buf_append_byte(&block, '\n');
	}
	return arena_str(mem, buf_str(&block)).ptr;
}

static enum transform_kind kind_of(struct str name)
{
	static const char *const names[] = {[TRANSFORM_DOCUMENT] = "document",
					    [TRANSFORM_METADATA] = "metadata",
					    [TRANSFORM_REQUEST] = "request",
					    [TRANSFORM_TUPLE] = "tuple"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_is(name, names[i]))
			return (enum transform_kind)i;
	fail_msg("no kind of message: " STR_FMT, STR_ARG(name));
	return TRANSFORM_DOCUMENT;
}

static void the_examples_of_the_documentation_hold(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(4));
	struct str text = read_file(&mem, PROVIDER_DOCS), line, kind, rest;
	int examples = 0;

	(void)state;
	while (text.len) {
		const char *configuration, *message;

		str_split(text, '\n', &line, &text);
		if (!str_starts(line, STR("Example (--kind ")))
			continue;
		str_split(str_from_offset(line, strlen("Example (--kind ")), ')', &kind, &rest);
		configuration = next_block(&text, &mem);
		message = next_block(&text, &mem);
		assert_result(kind_of(kind), configuration, message, next_block(&text, &mem));
		examples++;
	}
	assert_true(examples >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_documentation_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
