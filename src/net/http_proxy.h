/* The proxy that libcurl goes through, as the environment says: for messages, which name it. */
#ifndef NET_HTTP_PROXY_H
#define NET_HTTP_PROXY_H

#include "net/url.h"

/* "http://proxy:3128 (https_proxy)", without user and password, in `mem`; NULL: none for this URL.
 *
 * Source: libcurl's "Environment variables it reads" (http_proxy in lower case only, https_proxy,
 * all_proxy, no_proxy). */
const char *http_proxy_of(const struct url *url, struct arena *mem);

#endif
