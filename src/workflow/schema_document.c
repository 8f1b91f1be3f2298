#include "workflow/schema.h"

#include "base/json.h"

static void write_type(struct buf *out, const struct schema *schema)
{
	buf_append_str(out, str_from(schema_kind_name(schema)));
	if (schema->choices)
		buf_printf(out, ": `%s`", schema->choices);
	else if (schema->shape)
		buf_printf(out, ": %s", schema->shape);
	else if (schema->kind == SCHEMA_LIST && !schema->items->fields)
		buf_printf(out, " of %ss", schema_kind_name(schema->items));
	if (schema->max > schema->min)
		buf_printf(out, ", %lld to %lld", (long long)schema->min, (long long)schema->max);
	if (schema->or_single)
		buf_printf(out, ", or one alone");
}

/* '|' ends a cell of a table. */
static void write_cell(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '|')
			buf_append_byte(out, '\\');
		buf_append_byte(out, text.ptr[i]);
	}
}

static int write_row(void *user, const struct schema_row *row)
{
	static const char *const policies[] = {"safe", "gated", "impossible"};
	static const char *const scopes[] = {"", " (Kubernetes only)", " (ours)"};
	cleanup(buf_release) struct buf type = BUF_INIT(LIMIT_PATH);
	const struct schema_field *field = row->field;
	struct buf *out = user;

	if (!field)
		return 0;
	if (row->depth == 1)
		buf_printf(out,
			   "\n## %s\n\n%s.\n\n| path | type | default | change | what |\n"
			   "|---|---|---|---|---|\n",
			   field->name, field->help);
	write_type(&type, row->schema);
	buf_printf(out, "| `" STR_FMT "` | ", STR_ARG(row->path));
	write_cell(out, buf_str(&type));
	buf_printf(out, " | %s%s%s | %s | ", field->fallback ? "`" : "",
		   field->required   ? "required"
		   : field->fallback ? field->fallback
				     : "",
		   field->fallback ? "`" : "", policies[field->policy]);
	write_cell(out, str_from(field->help));
	buf_printf(out, "%s |\n", scopes[field->scope]);
	return 0;
}

void schema_write_reference(struct buf *out)
{
	buf_printf(
		out,
		"# The configuration of a workflow\n\n"
		"Made by `workflow configure reference`; `workflow configure sample` prints the "
		"same as YAML to start from,\nand `workflow configure schema` as JSON Schema for "
		"editors.\n\n"
		"`*` stands for a name of your choice, `[]` for an item of a list, `<N>` for one "
		"of "
		"several forms. *change*: what an\nedit means once the resource is there: applied "
		"(safe), applied after `workflow approve change` (gated), or\nrefused until the "
		"resource is reset (impossible).\n");
	schema_walk(&schema_root, write_row, out);
}

static void write_json(struct buf *out, const struct schema *schema,
		       const struct schema_field *field);

static void write_member(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	json_write_string(out, str_from(text));
}

static void write_properties(struct buf *out, const struct schema *schema)
{
	const char *comma = "";

	buf_printf(out, ",\"additionalProperties\":false,\"patternProperties\":{\"^(//|#)\":{}}"
			",\"properties\":{");
	for (const struct schema_field *field = schema->fields; field->name; field++) {
		buf_printf(out, "%s\"%s\":", comma, field->name);
		write_json(out, field->schema, field);
		comma = ",";
	}
	buf_printf(out, "},\"required\":[");
	comma = "";
	for (const struct schema_field *field = schema->fields; field->name; field++)
		if (field->required) {
			buf_printf(out, "%s\"%s\"", comma, field->name);
			comma = ",";
		}
	buf_append_byte(out, ']');
}

static void write_choices(struct buf *out, const char *choices)
{
	struct str rest = str_from(choices), choice;
	const char *comma = "";

	buf_printf(out, ",\"enum\":[");
	for (bool more = true; more; comma = ",") {
		more = str_split(rest, '|', &choice, &rest);
		buf_append_str(out, str_from(comma));
		json_write_string(out, choice);
	}
	buf_append_byte(out, ']');
}

static void write_variants(struct buf *out, const struct schema *schema)
{
	buf_printf(out, "\"anyOf\":[");
	for (size_t i = 0; schema->variants[i]; i++) {
		if (i > 0)
			buf_append_byte(out, ',');
		write_json(out, schema->variants[i], NULL);
	}
	buf_append_byte(out, ']');
}

static void write_items(struct buf *out, const struct schema *schema)
{
	if (schema->or_single)
		buf_printf(out, "\"type\":[\"array\",\"object\"],\"items\":");
	else
		buf_printf(out,
			   "\"type\":\"array\",\"minItems\":%zu,\"items\":", schema->min_count);
	write_json(out, schema->items, NULL);
}

static void write_scalar(struct buf *out, const struct schema *schema)
{
	if (schema->nullable)
		buf_printf(out, "\"type\":[\"%s\",\"null\"]", schema_kind_name(schema));
	else
		buf_printf(out, "\"type\":\"%s\"", schema_kind_name(schema));
	if (schema->choices)
		write_choices(out, schema->choices);
	if (schema->pattern)
		write_member(out, "pattern", schema->pattern);
	if (schema->bounded)
		buf_printf(out, ",\"minimum\":%lld", (long long)schema->min);
	if (schema->max > schema->min)
		buf_printf(out, ",\"maximum\":%lld", (long long)schema->max);
}

static void write_json(struct buf *out, const struct schema *schema,
		       const struct schema_field *field)
{
	buf_append_byte(out, '{');
	switch (schema->kind) {
	case SCHEMA_OBJECT:
		buf_printf(out, "\"type\":\"object\"");
		write_properties(out, schema);
		break;
	case SCHEMA_MAP:
		buf_printf(out, "\"type\":\"object\",\"additionalProperties\":");
		write_json(out, schema->items, NULL);
		break;
	case SCHEMA_FREE:
		buf_printf(out,
			   "\"type\":[\"object\",\"array\",\"string\",\"number\",\"boolean\"]");
		break;
	case SCHEMA_LIST:
		write_items(out, schema);
		break;
	case SCHEMA_ONE_OF:
		write_variants(out, schema);
		break;
	case SCHEMA_STRING:
	case SCHEMA_BOOLEAN:
	case SCHEMA_NUMBER:
	case SCHEMA_INTEGER:
		write_scalar(out, schema);
		break;
	}
	if (field)
		write_member(out, "description", field->help);
	if (field && field->fallback)
		buf_printf(out, ",\"default\":%s", field->fallback);
	buf_append_byte(out, '}');
}

void schema_write_json_schema(struct buf *out)
{
	struct schema_field root = {.help = "The configuration of a workflow"};

	buf_printf(out,
		   "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"allOf\":[");
	write_json(out, &schema_root, &root);
	buf_printf(out, "]}\n");
}
