#include "net/http_proxy.h"

#include <stdlib.h>
#include <strings.h>

static const char *variable(const char *const *names, const char **name)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		*name = *names;
		if (value && *value)
			return value;
	}
	return NULL;
}

static bool ends_in_domain(struct str host, struct str domain)
{
	struct str end;

	if (domain.len > 0 && domain.ptr[0] == '.')
		domain = str_from_offset(domain, 1);
	if (domain.len == 0 || domain.len > host.len)
		return false;
	end = str_from_offset(host, host.len - domain.len);
	return strncasecmp(end.ptr, domain.ptr, domain.len) == 0 &&
	       (end.ptr == host.ptr || end.ptr[-1] == '.');
}

static bool is_exempt(struct str host)
{
	static const char *const names[] = {"no_proxy", "NO_PROXY", NULL};
	const char *name, *list = variable(names, &name);

	if (list && strcmp(list, "*") == 0)
		return true;
	while (list && *list) {
		size_t len = strcspn(list, ", ");

		if (ends_in_domain(host, str_of(list, len)))
			return true;
		list += len;
		list += strspn(list, ", ");
	}
	return false;
}

const char *http_proxy_of(const struct url *url, struct arena *mem)
{
	static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
	static const char *const tls[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
					  NULL};
	const char *name, *proxy = variable(url->tls ? tls : plain, &name), *scheme, *at;

	if (!proxy || is_exempt(url->host))
		return NULL;
	scheme = strstr(proxy, "://");
	at = strrchr(proxy, '@');
	if (!at)
		return arena_printf(mem, "%s (%s)", proxy, name).ptr;
	return arena_printf(mem, STR_FMT "%s (%s)", (int)(scheme ? scheme + 3 - proxy : 0), proxy,
			    at + 1, name)
		.ptr;
}
