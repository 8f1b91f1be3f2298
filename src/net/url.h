/* URLs of clusters: http and https only. */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/arena.h"
#include "base/err.h"

struct url {
	bool tls;
	struct str host;           /* without brackets for IPv6 */
	uint16_t port;             /* as given, else 9200 for http, 443 for https */
	struct str path;           /* "" or "/prefix", without a slash at the end */
	struct str user, password; /* decoded; ptr NULL: none */
};

/* Parses "https://user:secret@host:9200/prefix" or "host:9200" (http). All of *out is in `mem`.
 * ERR_USAGE says what is wrong, and never shows what stands before the '@'. */
int url_parse(const char *text, struct arena *mem, struct url *out, struct err *err);

/* "https://host:9200/prefix": the same place without user and password. ptr NULL at the ceiling. */
struct str url_without_secrets(const struct url *url, struct arena *mem);

#endif
