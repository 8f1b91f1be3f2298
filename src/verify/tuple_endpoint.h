/* What a request is about, whatever it names: POST /logs-1/_doc/7?refresh is POST /INDEX/_doc/ID.
 */
#ifndef VERIFY_TUPLE_ENDPOINT_H
#define VERIFY_TUPLE_ENDPOINT_H

#include "base/buf.h"

/* Appends method and folded path. Names of indices, types, documents, snapshots and others become
 * words in capitals; what the APIs call themselves stays. At most a few hundred bytes. */
void tuple_endpoint(struct buf *out, struct str method, struct str uri);

#endif
