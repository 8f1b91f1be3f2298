/* What a scalar of YAML is in JSON. */
#ifndef DOCUMENTS_YAML_SCALAR_H
#define DOCUMENTS_YAML_SCALAR_H

#include "base/json.h"

struct yaml_scalar {
	struct str text; /* in the arena of the tree */
	const char *tag; /* resolved ("tag:yaml.org,2002:int"); NULL: none */
	bool plain;      /* without quotes, so that its text decides what it is */
};

/* Sets type and text of `value`. ERR_UNSUPPORTED as yaml_source_parse has it, without the line. */
int yaml_scalar_resolve(const struct yaml_scalar *scalar, struct arena *mem, struct json *value,
			struct err *err);

#endif
