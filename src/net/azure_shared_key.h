/* The Shared Key signature of Azure Storage.
 *
 * Source: "Authorize with Shared Key" of the Azure Storage REST reference, for versions from
 * 2015-02-21 on. */
#ifndef NET_AZURE_SHARED_KEY_H
#define NET_AZURE_SHARED_KEY_H

#include "base/arena.h"
#include "base/buf.h"

struct azure_signed_request {
	const char *method, *account;
	struct str target;             /* path and query as they are sent, encoded */
	size_t content_length;         /* bytes of the body */
	const char *content_type;      /* NULL: none */
	const char *range, *if_match;  /* values of these headers; NULL: none */
	const char *const *ms_headers; /* whole lines, "x-ms-date: …" and the like, names in lower
					  case */
	size_t ms_header_count;
};

/* The header line "Authorization: SharedKey …", in the arena. `key` is the account's, decoded. */
int azure_sign(const struct azure_signed_request *request, struct str key, struct arena *mem,
	       const char **line, struct err *err);

/* Appends the text with its escapes (%3A) decoded; broken ones stay. */
void azure_append_decoded(struct buf *out, struct str text);

#endif
