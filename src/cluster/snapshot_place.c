/* What repositories and snapshots are to a cluster: where they lie, and who can read them. */
#include "cluster/snapshot_api.h"

/* Version ids of OpenSearch have this bit; those of Elasticsearch never reach it. */
#define OPENSEARCH_BIT 0x08000000

static struct str setting(const struct json *repository, const char *key)
{
	return json_text_or(json_path(repository, "settings", key, NULL), STR_NONE);
}

static struct str without_slashes(struct str path)
{
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

/* A relative location counts from a folder of path.repo, which its end tells. */
static bool is_same_location(struct str a, struct str b)
{
	struct str longer = a.len >= b.len ? a : b, shorter = a.len >= b.len ? b : a;

	if (str_eq(a, b))
		return true;
	return shorter.len > 0 && shorter.ptr[0] != '/' && str_ends(longer, shorter) &&
	       longer.ptr[longer.len - shorter.len - 1] == '/';
}

bool snapshot_repository_is_same(const struct json *a, const struct json *b)
{
	static const char *const keys[] = {"bucket", "container", "base_path"};
	struct str type = json_string(json_get(a, "type"));

	if (!str_eq(type, json_string(json_get(b, "type"))))
		return false;
	if (str_is(type, "fs"))
		return is_same_location(without_slashes(setting(a, "location")),
					without_slashes(setting(b, "location")));
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (!str_eq(without_slashes(setting(a, keys[i])),
			    without_slashes(setting(b, keys[i]))))
			return false;
	return !str_is(type, "url") || str_eq(setting(a, "url"), setting(b, "url"));
}

struct str snapshot_repository_place(const struct json *repository, struct arena *mem)
{
	static const char *const whole[] = {"location", "url"};
	struct str bucket = setting(repository, "bucket"), base = setting(repository, "base_path");

	for (size_t i = 0; i < COUNT_OF(whole); i++)
		if (setting(repository, whole[i]).len > 0)
			return setting(repository, whole[i]);
	if (bucket.len == 0)
		bucket = setting(repository, "container");
	if (base.len == 0)
		return bucket;
	return arena_printf(mem, STR_FMT "/" STR_FMT, STR_ARG(bucket), STR_ARG(base));
}

bool snapshot_version_is_readable(const struct cluster_version *by,
				  const struct cluster_version *target)
{
	bool newer = by->major > target->major ||
		     (by->major == target->major && by->minor > target->minor);

	if (by->flavour == CLUSTER_OPENSEARCH)
		return target->flavour == CLUSTER_OPENSEARCH && !newer &&
		       by->major + 1 >= target->major;
	if (target->flavour == CLUSTER_ELASTICSEARCH)
		return !newer && by->major + 1 >= target->major;
	/* OpenSearch 1 is what came after Elasticsearch 7.10. */
	if (by->major == 7)
		return by->minor <= 10 && target->major <= 2;
	return by->major == 6 && target->major == 1;
}

int snapshot_check_version(const struct json *entry, const struct cluster *target, struct err *err)
{
	struct str text = json_string(json_get(entry, "version")), major, rest, minor, last;
	bool opensearch = json_i64_or(json_get(entry, "version_id"), 0) & OPENSEARCH_BIT;
	struct cluster_version by = {.flavour = opensearch ? CLUSTER_OPENSEARCH
							   : CLUSTER_ELASTICSEARCH};
	uint64_t number, part;

	if (!str_split(text, '.', &major, &rest) || !str_to_u64(major, &number) || number > 99)
		return 0; /* very old clusters do not tell; the restore itself will */
	by.major = (int)number;
	str_split(rest, '.', &minor, &last);
	by.minor = str_to_u64(minor, &part) && part < 1000 ? (int)part : 0;
	if (snapshot_version_is_readable(&by, cluster_version(target)))
		return 0;
	return err_set(err, ERR_BLOCKED,
		       "the snapshot was made by %s " STR_FMT ", which %s cannot restore; "
		       "`shardlift migrate` reads it itself and sends the documents",
		       opensearch ? "OpenSearch" : "Elasticsearch", STR_ARG(text),
		       cluster_version_text(target));
}
