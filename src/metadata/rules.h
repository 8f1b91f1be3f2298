/* The rule table: what must change between two versions, and how. One declarative row a rule:
 * which bodies and where in them, from and to which versions, the action, the sentence for the
 * report. Applied at every depth of indices, legacy, composable and component templates.
 *
 * Rows live in rules_*.c (mappings, types, settings, analysis, dates, vectors, templates, aliases);
 * rules.c walks. Sources: docs/metadata-rules.md, made from the table. */
#ifndef METADATA_RULES_H
#define METADATA_RULES_H

#include "base/opt.h"
#include "metadata/metadata_item.h"

enum multi_type_mode { MULTI_TYPE_UNION, MULTI_TYPE_SPLIT, MULTI_TYPE_NONE };
enum unsupported_mode { UNSUPPORTED_BLOCK, UNSUPPORTED_DISABLE /* object, enabled: false */ };

struct rule_options {
	struct cluster_version target;
	enum multi_type_mode multi_type;
	enum unsupported_mode on_unsupported;
	int64_t replicas;             /* -1: as the source */
	int64_t awareness_attributes; /* copies become a multiple of it; 0, 1: no matter */
	bool preserve_routing;        /* number_of_routing_shards for live sources, too */
	bool keep_allocation;
	bool keyword_subfields; /* old string fields get .keyword */
	/* Both may be NULL. "warm=temp:warm": ILM's warm phase moves indices to such nodes;
	 * "data=temp", "data:hot=temp:h": what attributes of nodes are called on the target. */
	const struct opt_list *tier_attributes, *attribute_map;
};

/* A version as the table compares them: flavour and 1000 * major + minor. */
struct rule_range {
	enum {
		ANY_FLAVOUR,
		ONLY_ES,
		ONLY_OS,
		OS_OR_ES, /* any OpenSearch, and Elasticsearch within the numbers */
	} flavour;
	int from, below; /* [from, below); 0: open. Serverless counts as OpenSearch 9.0 */
};

struct rule_scope {
	struct metadata_set *set;
	struct metadata_item *item;
	const struct rule_options *options;
	struct str path; /* of `node`: "mappings.properties.title" */
};

enum rule_place {
	RULE_BODY,     /* node: the whole item */
	RULE_SETTINGS, /* node: the settings tree */
	RULE_MAPPING,  /* node: a mapping's root (after types are united or split) */
	RULE_TYPES, /* node: object type -> mapping, typed sources only; before they are united */
	RULE_FIELD, /* node: each field's definition, at every depth; multi-fields and dynamic
		       templates' mappings too */
	RULE_ANALYSIS,         /* node: settings.analysis */
	RULE_ALIASES,          /* node: the aliases object */
	RULE_LIFECYCLE_POLICY, /* node: the whole item; rows may replace scope->item->result */
	RULE_SNAPSHOT_POLICY,  /* likewise */
	RULE_ROLE,             /* likewise */
};

struct rule {
	const char *id;       /* "string-to-text"; stable */
	const char *breaking; /* ids of reference section 3 that it answers: "B501"; NULL: none */
	enum rule_place place;
	struct rule_range source, target;
	const char *summary; /* for docs and the report's Transformations */
	/* Changes the node in place (memory: scope->set->mem), tells what it did by
	 * metadata_item_note. `name`: of the field or member; empty at roots. Returns whether it
	 * changed or warned. */
	bool (*apply)(struct rule_scope *scope, struct str name, struct json *node);
};

/* All rows; for docs, coverage tests and assess. */
const struct rule *const *rules_all(size_t *count);
/* Makes `result` of every item that is not excluded: unwraps or unites types, applies all rules,
 * flattens nothing. Items may be added (split) or blocked. */
int rules_apply(struct metadata_set *set, const struct rule_options *options, struct err *err);
bool rule_range_holds(const struct rule_range *range, const struct cluster_version *version);

#endif
