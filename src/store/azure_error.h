/* What a refusal of Azure Blob Storage means, and what to do about it. */
#ifndef STORE_AZURE_ERROR_H
#define STORE_AZURE_ERROR_H

#include "store/object_service.h"

/* What requests were let in by. */
struct azure_caller {
	const char *account, *container;
	bool has_key;
	bool has_sas;
	const char *sas_end; /* "2026-11-22T07:19:00Z"; "": not told */
};

/* See object_dialect. */
bool azure_refusal_is_object_missing(const struct object_refusal *refusal);
bool azure_refusal_is_passing(const struct object_refusal *refusal);
bool azure_refusal_is_expired(const struct object_refusal *refusal);
int azure_refusal_explain(const struct object_refusal *refusal, const struct azure_caller *caller,
			  struct err *err);

#endif
