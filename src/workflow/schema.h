/* The shape of a workflow's configuration: one table of which the validator, the sample, the
 * reference page, the JSON schema for editors and the rules of change are made.
 *
 * Field names, defaults, constraints and policies are Migration Assistant 3.3.6's; fields of scope
 * SCHEMA_ONE_MACHINE are this program's own. */
#ifndef WORKFLOW_SCHEMA_H
#define WORKFLOW_SCHEMA_H

#include "base/buf.h"

enum schema_kind {
	SCHEMA_STRING,
	SCHEMA_BOOLEAN,
	SCHEMA_NUMBER,
	SCHEMA_INTEGER,
	SCHEMA_OBJECT, /* known fields, others are refused */
	SCHEMA_MAP,    /* names that the user chooses to `items` */
	SCHEMA_LIST,   /* of `items` */
	SCHEMA_ONE_OF, /* one of `variants` */
	SCHEMA_FREE,   /* whatever a map holds: passed on to who understands it */
};

/* What an edit means for a resource that is there already. */
enum change_policy {
	CHANGE_SAFE,       /* applied by the next submit */
	CHANGE_GATED,      /* waits for 'workflow approve change' */
	CHANGE_IMPOSSIBLE, /* refused until the resource is reset */
};

enum schema_scope {
	SCHEMA_EVERYWHERE,
	SCHEMA_KUBERNETES,  /* accepted and without effect on one machine */
	SCHEMA_ONE_MACHINE, /* this program's own; not in Migration Assistant's schema */
};

struct schema {
	enum schema_kind kind;
	const char *pattern; /* of a string: a regular expression (PCRE2) that it must match */
	const char *shape;   /* the pattern in words: "http(s)://HOST[:PORT]" */
	const char *choices; /* of a string: "none|scram-sha-512"; NULL: any */
	int64_t min, max;    /* of a number; max <= min: no upper bound */
	bool bounded;        /* min counts */
	bool nullable;       /* null is accepted, as not given */
	bool or_single;      /* of a list: one item may stand alone */
	size_t min_count;    /* of a list or map */
	const struct schema_field *fields;    /* of an object; ends with a row without a name */
	const struct schema *items;           /* of a list or map */
	const struct schema *const *variants; /* ends with NULL */
	const char *name;                     /* of a variant, and of what a map holds: "basic" */
};

struct schema_field {
	const char *name;
	const struct schema *schema;
	const char *fallback; /* JSON; NULL: none */
	bool required;
	enum change_policy policy;
	enum schema_scope scope;
	const char *help; /* a sentence without its full stop */
};

extern const struct schema schema_root;

/* A field on its way down the table. Paths are written "traffic.proxies.*.proxyConfig.tls<0>.mode":
 * '*' any name of a map, "[]" any item of a list, "<N>" a variant. */
struct schema_row {
	struct str path;
	const struct schema *schema;
	const struct schema_field *field; /* NULL: an item, a map's value or a variant */
	size_t depth;
};

/* Calls `row` for each, parents first, in the order of the table, until one returns nonzero, which
 * is then returned. */
int schema_walk(const struct schema *root, int (*row)(void *user, const struct schema_row *row),
		void *user);
/* "string", "list of …", for messages and documents; lives for ever. */
const char *schema_kind_name(const struct schema *schema);
const struct schema_field *schema_field_find(const struct schema *object, struct str name);

/* A commented configuration to start from: what is optional is commented out, alternatives are
 * numbered. */
void schema_write_sample(struct buf *out);
/* docs/reference/workflow-configuration.md. */
void schema_write_reference(struct buf *out);
/* JSON Schema, draft 2020-12. */
void schema_write_json_schema(struct buf *out);

#endif
