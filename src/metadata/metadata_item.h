/* What a cluster knows besides its documents, one model for live clusters and snapshots.
 *
 * A metadata_set owns everything it points to (one arena). Built by one thread; read by any. */
#ifndef METADATA_METADATA_ITEM_H
#define METADATA_METADATA_ITEM_H

#include "base/arena.h"
#include "base/json.h"
#include "cluster/cluster.h"

/* In the order in which they are written to a target. */
enum metadata_kind {
	METADATA_CLUSTER_SETTINGS, /* reported only */
	METADATA_SECURITY,         /* roles: reported, written only when asked for */
	METADATA_SNAPSHOT_POLICY,  /* SLM, SM */
	METADATA_LIFECYCLE_POLICY, /* ILM, ISM */
	METADATA_PIPELINE,
	METADATA_SCRIPT,
	METADATA_COMPONENT_TEMPLATE,
	METADATA_INDEX_TEMPLATE,  /* composable */
	METADATA_LEGACY_TEMPLATE, /* _template */
	METADATA_DATA_STREAM,
	METADATA_INDEX,
	METADATA_ALIAS,
	METADATA_KINDS, /* how many */
};
/* As --kind and reports spell it: "lifecycle-policy"; plural for headings: "Lifecycle Policies". */
const char *metadata_kind_name(enum metadata_kind kind);
const char *metadata_kind_heading(enum metadata_kind kind);
/* -1: no such kind. Singular and plural are understood, "ilm", "templates" … too. */
int metadata_kind_parse(struct str name);

/* What a rule, a transform or a repair did to an item, or says about it. */
enum note_level { NOTE_INFO, NOTE_CHANGE, NOTE_WARN, NOTE_ERROR };
struct metadata_note {
	enum note_level level;
	const char *rule; /* id of the rule: "string-to-text"; "" if none */
	struct str path;  /* where: "mappings.properties.title"; empty if nowhere in particular */
	struct str text;  /* one sentence without full stop */
};

enum metadata_outcome {
	OUTCOME_NONE,     /* not decided yet */
	OUTCOME_EXCLUDED, /* built in, or not selected: reported only where the user asks */
	OUTCOME_READY,    /* evaluate: would be written */
	OUTCOME_WRITTEN,
	OUTCOME_EXISTED,  /* there already, and that is fine */
	OUTCOME_FAILED,   /* `reason` */
	OUTCOME_BLOCKED,  /* cannot be brought to the target: `reason` */
	OUTCOME_REPORTED, /* never written by this tool: what it is is told */
};

struct metadata_item {
	enum metadata_kind kind;
	struct str name;        /* on the source */
	struct str target_name; /* as name, unless renamed, split or merged */
	/* As the API's GET shows it, normalised: settings a tree without "index.", values as the
	 * source has them; mappings an object type -> mapping for sources before 7 (typed), a bare
	 * mapping with typed = false else; aliases an object. Never changed after reading. */
	const struct json *source;
	bool typed;
	bool closed, hidden, system;
	bool partial_source;    /* stores its _source in part, or not at all */
	int32_t routing_shards; /* of an index; 0: not known */
	int64_t rolled_over_ms; /* of an index of a snapshot: when it rolled over last; 0: not known
				 */
	struct json *result;    /* what is to be written: a changed copy; NULL before the rules */
	struct metadata_note *notes;
	size_t note_count, note_capacity;
	enum metadata_outcome outcome;
	struct str reason;
	struct metadata_item *split_from; /* one of several that an item became */
};

/* A part of the source, or of what the target has, that could not be read: the report says so, and
 * goes on. */
struct metadata_unreadable {
	enum metadata_kind kind;
	struct str reason;
};

struct metadata_set {
	struct arena mem;
	struct cluster_version version; /* of the source */
	struct str description; /* "Snapshot (ELASTICSEARCH 6.8.23)", "Remote Cluster (…)" */
	bool live;
	struct metadata_item **items; /* by kind, then name */
	size_t count, capacity;
	struct metadata_unreadable *unreadable;
	size_t unreadable_count;
};

void metadata_set_init(struct metadata_set *set);
void metadata_set_release(struct metadata_set *set);
/* A new item at the end; NULL at the arena's ceiling. Strings and trees are borrowed and must live
 * in set->mem. */
struct metadata_item *metadata_set_add(struct metadata_set *set, enum metadata_kind kind,
				       struct str name, const struct json *source);
struct metadata_item *metadata_set_find(const struct metadata_set *set, enum metadata_kind kind,
					struct str name);
void metadata_set_sort(struct metadata_set *set);
/* `reason` is copied. */
void metadata_note_unreadable(struct metadata_set *set, enum metadata_kind kind, struct str reason);
/* printf into the set's arena. */
void metadata_item_note(struct metadata_set *set, struct metadata_item *item, enum note_level level,
			const char *rule, struct str path, const char *fmt, ...) PRINTF_LIKE(6, 7);

#endif
