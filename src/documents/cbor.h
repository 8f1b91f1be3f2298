/* CBOR, which clients may send as a _source, to a JSON tree. */
#ifndef DOCUMENTS_CBOR_H
#define DOCUMENTS_CBOR_H

#include "base/json.h"

/* Decodes one item and demands that nothing follows it. Integers and decimal fractions become their
 * decimal text, floats the shortest that reads back the same, byte strings JSON_BINARY, undefined
 * null; integers and byte strings that name a member become its text; other tags than those of
 * numbers are skipped. The tree may point into `bytes`. ERR_FORMAT and ERR_UNSUPPORTED say the
 * byte; ERR_LIMIT: the arena is full, or nested deeper than LIMIT_JSON_DEPTH. Thread-safe. */
int cbor_parse(struct str bytes, struct arena *mem, struct json **out, struct err *err);

#endif
