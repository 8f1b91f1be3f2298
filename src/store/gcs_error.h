/* What a refusal of Google Cloud Storage means, and what to do about it. */
#ifndef STORE_GCS_ERROR_H
#define STORE_GCS_ERROR_H

#include "store/object_service.h"

/* See object_dialect. */
bool gcs_refusal_is_object_missing(const struct object_refusal *refusal);
bool gcs_refusal_is_passing(const struct object_refusal *refusal);
bool gcs_refusal_is_expired(const struct object_refusal *refusal);
/* Fills *err, and returns -kind. `anonymous`: no credentials were sent. */
int gcs_refusal_explain(const struct object_refusal *refusal, const char *bucket, bool anonymous,
			struct err *err);

#endif
