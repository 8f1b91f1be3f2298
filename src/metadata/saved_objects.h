/* Saved objects of Kibana and OpenSearch Dashboards (index patterns, searches, visualizations,
 * dashboards …): what they are, and what of Kibana's becomes Dashboards'.
 *
 * Dashboards is a fork of Kibana 7.10 and refuses what a later Kibana wrote: each type goes back to
 * the last version that Dashboards knows, and what only Kibana has goes. Sources: migrations of
 * saved objects in OpenSearch Dashboards' plugins data, discover, dashboard, visualizations, share;
 * the lines are those of POST /api/saved_objects/_export. */
#ifndef METADATA_SAVED_OBJECTS_H
#define METADATA_SAVED_OBJECTS_H

#include "base/json.h"
#include "base/opt.h"
#include "metadata/index_renames.h"

enum saved_object_outcome {
	SAVED_OBJECT_READY,
	SAVED_OBJECT_WRITTEN,
	SAVED_OBJECT_EXISTED, /* there already, and left as it is */
	SAVED_OBJECT_FAILED,
	SAVED_OBJECT_DROPPED, /* nothing of the target's is like it */
	SAVED_OBJECT_EXCLUDED /* of a type that was not asked for */
};

struct saved_object_note {
	struct saved_object_note *next;
	bool warning;
	struct str text;
};

struct saved_object {
	struct str type, id, space; /* space: "" for the default one, and for files */
	struct json *body;
	bool made; /* of a by-value panel: not exported, and always wanted with its dashboard */
	enum saved_object_outcome outcome;
	struct str reason;
	struct saved_object_note *notes, *last_note;
};

struct saved_objects {
	struct arena mem;
	struct saved_object **items; /* owned array */
	size_t count, capacity;
	struct json *unreadable; /* an array of texts: what could not be exported */
};

void saved_objects_init(struct saved_objects *set);
void saved_objects_release(struct saved_objects *set);
/* Appends one; the tree is borrowed and must live in set->mem. ERR_FORMAT without type, id and
 * attributes. `out` may be NULL. */
int saved_objects_add(struct saved_objects *set, struct str space, struct json *body,
		      struct saved_object **out, struct err *err);
/* Appends those of an export, one a line; its last line of details is none. `text` must live as
 * long as the set. ERR_FORMAT names the line. */
int saved_objects_parse(struct saved_objects *set, struct str space, struct str text,
			struct err *err);
/* Appends those that are ready, one a line. */
void saved_objects_print(const struct saved_objects *set, struct buf *out);
/* Index patterns before searches, visualizations and dashboards; else as they are. */
void saved_objects_sort(struct saved_objects *set);
struct str saved_object_title(const struct saved_object *object);
/* printf into the set's arena. */
void saved_object_note(struct saved_objects *set, struct saved_object *object, bool warning,
		       const char *fmt, ...) PRINTF_LIKE(4, 5);
void saved_object_end(struct saved_objects *set, struct saved_object *object,
		      enum saved_object_outcome outcome, const char *fmt, ...) PRINTF_LIKE(4, 5);

struct saved_objects_options {
	const struct opt_list *types;        /* only these; none: all */
	const struct index_renames *renames; /* of patterns in titles of index patterns */
	bool from_kibana; /* false: the source is Dashboards, and nothing but names changes */
};
/* Makes of the set what the target takes. What cannot be is dropped, with the reason. By-value
 * panels become visualizations of their own, whose ids are those of dashboard and panel. */
int saved_objects_clean(struct saved_objects *set, const struct saved_objects_options *options,
			struct err *err);

#endif
