/* What the files of Google's credentials share. */
#ifndef NET_GCP_CREDENTIALS_INTERNAL_H
#define NET_GCP_CREDENTIALS_INTERNAL_H

#include "base/json.h"
#include "net/gcp_credentials.h"
#include "net/token_cache.h"

#define GCP_SCOPE "https://www.googleapis.com/auth/devstorage.read_write"
#define GCP_DOCUMENT_MAX KIB(256)

/* A member of the file that must be a text; NULL, with *err set: it is not there. */
const char *gcp_file_text(const struct json *file, const char *name, struct arena *mem,
			  struct err *err);

/* By way of the file's kind. All of *out is in `mem`. */
int gcp_token_of_service_account(const struct json *file, struct arena *mem,
				 struct access_token *out, struct err *err);
int gcp_token_of_user(const struct json *file, struct arena *mem, struct access_token *out,
		      struct err *err);
int gcp_token_of_federation(const struct json *file, struct arena *mem, struct access_token *out,
			    struct err *err);
int gcp_token_of_machine(const struct json *none, struct arena *mem, struct access_token *out,
			 struct err *err);

#endif
