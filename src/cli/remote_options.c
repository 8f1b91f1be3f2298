#include "cli/remote_options.h"

#include "net/url.h"
#include "workflow/routes/reindex_allowlist.h"

#define REMOTE(member) OPT_FIELD(struct remote_fields, member), .category = "Remote reindex"

const struct opt remote_options[] = {
	{.name = "remote-host",
	 .type = OPT_STRING,
	 REMOTE(host),
	 .metavar = "URL",
	 .help = "The source as the target sees it. Without it, as it is seen from here."},
	{.name = "size",
	 .type = OPT_INT,
	 REMOTE(size),
	 .min = 1,
	 .max = 10000,
	 .help = "Documents that the target asks for at once; it holds 100 MB of them at most. "
		 "Without it, the target's own 1000."},
	{.name = "socket-timeout",
	 .type = OPT_DURATION,
	 REMOTE(socket_timeout_ms),
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "How long the target waits for an answer of the source. Without it, its own 30 "
		 "s."},
	{.name = "requests-per-second",
	 .type = OPT_INT,
	 REMOTE(requests_per_second),
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Documents a second of each task, which the target calls requests."},
	{.name = "slices",
	 .type = OPT_INT,
	 REMOTE(slices),
	 .min = 1,
	 .max = 1024,
	 .help = "Parts that a task is divided into: within one cluster alone, for no server "
		 "slices "
		 "what it reads from another one."},
	{.name = "parallel",
	 .type = OPT_INT,
	 REMOTE(parallel),
	 .fallback = "4",
	 .min = 1,
	 .max = 1000,
	 .help = "Indices at once, a task each."},
	{.name = "wait-for-allowlist",
	 .type = OPT_DURATION,
	 REMOTE(allowlist_wait_ms),
	 .max = INT32_MAX,
	 .help = "Wait so long for the target's nodes to be restarted with the source in their "
		 "allowlist: 15m."},
	{0},
};

int remote_fields_plan(const struct remote_fields *fields, const struct source_fields *source,
		       bool same, struct arena *mem, struct remote_plan *out, struct err *err)
{
	const char *host = fields->host ? fields->host : source->host;
	struct str where, address;
	struct url url;

	if (!same && fields->slices > 1)
		return err_set(err, ERR_USAGE,
			       "--slices: no server slices what it reindexes from another cluster; "
			       "--parallel brings several indices at once, and --mode pull shards");
	if (url_parse(host, mem, &url, err) < 0)
		return err_wrap(err, "--remote-host");
	address = reindex_source_address(&url, mem);
	where = arena_printf(mem, "%s://" STR_FMT STR_FMT, url.tls ? "https" : "http",
			     STR_ARG(address), STR_ARG(url.path));
	*out = (struct remote_plan){
		.options = {.address = address,
			    .tls = url.tls,
			    .size = fields->size,
			    .requests_per_second = fields->requests_per_second,
			    .slices = fields->slices,
			    .parallel = fields->parallel,
			    .allowlist_wait_ms = fields->allowlist_wait_ms},
		.remote = {.url = where,
			   .username = source->username,
			   .password = source->password,
			   .api_key = source->api_key,
			   .socket_timeout_ms = fields->socket_timeout_ms},
	};
	/* The URL that is seen from here may have them in it. */
	if (!source->username && url.user.ptr) {
		out->remote.username = arena_str(mem, url.user).ptr;
		out->remote.password = arena_str(mem, url.password).ptr;
	}
	return mem->failed ? arena_fail(mem, "--remote-host", err) : 0;
}
