/* YAML, which clients may send as a _source, to a JSON tree, with the eyes of Elasticsearch. */
#ifndef DOCUMENTS_YAML_SOURCE_H
#define DOCUMENTS_YAML_SOURCE_H

#include "base/json.h"

/* Decodes the first document of the stream. Scalars without quotes are null, booleans and numbers
 * as YAML 1.1 has them (numbers keep their digits as far as JSON allows), aliases the name of their
 * anchor, tags of other than scalars nothing. ERR_FORMAT says the line; ERR_UNSUPPORTED: a number
 * that versions of Elasticsearch read differently; ERR_LIMIT: the arena is full, or nested deeper
 * than LIMIT_JSON_DEPTH. Thread-safe. */
int yaml_source_parse(struct str text, struct arena *mem, struct json **out, struct err *err);

#endif
