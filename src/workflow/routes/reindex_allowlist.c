#include "workflow/routes/reindex_allowlist.h"

#define CLOUD_IO "*.io:*"
#define CLOUD_COM "*.com:*"

struct str reindex_source_address(const struct url *source, struct arena *mem)
{
	bool is_v6 = memchr(source->host.ptr, ':', source->host.len) != NULL;

	return arena_printf(mem, is_v6 ? "[" STR_FMT "]:%u" : STR_FMT ":%u", STR_ARG(source->host),
			    (unsigned)source->port);
}

bool reindex_pattern_accepts(struct str pattern, struct str address)
{
	size_t p = 0, a = 0, star = SIZE_MAX, from = 0;

	while (a < address.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = a;
		} else if (p < pattern.len && pattern.ptr[p] == address.ptr[a]) {
			p++;
			a++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			a = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

const char *reindex_allowlist_name(const struct cluster_version *target)
{
	return target->flavour == CLUSTER_OPENSEARCH && target->major >= 2
		       ? "reindex.remote.allowlist"
		       : "reindex.remote.whitelist";
}

bool reindex_is_refused(struct str reason)
{
	static const char *const words[] = {"not allowlisted in reindex.remote",
					    "not whitelisted in reindex.remote"};

	for (size_t i = 0; reason.ptr && i < COUNT_OF(words); i++)
		if (memmem(reason.ptr, reason.len, words[i], strlen(words[i])))
			return true;
	return false;
}

int reindex_allowlist_read(struct cluster *target, struct arena *mem, const struct json **patterns,
			   struct err *err)
{
	static const char *const names[] = {"reindex.remote.allowlist", "reindex.remote.whitelist"};
	struct json *answer = NULL;
	int status, rc;

	*patterns = NULL;
	rc = cluster_request(
		target, "GET",
		"/_cluster/"
		"settings?include_defaults=true&flat_settings=true&filter_path=**.reindex*",
		STR_NONE, true, mem, &status, &answer, err);
	if (rc == -ERR_AUTH)
		return 0;
	for (size_t i = 0; rc == 0 && !*patterns && i < COUNT_OF(names); i++)
		*patterns = json_path(answer, "defaults", names[i], NULL);
	return rc;
}

static bool is_listed(const struct json *patterns, struct str pattern)
{
	json_each (known, patterns)
		if (str_eq(json_string(known), pattern))
			return true;
	return false;
}

static void append_entry(struct buf *out, struct str entry, const char *quote)
{
	char last = out->len ? out->ptr[out->len - 1] : '\0';

	if (last != '[' && last != '=')
		buf_append_str(out, *quote ? STR(", ") : STR(","));
	buf_printf(out, "%s" STR_FMT "%s", quote, STR_ARG(entry), quote);
}

/* All that is to be set: `first` and what is there, then the address. */
static void append_entries(struct buf *out, const struct json *patterns, bool cloud,
			   struct str address, const char *quote)
{
	static const struct str defaults[] = {STR(CLOUD_IO), STR(CLOUD_COM)};

	for (size_t i = 0; cloud && i < COUNT_OF(defaults); i++)
		if (!is_listed(patterns, defaults[i]))
			append_entry(out, defaults[i], quote);
	json_each (known, patterns)
		if (!str_eq(json_string(known), address))
			append_entry(out, json_string(known), quote);
	append_entry(out, address, quote);
}

static void append_yaml(struct buf *out, const char *name, const struct json *patterns, bool cloud,
			struct str address)
{
	buf_printf(out, "%s: [", name);
	append_entries(out, patterns, cloud, address, "\"");
	buf_append_str(out, STR("]\n"));
}

void reindex_allowlist_advice(const struct cluster_version *target, const struct json *patterns,
			      struct str address, bool tls, struct buf *out)
{
	bool opensearch = target->flavour == CLUSTER_OPENSEARCH;
	const char *file = opensearch ? "opensearch.yml" : "elasticsearch.yml";
	const char *name = reindex_allowlist_name(target);

	buf_printf(out,
		   "the target does not reindex from '" STR_FMT "' yet: set on each of its "
		   "nodes, and restart them one after the other,\n",
		   STR_ARG(address));
	buf_printf(out, "  in %s: ", file);
	append_yaml(out, name, patterns, false, address);
	if (opensearch) {
		buf_append_str(out, STR("  on Aiven: avn service update SERVICE -c "
					"opensearch.reindex_remote_whitelist="));
		append_entries(out, patterns, false, address, "");
		buf_append_byte(out, '\n');
	} else {
		buf_append_str(out, STR("  on Elastic Cloud, as user settings: "));
		append_yaml(out, name, patterns, true, address);
	}
	buf_printf(out, "a new value replaces the old one%s\n",
		   patterns ? ": what is set now is kept in it"
			    : "; what is set now cannot be seen by this user: add it");
	buf_printf(out,
		   "the target itself must reach " STR_FMT "; --remote-host tells another name "
		   "of the source\n",
		   STR_ARG(address));
	if (tls)
		buf_printf(out,
			   "its certificate must be trusted there: reindex.ssl."
			   "certificate_authorities in %s, unless a known authority signed it\n",
			   file);
}
