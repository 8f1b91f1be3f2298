#include "workflow/schema.h"

#include <stdarg.h>
#include <stdio.h>

/* Where the writer is: how many optional things surround it, each a '#' at the start of the line,
 * so that taking one away makes the line count. */
struct place {
	struct buf *out;
	size_t indent; /* columns */
	size_t optional;
};

static void write_value(struct place at, const char *name, const struct schema *schema,
			const char *fallback);
static void write_body(struct place at, const struct schema *schema);

static void write_line(const struct place *at, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void write_line(const struct place *at, const char *fmt, ...)
{
	char text[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (size_t i = 0; i < at->optional; i++)
		buf_append_byte(at->out, '#');
	buf_printf(at->out, "%*s%s\n", (int)at->indent, "", text);
}

/* What a comment says of a value besides its help. */
static void describe(struct buf *out, const struct schema_field *field)
{
	const struct schema *schema = field->schema;

	buf_append_str(out, str_from(schema_kind_name(schema)));
	if (schema->choices)
		buf_printf(out, ": %s", schema->choices);
	else if (schema->shape)
		buf_printf(out, ": %s", schema->shape);
	if (field->required)
		buf_printf(out, "; required");
	if (field->scope == SCHEMA_KUBERNETES)
		buf_printf(out, "; Kubernetes only");
	if (field->scope == SCHEMA_ONE_MACHINE)
		buf_printf(out, "; not known to Migration Assistant");
}

static void write_field(struct place at, const struct schema_field *field)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_PATH);

	at.optional += !field->required;
	describe(&text, field);
	write_line(&at, "# %s (%s)", field->help, buf_cstr(&text));
	write_value(at, field->name, field->schema, field->fallback);
}

static void write_fields(struct place at, const struct schema *schema)
{
	for (const struct schema_field *field = schema->fields; field->name; field++)
		write_field(at, field);
}

static void write_variants(struct place at, const struct schema *schema)
{
	for (size_t i = 0; schema->variants[i]; i++) {
		struct place option = at;

		option.optional += i > 0;
		write_line(&option, "# Option %zu: %s", i + 1, schema->variants[i]->name);
		write_body(option, schema->variants[i]);
	}
}

/* What stands below a name, one level further in. */
static void write_body(struct place at, const struct schema *schema)
{
	struct place below = at;

	switch (schema->kind) {
	case SCHEMA_OBJECT:
		write_fields(at, schema);
		break;
	case SCHEMA_MAP:
		write_line(&at, "<%s>:", schema->items->name ? schema->items->name : "name");
		below.indent += 2;
		write_body(below, schema->items);
		break;
	case SCHEMA_LIST:
		write_line(&at, "-");
		below.indent += 2;
		write_body(below, schema->items);
		break;
	case SCHEMA_ONE_OF:
		write_variants(at, schema);
		break;
	case SCHEMA_STRING:
	case SCHEMA_BOOLEAN:
	case SCHEMA_NUMBER:
	case SCHEMA_INTEGER:
	case SCHEMA_FREE:
		write_line(&at, "<%s>", schema_kind_name(schema));
		break;
	}
}

static bool is_nested(const struct schema *schema)
{
	switch (schema->kind) {
	case SCHEMA_OBJECT:
	case SCHEMA_MAP:
	case SCHEMA_ONE_OF:
		return true;
	case SCHEMA_LIST:
		return is_nested(schema->items);
	case SCHEMA_STRING:
	case SCHEMA_BOOLEAN:
	case SCHEMA_NUMBER:
	case SCHEMA_INTEGER:
	case SCHEMA_FREE:
		break;
	}
	return false;
}

static void write_value(struct place at, const char *name, const struct schema *schema,
			const char *fallback)
{
	if (is_nested(schema)) {
		write_line(&at, "%s:", name);
		at.indent += 2;
		write_body(at, schema);
	} else if (fallback) {
		write_line(&at, "%s: %s", name, fallback);
	} else if (schema->choices && !strchr(schema->choices, '|')) {
		write_line(&at, "%s: %s", name, schema->choices);
	} else if (schema->kind == SCHEMA_LIST) {
		write_line(&at, "%s: []", name);
	} else if (schema->kind == SCHEMA_FREE) {
		write_line(&at, "%s: {}", name);
	} else {
		write_line(&at, "%s: <%s>", name, schema_kind_name(schema));
	}
}

void schema_write_sample(struct buf *out)
{
	struct place at = {.out = out};

	write_line(&at,
		   "# A workflow's configuration. Lines that begin with '#' are optional: take");
	write_line(&at,
		   "# away one '#' to make such a line count. Of options keep one. Replace what");
	write_line(&at, "# stands in <>, and ask 'workflow configure edit' whether it is right.");
	write_fields(at, &schema_root);
}
