/* Secrets of Kubernetes, as the Java tool keeps them: keys username and password, and of an API key
 * `api-key`. Those that we made carry the label use-case=http-basic-credentials; no others are
 * changed. Values are as in workflow/secrets.h: USERNAME:PASSWORD, or an API key. */
#ifndef WORKFLOW_SECRETS_KUBERNETES_H
#define WORKFLOW_SECRETS_KUBERNETES_H

#include "base/arena.h"
#include "base/err.h"

/* 1; 0: there is none. ERR_USAGE: it has other keys; the message names them. */
int kubernetes_secret_read(struct str name, struct arena *mem, struct str *out, struct err *err);
int kubernetes_secret_write(struct str name, struct str value, struct err *err);
/* 1; 0: there was none. */
int kubernetes_secret_delete(struct str name, struct err *err);
int kubernetes_secret_list(struct arena *mem, struct str **out, size_t *count, struct err *err);

#endif
