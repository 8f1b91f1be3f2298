/* What the console works with: the sections of services.yaml, or those that a workflow's
 * configuration and records come to. Read-only once there; all of it in the arena it was made with.
 *
 * Source: Migration Assistant 3.3.6's services.yaml; docs/console.md has the fields. */
#ifndef WORKFLOW_SERVICES_H
#define WORKFLOW_SERVICES_H

#include "net/http_client.h"
#include "workflow/config_value.h"

enum services_role { SERVICES_SOURCE, SERVICES_TARGET, SERVICES_PROXY, SERVICES_ROLES };
/* "source", "target", "proxy" */
const char *services_role_name(enum services_role role);

/* Sections that there may be several of in a workflow. */
enum services_section {
	SERVICES_SNAPSHOT,
	SERVICES_METADATA,
	SERVICES_BACKFILL, /* as below `backfill: reindex_from_snapshot:` */
	SERVICES_REPLAY,
	SERVICES_KAFKA,
	SERVICES_METRICS,
	SERVICES_SECTIONS,
};

struct services {
	const char *origin;    /* the file, or "the workflow's configuration" */
	const char *state_dir; /* for secrets */
	bool derived;          /* of a workflow */
	/* Maps of names to what services.yaml has there; names of a file are those of the role or
	 * the section. NULL: none. */
	const struct config_value *clusters[SERVICES_ROLES];
	const struct config_value *sections[SERVICES_SECTIONS];
	const char *user_agent_extra; /* NULL: none */
};

/* Reads and checks the file. ERR_NOT_FOUND; ERR_USAGE: "PATH, line N: what is wrong at a.b". */
int services_load(const char *path, const char *state_dir, struct arena *mem, struct services *out,
		  struct err *err);
/* The same of text. */
int services_parse(struct str text, const char *path, const char *state_dir, struct arena *mem,
		   struct services *out, struct err *err);
struct workflow_state;
/* Of a session's configuration that config_check found no errors in, and what is on record of its
 * resources (`state` may be NULL). */
int services_derive(const struct config_value *root, struct workflow_state *state,
		    const char *state_dir, struct arena *mem, struct services *out,
		    struct err *err);

struct services_cluster {
	enum services_role role;
	struct str name;
	const struct config_value *value;
	struct http_options http; /* secrets included; borrowed from the arena */
	const char *version;      /* as configured; NULL: not */
};

/* A role (the only cluster of it) or a cluster's name, with its secrets. ERR_USAGE: not there, or
 * several, which are listed. */
int services_find_cluster(const struct services *services, const char *word, struct arena *mem,
			  struct services_cluster *out, struct err *err);
/* The only one of that section, or the one called `name`. ERR_USAGE: not there, or several. */
int services_find_section(const struct services *services, enum services_section section,
			  const char *name, struct arena *mem, const struct config_value **out,
			  struct err *err);
/* "'a', 'b'"; "none" */
const char *services_names(const struct config_value *map, struct arena *mem);

/* --- services_secret.c --- */

/* Fills user and password of `basic_auth`, the key of `api_key`. */
int services_read_secrets(const struct services *services, struct services_cluster *cluster,
			  struct arena *mem, struct err *err);

#endif
