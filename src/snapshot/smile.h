/* SMILE, the binary JSON in which Elasticsearch keeps snapshot metadata, to a JSON tree.
 * Source: the SMILE format specification 1.0.4 (FasterXML). */
#ifndef SNAPSHOT_SMILE_H
#define SNAPSHOT_SMILE_H

#include "base/json.h"

/* Decodes one document (header ":)\n" included). Integers become their decimal text, floats the
 * shortest text that reads back the same (1.0, 0.1, 1.0E300), binary JSON_BINARY; NaN and
 * infinities, which JSON has not, strings. The tree may point into `bytes`. ERR_FORMAT says the
 * byte. */
int smile_parse(struct str bytes, struct arena *mem, struct json **out, struct err *err);

#endif
