/* The canonical form of a request, which both sides of a signature build for themselves. */
#ifndef NET_SIGV4_CANONICAL_H
#define NET_SIGV4_CANONICAL_H

#include "base/buf.h"
#include "net/sigv4.h"

/* Appends the path as it is signed: as it is, or without dot segments and encoded once more. */
void sigv4_canonical_path(struct buf *out, struct str path, bool as_it_is);
/* Appends the parameters of a query sorted by name and value, each with its '='. They are encoded
 * already. ERR_LIMIT: too many. */
int sigv4_canonical_query(struct buf *out, struct str query, struct err *err);
/* Sorts the headers by name without regard to case, and appends a line for each: lower case, white
 * space in values reduced. `names` gets the names with ';' between. */
void sigv4_canonical_headers(struct buf *out, struct buf *names, struct sigv4_header *headers,
			     size_t count);

#endif
