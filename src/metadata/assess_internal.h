/* Detectors: rows of tables, run over the source's metadata. */
#ifndef METADATA_ASSESS_INTERNAL_H
#define METADATA_ASSESS_INTERNAL_H

#include "metadata/assess.h"
#include "metadata/settings_tree.h"

enum assess_place {
	AT_SET,      /* once; node NULL */
	AT_ITEM,     /* node: the source of any item */
	AT_TYPES,    /* node: type -> mapping, of typed sources */
	AT_ROOT,     /* node: a mapping, with the type's name */
	AT_DYNAMIC,  /* node: a dynamic template */
	AT_FIELD,    /* node: a field's definition */
	AT_SETTINGS, /* node: the settings tree */
	AT_ANALYSIS, /* node: settings.analysis */
	AT_ALIASES,  /* node: the aliases */
};

struct assess_scan {
	struct assessment *a;
	const struct metadata_item *item; /* NULL: AT_SET, requests */
	struct str where;                 /* of requests */
	struct str path;
	const char *id; /* of the change that is looked for */
};

struct assess_detector {
	const char *id;
	enum assess_place place;
	void (*find)(struct assess_scan *scan, struct str name, const struct json *node,
		     const char *const *words);
	const char *const *words; /* NULL-terminated; for `find` */
};

/* Each ends with a row whose id is NULL. */
extern const struct assess_detector assess_of_mappings[], assess_of_settings[], assess_of_items[];

/* Runs the rows of all tables whose changes hold. */
void assess_scan_set(struct assessment *a);
/* Before the next item or request: what was said of the last one is kept or gone. */
void assess_next(struct assessment *a);
/* The change touches this place. `member`, if any, is put behind the path. */
void assess_hit(struct assess_scan *scan, const char *member, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void assess_hit_as(struct assess_scan *scan, enum assess_severity severity, const char *member,
		   const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Whether the change lies between the two versions. */
bool assess_applies(const struct assessment *a, const char *id);

/* A query, a search body, or a text that is a template of one. */
void assess_query(struct assess_scan *scan, const struct json *query);
void assess_search_body(struct assess_scan *scan, const struct json *body);
void assess_query_text(struct assess_scan *scan, struct str text);

void assess_clients(struct assessment *a);

#endif
