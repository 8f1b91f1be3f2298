/* What the files of the pipeline and its providers share. */
#ifndef TRANSFORM_TRANSFORM_INTERNAL_H
#define TRANSFORM_TRANSFORM_INTERNAL_H

#include "transform/transform.h"

/* One per file; listed in providers.c. */
extern const struct transform_provider transform_provider_noop;
extern const struct transform_provider transform_provider_script;

/* The known provider nearest to `name`; NULL when none is near. */
const char *transform_provider_nearest(struct str name);

/* Checks that `configuration` is an object (or absent: NULL, null, "" and {} are the same) with no
 * member but `keys`, a list that ends with NULL. ERR_USAGE names the wrong key, and the nearest. */
int transform_check_keys(const struct json *configuration, const char *const *keys,
			 struct err *err);

#endif
