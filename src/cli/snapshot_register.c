/* snapshot register */
#include "cli/snapshot_options.h"

#include "base/log.h"

struct register_fields {
	struct snapshot_fields api;
	const char *type;
	const char *location, *url, *bucket, *container, *base_path, *region, *endpoint, *role_arn,
		*client, *chunk_size, *max_snapshot_rate, *max_restore_rate;
	struct opt_list settings;
	bool read_only, compress, force;
};

#define FIELD(member) OPT_FIELD(struct register_fields, member), .category = "Repository"
#define TEXT(option, field, value, text) \
	{.name = option, .type = OPT_STRING, FIELD(field), .metavar = value, .help = text}

static const struct opt register_options[] = {
	{.name = "type",
	 .type = OPT_CHOICE,
	 FIELD(type),
	 .choices = "fs|url|s3|gcs|azure",
	 .required = true,
	 .help = "What kind of repository; all but fs and url need a plugin on each node."},
	TEXT("location", location, "DIR", "fs: the folder, below a path.repo of each node."),
	TEXT("url", url, "URL", "url: where the files are; always read-only."),
	TEXT("bucket", bucket, "NAME", "s3, gcs: the bucket."),
	TEXT("container", container, "NAME", "azure: the container."),
	TEXT("base-path", base_path, "PATH", "s3, gcs, azure: the folder in it."),
	TEXT("region", region, "REGION", "s3: the bucket's region."),
	TEXT("endpoint", endpoint, "HOST", "s3: the server, where it is not AWS."),
	TEXT("role-arn", role_arn, "ARN", "s3: the role that a managed service takes on."),
	TEXT("client", client, "NAME",
	     "The client in the nodes' settings, whose credentials are in their keystores."),
	TEXT("chunk-size", chunk_size, "BYTES", "Larger files are cut into pieces."),
	TEXT("max-snapshot-rate", max_snapshot_rate, "BYTES",
	     "Of each node and second, such as 40mb, when snapshots are written."),
	TEXT("max-restore-rate", max_restore_rate, "BYTES", "The same when they are restored."),
	{.name = "setting",
	 .type = OPT_LIST,
	 FIELD(settings),
	 .metavar = "KEY=VALUE",
	 .help = "Any other setting of the repository."},
	{.name = "compress",
	 .type = OPT_BOOL,
	 FIELD(compress),
	 .fallback = "true",
	 .help = "Compress the metadata in it."},
	{.name = "read-only",
	 .type = OPT_BOOL,
	 FIELD(read_only),
	 .help = "Never write to it. Right for a repository that another cluster writes."},
	{.name = "force",
	 .type = OPT_BOOL,
	 FIELD(force),
	 .help = "Read-write although the source cluster writes to it, too."},
	{0},
};

static void set(struct json *settings, const char *key, const char *value, struct arena *mem)
{
	if (value)
		json_set(settings, str_from(key), json_new_string(mem, str_from(value)));
}

static bool is_secret(const char *key)
{
	static const char *const parts[] = {"secret", "password", "token", "access_key",
					    "account_key"};

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (strstr(key, parts[i]))
			return true;
	return false;
}

static int set_others(struct json *settings, const struct opt_list *list, struct arena *mem,
		      struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		struct str key, value;

		if (!str_split(str_from(list->items[i]), '=', &key, &value) || key.len == 0)
			return err_set(err, ERR_USAGE, "--setting wants KEY=VALUE");
		key = arena_str(mem, key);
		if (!key.ptr)
			return arena_fail(mem, "the settings", err);
		if (is_secret(key.ptr))
			return err_set(err, ERR_USAGE,
				       "--setting %s: credentials belong into the keystores of the "
				       "nodes, and are named by --client",
				       key.ptr);
		json_set(settings, key, json_new_string(mem, value));
	}
	return 0;
}

/* What each type cannot do without. */
static int check_place(const struct register_fields *f, struct err *err)
{
	const struct {
		const char *type, *option, *value;
	} needs[] = {{"fs", "location", f->location},
		     {"url", "url", f->url},
		     {"s3", "bucket", f->bucket},
		     {"gcs", "bucket", f->bucket},
		     {"azure", "container", f->container}};

	for (size_t i = 0; i < COUNT_OF(needs); i++)
		if (strcmp(needs[i].type, f->type) == 0 && (!needs[i].value || !*needs[i].value))
			return err_set(err, ERR_USAGE, "a repository of type %s needs --%s",
				       f->type, needs[i].option);
	if (f->url && strchr(f->url, '@'))
		return err_set(err, ERR_USAGE,
			       "--url holds a user or password, which the cluster would show to "
			       "everybody; give one without");
	return 0;
}

static int body_of(const struct register_fields *f, struct arena *mem, struct json **out,
		   struct err *err)
{
	struct json *body = json_new(mem, JSON_OBJECT), *settings = json_new(mem, JSON_OBJECT);

	json_set(body, STR("type"), json_new_string(mem, str_from(f->type)));
	set(settings, "location", f->location, mem);
	set(settings, "url", f->url, mem);
	set(settings, "bucket", f->bucket, mem);
	set(settings, "container", f->container, mem);
	set(settings, "base_path", f->base_path, mem);
	set(settings, "region", f->region, mem);
	set(settings, "endpoint", f->endpoint, mem);
	set(settings, "role_arn", f->role_arn, mem);
	set(settings, "client", f->client, mem);
	set(settings, "chunk_size", f->chunk_size, mem);
	set(settings, "max_snapshot_bytes_per_sec", f->max_snapshot_rate, mem);
	set(settings, "max_restore_bytes_per_sec", f->max_restore_rate, mem);
	if (strcmp(f->type, "url") != 0) {
		json_set(settings, STR("compress"), json_new_bool(mem, f->compress));
		json_set(settings, STR("readonly"), json_new_bool(mem, f->read_only));
	}
	if (set_others(settings, &f->settings, mem, err) < 0)
		return -(int)err->kind;
	json_set(body, STR("settings"), settings);
	*out = body;
	return mem->failed ? arena_fail(mem, "the settings", err) : 0;
}

/* Two clusters that write to one repository damage it. */
static int check_source(struct register_fields *f, const struct json *body, struct arena *mem,
			struct err *err)
{
	cleanup(cluster_closep) struct cluster *source = NULL;
	struct json *all = NULL;

	if (json_bool_or(json_path(body, "settings", "readonly", NULL), false) || f->force ||
	    strcmp(f->type, "url") == 0)
		return 0;
	if (!snapshot_has_source(&f->api)) {
		log_info("snapshot", "registering read-write without --from: make sure that no "
				     "other cluster writes to this repository, or pass "
				     "--read-only");
		return 0;
	}
	if (snapshot_connect_source(&f->api, mem, &source, err) < 0 ||
	    snapshot_api_repositories(source, mem, &all, err) < 0)
		return err_wrap(err, "the source");
	json_each (repository, all)
		if (snapshot_repository_is_same(repository, body) &&
		    !json_bool_or(json_path(repository, "settings", "readonly", NULL), false))
			return err_set(err, ERR_BLOCKED,
				       "the source still writes to this repository, as '" STR_FMT
				       "', and two clusters that write to it damage it; pass "
				       "--read-only, or --force",
				       STR_ARG(repository->key));
	return 0;
}

/* Name of the repository that an index of the source is mounted from; empty: it is not. */
static struct str mounted_from(const struct json *index)
{
	static const char *const keys[] = {"index.store.snapshot.repository_name",
					   "index.searchable_snapshot.repository"};
	struct str name = STR_NONE;

	for (size_t i = 0; i < COUNT_OF(keys) && name.len == 0; i++)
		name = json_string(json_path(index, "settings", keys[i], NULL));
	return name;
}

/* Searchable snapshots find their repository by its name. */
static int check_mounted(struct register_fields *f, const struct json *body, struct arena *mem,
			 struct err *err)
{
	const struct snapshot_request request = {
		.method = "GET", .path = "/_all/_settings?flat_settings=true", .repeatable = true};
	cleanup(cluster_closep) struct cluster *source = NULL;
	struct json *all = NULL, *indices = NULL;

	if (!snapshot_has_source(&f->api))
		return 0;
	if (snapshot_connect_source(&f->api, mem, &source, err) < 0 ||
	    snapshot_api_repositories(source, mem, &all, err) < 0 ||
	    snapshot_request_send(source, &request, mem, &indices, err) < 0)
		return err_wrap(err, "the source");
	json_each (index, indices) {
		struct str name = mounted_from(index);

		if (name.len > 0 && !str_is(name, f->api.repository) &&
		    snapshot_repository_is_same(json_get_str(all, name), body))
			return err_set(err, ERR_BLOCKED,
				       "index '" STR_FMT "' of the source is a searchable snapshot "
				       "of this repository, and is found under its name '" STR_FMT
				       "' alone: register it with --repo " STR_FMT,
				       STR_ARG(index->key), STR_ARG(name), STR_ARG(name));
	}
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct register_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct str name = str_from(f->api.repository);
	struct snapshot_request request, verify;
	struct json *body = NULL, *answer;

	if (check_place(f, err) < 0 || body_of(f, cli->mem, &body, err) < 0 ||
	    snapshot_connect_target(&f->api, &cluster, err) < 0 ||
	    check_source(f, body, cli->mem, err) < 0 || check_mounted(f, body, cli->mem, err) < 0 ||
	    snapshot_request_register(name, body, cli->mem, &request, err) < 0 ||
	    snapshot_request_verify(name, cli->mem, &verify, err) < 0 ||
	    snapshot_send(&f->api, cluster, &request, cli->mem, &answer, err) < 0)
		return -(int)err->kind;
	if (snapshot_send(&f->api, cluster, &verify, cli->mem, &answer, err) < 0)
		return err_wrap(err, "registered, but not every node can use it");
	return snapshot_tell(&f->api, "registered and verified", f->api.repository, cli->mem, err);
}

static const struct opt_part parts[] = {{snapshot_repository_options, 0},
					{register_options, 0},
					{snapshot_plan_options, 0},
					SNAPSHOT_CLUSTER_PARTS,
					{0}};

const struct command command_snapshot_register = {
	.options = {.name = "snapshot register",
		    .summary = "Register a repository at a cluster, and verify it",
		    .parts = parts,
		    .details = "With --from, the cluster there is asked whether it writes to the "
			       "same repository.\n"
			       "\n"
			       "Example:\n  shardlift snapshot register --from https://old:9200 "
			       "--to https://new:9200 --repo old-backups --type s3 --bucket "
			       "backups --base-path es --read-only"},
	.fields_size = sizeof(struct register_fields),
	.run = run,
};
