#include "cluster/snapshot_api.h"
#include "workflow/routes/check_internal.h"

#include <inttypes.h>

void check_zones(struct check_report *report, struct cluster *target)
{
	static const char *const names[] = {"persistent", "transient", "defaults"};
	static const char key[] = "cluster.routing.allocation.awareness.attributes";
	struct json *settings =
		check_ask(report, "target", "zones", target, "GET",
			  "/_cluster/settings?include_defaults=true&flat_settings=true", STR_NONE);
	struct str attributes = STR_NONE;
	struct check_row *row;

	for (size_t i = 0; i < COUNT_OF(names) && attributes.len == 0; i++) {
		const struct json *value = json_get(json_get(settings, names[i]), key);

		attributes = value && value->type == JSON_ARRAY ? json_string(value->first)
								: json_string(value);
	}
	if (!settings)
		return;
	row = check_add(report, "target", "zones", CHECK_OK);
	if (attributes.len == 0) {
		check_say(report, &row->detail, "shards are not spread by zones");
		return;
	}
	check_say(report, &row->detail, "shards are spread by '" STR_FMT "'", STR_ARG(attributes));
	check_say(report, &row->next,
		  "give --cluster-awareness-attributes the number of zones, so that replicas fit");
}

static bool has_plugin(const struct json *plugins, struct str name)
{
	json_each (plugin, plugins)
		if (str_eq(json_string(json_get(plugin, "component")), name))
			return true;
	return false;
}

/* Those whose absence makes mappings or pipelines fail. */
static bool matters(struct str plugin)
{
	return str_starts(plugin, STR("analysis-")) || str_starts(plugin, STR("mapper-")) ||
	       str_starts(plugin, STR("ingest-"));
}

static void check_plugins(struct check_report *report, struct cluster *source,
			  struct cluster *target)
{
	static const char path[] = "/_cat/plugins?format=json&h=component";
	cleanup(buf_release) struct buf missing = BUF_INIT(KIB(4));
	struct json *theirs = check_ask(report, "source", "plugins", source, "GET", path, STR_NONE);
	struct json *ours =
		theirs ? check_ask(report, "target", "plugins", target, "GET", path, STR_NONE)
		       : NULL;
	struct check_row *row;

	if (!theirs || !ours)
		return;
	json_each (plugin, theirs) {
		struct str name = json_string(json_get(plugin, "component"));
		struct str listed = buf_str(&missing);

		if (matters(name) && !has_plugin(ours, name) &&
		    !(listed.len && memmem(listed.ptr, listed.len, name.ptr, name.len)))
			buf_printf(&missing, "%s" STR_FMT, listed.len ? ", " : "", STR_ARG(name));
	}
	row = check_add(report, "both", "plugins", missing.len ? CHECK_WARNING : CHECK_OK);
	if (!missing.len) {
		check_say(report, &row->detail,
			  "the target has the source's plugins for text, fields and pipelines");
		return;
	}
	check_say(report, &row->detail, "the target lacks: " STR_FMT, STR_ARG(buf_str(&missing)));
	check_say(report, &row->next,
		  "install them there, or see `shardlift metadata evaluate` for what needs them");
}

/* Bytes of `field` over all entries of a _cat answer. */
static uint64_t sum(const struct json *rows, const char *field)
{
	uint64_t total = 0, bytes;

	json_each (row, rows)
		if (str_to_u64(json_string(json_get(row, field)), &bytes))
			total += bytes;
	return total;
}

static void check_disk(struct check_report *report, struct cluster *source, struct cluster *target)
{
	struct json *indices =
		check_ask(report, "source", "disk", source, "GET",
			  "/_cat/indices?format=json&bytes=b&h=store.size", STR_NONE);
	struct json *nodes =
		indices ? check_ask(report, "target", "disk", target, "GET",
				    "/_cat/allocation?format=json&bytes=b&h=disk.avail", STR_NONE)
			: NULL;
	uint64_t needed = sum(indices, "store.size"), free_bytes = sum(nodes, "disk.avail");
	struct check_row *row;

	if (!nodes)
		return;
	row = check_add(report, "both", "disk", free_bytes < needed ? CHECK_FAILED : CHECK_OK);
	check_say(report, &row->detail,
		  "the source takes " STR_FMT " with its replicas, the target has " STR_FMT " free",
		  STR_ARG(check_bytes(report, needed)), STR_ARG(check_bytes(report, free_bytes)));
	if (free_bytes < needed)
		check_say(report, &row->next,
			  "add nodes or disk, move fewer indices, or fewer replicas (--replicas)");
}

static const char *flavour_name(const struct cluster_version *version)
{
	return version->flavour == CLUSTER_OPENSEARCH ? "OpenSearch" : "Elasticsearch";
}

/* Whether a snapshot of the source could be restored natively. */
static void check_snapshot_version(struct check_report *report, struct cluster *source,
				   struct cluster *target)
{
	struct check_row *row;

	if (snapshot_version_is_readable(cluster_version(source), cluster_version(target))) {
		row = check_add(report, "both", "snapshots", CHECK_OK);
		check_say(report, &row->detail,
			  "a snapshot of the source may be restored natively");
		return;
	}
	row = check_add(report, "both", "snapshots", CHECK_WARNING);
	check_say(report, &row->detail, "%s cannot restore a snapshot of %s",
		  cluster_version_text(target), cluster_version_text(source));
	check_say(report, &row->next, "`shardlift migrate` reads it all the same");
}

/* Official clients from 7.14 on ask who answers. */
static void check_clients(struct check_report *report, struct cluster *source,
			  struct cluster *target)
{
	const struct cluster_version *from = cluster_version(source), *to = cluster_version(target);
	struct check_row *row;

	if (from->flavour == to->flavour)
		return;
	row = check_add(report, "both", "clients", CHECK_WARNING);
	check_say(report, &row->detail, "clients of %s may refuse to talk to %s",
		  flavour_name(from), flavour_name(to));
	if (to->flavour == CLUSTER_OPENSEARCH)
		check_say(report, &row->next,
			  "those of Elasticsearch 7.14 and later do: take versions up to 7.13, or "
			  "OpenSearch's clients; `shardlift assess --traffic` lists who calls");
	else
		check_say(report, &row->next,
			  "take Elasticsearch's clients of version %d before the cut-over",
			  to->major);
}

void check_pair(struct check_report *report, struct cluster *source, struct cluster *target)
{
	check_clients(report, source, target);
	if (cluster_version(target)->serverless || cluster_version(source)->serverless)
		return;
	check_snapshot_version(report, source, target);
	check_plugins(report, source, target);
	check_disk(report, source, target);
}
