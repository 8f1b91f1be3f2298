#include "workflow/schema.h"

#include "workflow/schema_shapes.h"

#include <stdio.h>

const struct schema schema_root = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"skipApprovals", &schema_boolean, "false", .help = "Wait nowhere"},
		{"requireBeginApproval", &schema_boolean, "false",
		 .help = "Wait before the first step"},
		{"kafkaClusterConfiguration", &schema_kafka_clusters, "{}",
		 .help = "Where captured traffic is kept, by name; without: the segment log"},
		{"sourceClusters", &schema_source_clusters, .required = true,
		 .help = "Clusters to leave, by name"},
		{"targetClusters", &schema_target_clusters, .required = true,
		 .help = "Clusters to go to, by name"},
		{"snapshotMigrationConfigs", &schema_snapshot_migrations, .required = true,
		 .help = "What is migrated from snapshots; [] for traffic alone"},
		{"traffic", &schema_traffic, .help = "Capture and replay"},
		{0}}};

/* A walk: the path so far, which grows and shrinks with the depth. */
struct walk {
	int (*row)(void *user, const struct schema_row *row);
	void *user;
	struct buf path;
	size_t depth;
};

static int visit(struct walk *walk, const struct schema *schema, const struct schema_field *field);

static int visit_below(struct walk *walk, const struct schema *schema,
		       const struct schema_field *field, const char *step)
{
	size_t len = walk->path.len;
	int rc;

	buf_append_str(&walk->path, str_from(step));
	walk->depth++;
	rc = visit(walk, schema, field);
	walk->depth--;
	walk->path.len = len;
	return rc;
}

static int visit_fields(struct walk *walk, const struct schema *schema)
{
	size_t len = walk->path.len;
	int rc = 0;

	if (len > 0)
		buf_append_byte(&walk->path, '.');
	for (const struct schema_field *field = schema->fields; field->name && rc == 0; field++)
		rc = visit_below(walk, field->schema, field, field->name);
	walk->path.len = len;
	return rc;
}

static int visit_variants(struct walk *walk, const struct schema *schema)
{
	char step[24];
	int rc = 0;

	for (size_t i = 0; schema->variants[i] && rc == 0; i++) {
		snprintf(step, sizeof(step), "<%zu>", i);
		rc = visit_below(walk, schema->variants[i], NULL, step);
	}
	return rc;
}

static int visit(struct walk *walk, const struct schema *schema, const struct schema_field *field)
{
	struct schema_row row = {buf_str(&walk->path), schema, field, walk->depth};
	int rc = walk->path.len > 0 ? walk->row(walk->user, &row) : 0;

	if (rc != 0)
		return rc;
	switch (schema->kind) {
	case SCHEMA_OBJECT:
		return visit_fields(walk, schema);
	case SCHEMA_MAP:
		return visit_below(walk, schema->items, NULL, ".*");
	case SCHEMA_LIST:
		return visit_below(walk, schema->items, NULL, "[]");
	case SCHEMA_ONE_OF:
		return visit_variants(walk, schema);
	case SCHEMA_STRING:
	case SCHEMA_BOOLEAN:
	case SCHEMA_NUMBER:
	case SCHEMA_INTEGER:
	case SCHEMA_FREE:
		break;
	}
	return 0;
}

int schema_walk(const struct schema *root, int (*row)(void *user, const struct schema_row *row),
		void *user)
{
	struct walk walk = {row, user, BUF_INIT(LIMIT_PATH), 0};
	int rc = visit(&walk, root, NULL);

	buf_release(&walk.path);
	return rc;
}

const char *schema_kind_name(const struct schema *schema)
{
	switch (schema->kind) {
	case SCHEMA_STRING:
		return "string";
	case SCHEMA_BOOLEAN:
		return "boolean";
	case SCHEMA_NUMBER:
		return "number";
	case SCHEMA_INTEGER:
		return "integer";
	case SCHEMA_OBJECT:
	case SCHEMA_MAP:
	case SCHEMA_FREE:
		return "map";
	case SCHEMA_LIST:
		return "list";
	case SCHEMA_ONE_OF:
		return "one of several forms";
	}
	return "";
}

const struct schema_field *schema_field_find(const struct schema *object, struct str name)
{
	for (const struct schema_field *field = object->fields; field->name; field++)
		if (str_is(name, field->name))
			return field;
	return NULL;
}
