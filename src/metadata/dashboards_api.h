/* The HTTP API of Kibana and OpenSearch Dashboards: spaces, saved objects out and in.
 *
 * Kibana 7.0 and later export lines of JSON; 6 has only its search for objects. An import in which
 * an object is there already, or refers to what is not, creates nothing at all: those go, and the
 * others are sent again. Sources: Kibana's guide, "Saved objects APIs"; OpenSearch Dashboards,
 * src/core/server/saved_objects. */
#ifndef METADATA_DASHBOARDS_API_H
#define METADATA_DASHBOARDS_API_H

#include "metadata/saved_objects.h"
#include "net/http_client.h"

struct dashboards;

/* Asks who is there. ERR_AUTH; ERR_UNSUPPORTED: something else, or Kibana before 6. The options'
 * strings are borrowed until it is closed. Requests are tried again for `retry_ms`. */
int dashboards_open(const struct http_options *options, int64_t retry_ms, struct dashboards **out,
		    struct err *err);
void dashboards_close(struct dashboards *dashboards);
bool dashboards_is_kibana(const struct dashboards *dashboards);
/* "Kibana 7.10.2"; lives as long as the connection. */
const char *dashboards_version_text(const struct dashboards *dashboards);

/* The names of Kibana's spaces, as an array of strings in `mem`; "default" is one. */
int dashboards_spaces(struct dashboards *dashboards, struct arena *mem, struct json **out,
		      struct err *err);
/* Appends the objects of a space of Kibana, or of a tenant of Dashboards ("" is the default one).
 * Types that cannot be read are told in set->unreadable. */
int dashboards_export(struct dashboards *dashboards, struct str space, struct saved_objects *set,
		      struct err *err);
/* Marks those of the space's ready objects that are there already. Writes nothing. */
int dashboards_find_existing(struct dashboards *dashboards, struct str space, struct str tenant,
			     struct saved_objects *set, struct err *err);
/* Sends the ready objects of a space to a tenant ("" is the global one), and says of each what
 * became of it. */
int dashboards_import(struct dashboards *dashboards, struct str space, struct str tenant,
		      bool overwrite, struct saved_objects *set, struct err *err);

#endif
