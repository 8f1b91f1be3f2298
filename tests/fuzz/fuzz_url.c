#include "net/url.h"

#include "base/limits.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct str text = arena_str(&mem, str_of(data, MIN(size, KIB(8))));
	struct url url, again;
	struct err err = {0};

	if (url_parse(text.ptr, &mem, &url, &err) < 0) {
		if (!err.message[0])
			BUG("refused without a reason");
		return 0;
	}
	if (url_parse(url_without_secrets(&url, &mem).ptr, &mem, &again, &err) < 0)
		BUG("the address without its secrets is refused");
	if (again.tls != url.tls || again.port != url.port || !str_eq(again.host, url.host) ||
	    !str_eq(again.path, url.path) || again.user.ptr || again.password.ptr)
		BUG("the address without its secrets is another");
	return 0;
}
