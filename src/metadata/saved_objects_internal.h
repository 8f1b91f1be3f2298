/* What the files of saved objects share. */
#ifndef METADATA_SAVED_OBJECTS_INTERNAL_H
#define METADATA_SAVED_OBJECTS_INTERNAL_H

#include "metadata/saved_objects.h"

/* What Dashboards takes over from Kibana; NULL for other types. */
struct saved_object_type {
	const char *name;
	const char *version;           /* the last one that Dashboards knows; NULL: it has none */
	const char *const *attributes; /* all that there may be; NULL: any */
};
const struct saved_object_type *saved_object_type_find(struct str name);

/* Members of objects whose value is JSON in a string. NULL when it is absent or no JSON. */
struct json *saved_object_unpack(struct saved_objects *set, const struct json *object,
				 const char *key);
void saved_object_pack(struct saved_objects *set, struct json *object, const char *key,
		       const struct json *value);

/* Panels of a dashboard that Kibana wrote in `version`. */
int saved_objects_clean_panels(struct saved_objects *set, struct saved_object *dashboard,
			       int64_t version, struct err *err);
/* The state of a visualization that Kibana wrote in `version`. */
void saved_objects_clean_state(struct saved_objects *set, struct saved_object *visualization,
			       int64_t version);

#endif
