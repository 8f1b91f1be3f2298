/* Secrets of a workflow, by the name that a configuration gives them: <state>/secrets/<name>, else
 * $CREDENTIALS_DIRECTORY/<name>, else $SHARDLIFT_SECRET_<NAME> (upper case, '_' for what is no
 * letter or digit). A user and a password are USERNAME:PASSWORD. On Kubernetes
 * (workflow/platform.h) they are Secrets of the namespace. */
#ifndef WORKFLOW_SECRETS_H
#define WORKFLOW_SECRETS_H

#include "base/arena.h"
#include "workflow/config_value.h"

/* 1; 0: there is none of that name. The value lives in `mem`, without a line end behind it. */
int workflow_secret_read(const char *state_dir, struct str name, struct arena *mem, struct str *out,
			 struct err *err);
/* Keeps it in <state>/secrets, 0600. ERR_USAGE: no name for a file. */
int workflow_secret_write(const char *state_dir, struct str name, struct str value,
			  struct err *err);
/* 1; 0: there was none in <state>/secrets. */
int workflow_secret_delete(const char *state_dir, struct str name, struct err *err);
/* Names in <state>/secrets, sorted. */
int workflow_secret_list(const char *state_dir, struct arena *mem, struct str **out, size_t *count,
			 struct err *err);
/* Names that a configuration mentions: basic and apiKey of all clusters, each once. */
int workflow_secret_names(const struct config_value *root, struct arena *mem, struct str **out,
			  size_t *count, struct err *err);

#endif
