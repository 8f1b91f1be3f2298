/* The credentials of an account of Azure Storage: its key; a shared access signature (SAS); those
 * of $AZURE_STORAGE_CONNECTION_STRING; else the token of a workload identity (AKS) or of a managed
 * identity. */
#ifndef NET_AZURE_CREDENTIALS_H
#define NET_AZURE_CREDENTIALS_H

#include "net/azure_shared_key.h"

/* Strings are borrowed while opening. All but the account may be NULL. */
struct azure_credentials_options {
	struct str account;
	const char *account_key; /* base64; NULL: $AZURE_STORAGE_KEY */
	const char *sas;         /* with or without '?'; NULL: $AZURE_STORAGE_SAS_TOKEN */
};

struct azure_credentials;

/* ERR_USAGE: a key that is no base64, or a connection string of another account. Asks nobody. */
int azure_credentials_open(const struct azure_credentials_options *options,
			   struct azure_credentials **out, struct err *err);
/* Accepts NULL. */
void azure_credentials_free(struct azure_credentials *credentials);
/* The endpoint that the connection string names or implies; NULL: it does not, or is not used. */
const char *azure_credentials_endpoint(const struct azure_credentials *credentials);

/* What lets a request in. Either may be NULL. */
struct azure_pass {
	const char *line;  /* a header line, in `mem` */
	const char *query; /* to be appended to the target, without '?'; lives with the
			      credentials */
	struct str token;  /* that azure_credentials_expire takes; empty: none */
};
/* Thread-safe. ERR_AUTH: no token is to be had; the message tells who was asked. */
int azure_credentials_pass(struct azure_credentials *credentials,
			   const struct azure_signed_request *request, struct arena *mem,
			   struct azure_pass *out, struct err *err);
/* The server says that this token has ended. Thread-safe. */
void azure_credentials_expire(struct azure_credentials *credentials, struct str token);
bool azure_credentials_have_key(const struct azure_credentials *credentials);
bool azure_credentials_have_sas(const struct azure_credentials *credentials);
/* For messages: "the account key", "the SAS", "the managed identity". */
const char *azure_credentials_origin(const struct azure_credentials *credentials);
/* When the SAS ends ("2026-11-22T07:19:00Z"); "": no SAS, or it does not say. */
const char *azure_credentials_sas_end(const struct azure_credentials *credentials);

#endif
