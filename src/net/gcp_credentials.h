/* The credentials of Google Cloud: a JSON file of a service account, of a user or of workload
 * identity federation, else the metadata server of the machine.
 *
 * Source: AIP-4110 to AIP-4117 (application default credentials), RFC 7523, RFC 8693. */
#ifndef NET_GCP_CREDENTIALS_H
#define NET_GCP_CREDENTIALS_H

#include "base/arena.h"
#include "base/err.h"

struct gcp_credentials;

/* `file` NULL: $GOOGLE_APPLICATION_CREDENTIALS, else the metadata server ($GCE_METADATA_HOST).
 * Reads the file, and asks nobody yet. ERR_AUTH: it is not there, or nothing that is known. */
int gcp_credentials_open(const char *file, struct gcp_credentials **out, struct err *err);
/* Accepts NULL. */
void gcp_credentials_free(struct gcp_credentials *credentials);
/* The access token of now, in `mem`; see token_cache_get. ERR_AUTH says who refuses what, with
 * `retry` set where nobody answered. Thread-safe. */
int gcp_credentials_token(struct gcp_credentials *credentials, struct arena *mem, struct str *out,
			  struct err *err);
/* The server says that this token has ended. Thread-safe. */
void gcp_credentials_expire(struct gcp_credentials *credentials, struct str token);
/* Whose they are, for messages: "service account x@y.iam.gserviceaccount.com". */
const char *gcp_credentials_origin(const struct gcp_credentials *credentials);

#endif
