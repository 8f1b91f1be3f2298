/* The environment that a workflow's configuration comes to, in the words of services.yaml. */
#include "base/limits.h"
#include "workflow/plan.h"
#include "workflow/plan_spec.h"
#include "workflow/platform.h"
#include "workflow/services.h"
#include "workflow/state.h"

struct derive {
	const struct config_value *root;
	struct workflow_state *state;
	const char *state_dir;
	struct arena *mem;
	struct json *clusters[SERVICES_ROLES], *sections[SERVICES_SECTIONS];
};

static void set_text(struct derive *d, struct json *object, const char *key, struct str text)
{
	if (text.len > 0)
		json_set(object, str_from(key), json_new_string(d->mem, text));
}

static struct str text_of(const struct config_value *map, const char *key)
{
	return config_text_or(config_get(map, key), STR_NONE);
}

static struct json *auth_of(struct derive *d, const struct config_value *auth, const char **name)
{
	const struct config_value *basic = config_get(auth, "basic"), *key;
	const struct config_value *sigv4 = config_get(auth, "sigv4");
	const struct config_value *mtls = config_get(auth, "mtls");
	struct str secret = text_of(mtls, "clientSecretName");
	struct json *out = json_new(d->mem, JSON_OBJECT);

	key = config_get(auth, "apiKey");
	*name = basic   ? "basic_auth"
		: key   ? "api_key"
		: sigv4 ? "sigv4"
		: mtls  ? "mtls"
			: "no_auth";
	if (basic || key)
		set_text(d, out, "k8s_secret_name", text_of(basic ? basic : key, "secretName"));
	if (sigv4) {
		set_text(d, out, "region", text_of(sigv4, "region"));
		set_text(d, out, "service", text_of(sigv4, "service"));
	}
	if (mtls) {
		set_text(d, out, "ca_cert", text_of(mtls, "caCert"));
		set_text(d, out, "client_cert",
			 arena_printf(d->mem, "%s/secrets/" STR_FMT "/tls.crt", d->state_dir,
				      STR_ARG(secret)));
		set_text(d, out, "client_key",
			 arena_printf(d->mem, "%s/secrets/" STR_FMT "/tls.key", d->state_dir,
				      STR_ARG(secret)));
	}
	return out;
}

static struct json *cluster_of(struct derive *d, const struct config_value *cluster)
{
	struct json *out = json_new(d->mem, JSON_OBJECT), *auth;
	const char *name;

	set_text(d, out, "endpoint", text_of(cluster, "endpoint"));
	set_text(d, out, "version", text_of(cluster, "version"));
	json_set(
		out, STR("allow_insecure"),
		json_new_bool(d->mem, config_bool_or(config_get(cluster, "allowInsecure"), false)));
	auth = auth_of(d, config_get(cluster, "authConfig"), &name);
	json_set(out, str_from(name), auth);
	return out;
}

static void derive_clusters(struct derive *d)
{
	const struct config_value *sources = config_get(d->root, "sourceClusters");

	config_each (cluster, sources)
		json_set(d->clusters[SERVICES_SOURCE], cluster->key, cluster_of(d, cluster));
	config_each (cluster, config_get(d->root, "targetClusters"))
		json_set(d->clusters[SERVICES_TARGET], cluster->key, cluster_of(d, cluster));
	config_each (proxy, config_get(config_get(d->root, "traffic"), "proxies")) {
		const struct config_value *config = config_get(proxy, "proxyConfig");
		struct str mode = text_of(config_get(config, "tls"), "mode");
		struct json *out = cluster_of(d, config_get_str(sources, text_of(proxy, "source")));

		set_text(d, out, "endpoint",
			 arena_printf(d->mem, "%s://127.0.0.1:" STR_FMT,
				      str_is(mode, "plaintext") ? "http" : "https",
				      STR_ARG(text_of(config, "listenPort"))));
		/* It makes its own certificate unless told otherwise. */
		json_set(out, STR("allow_insecure"), json_new_bool(d->mem, true));
		json_set(d->clusters[SERVICES_PROXY], proxy->key, out);
	}
}

/* A fact that the engine wrote down of a resource. */
static struct str fact_of(struct derive *d, const struct plan_resource *resource, const char *name)
{
	struct workflow_resource record;
	struct json *status;

	if (!d->state || workflow_resource_read(d->state, resource->kind.ptr, resource->name,
						d->mem, &record, NULL) <= 0)
		return STR_NONE;
	if (record.status.len == 0 || json_parse(record.status, d->mem, &status, NULL) < 0)
		return STR_NONE;
	return json_string(json_get(status, name));
}

static void add_place(struct derive *d, struct json *out, const struct json *repository)
{
	struct str uri = json_string(json_get(repository, "repoPathUri"));
	struct json *place = json_new(d->mem, JSON_OBJECT);

	if (str_starts(uri, STR("file://"))) {
		set_text(d, place, "repo_path", str_from_offset(uri, strlen("file://")));
		json_set(out, STR("fs"), place);
		return;
	}
	set_text(d, place, "repo_uri", uri);
	set_text(d, place, "endpoint", json_string(json_get(repository, "endpoint")));
	set_text(d, place, "aws_region", json_string(json_get(repository, "awsRegion")));
	set_text(d, place, "role", json_string(json_get(repository, "s3RoleArn")));
	json_set(out, str_starts(uri, STR("gs://")) ? STR("gcs") : STR("s3"), place);
}

static struct json *snapshot_of(struct derive *d, const struct plan_resource *resource)
{
	struct json *out = json_new(d->mem, JSON_OBJECT);
	struct str name = json_string(json_get(resource->spec, "external"));

	if (name.len > 0)
		set_text(d, out, "mode", STR("import"));
	set_text(d, out, "snapshot_name",
		 name.len > 0 ? name : fact_of(d, resource, "snapshotName"));
	set_text(d, out, "snapshot_repo_name",
		 json_string(json_path(resource->spec, "repository", "name", NULL)));
	set_text(d, out, "source", json_string(json_path(resource->spec, "source", "name", NULL)));
	add_place(d, out, json_get(resource->spec, "repository"));
	return out;
}

static void add_failed_documents(struct derive *d, struct json *out, const struct json *backfill)
{
	static const char *const members[][2] = {{"failedDocumentStreamS3Bucket", "bucket"},
						 {"failedDocumentStreamS3Prefix", "prefix"},
						 {"failedDocumentStreamS3Region", "region"},
						 {"failedDocumentStreamS3Endpoint", "endpoint"}};
	const struct json *place = json_path(out, "from_snapshot", "s3", NULL);
	struct json *stream = json_new(d->mem, JSON_OBJECT);

	if (json_string(json_get(backfill, members[0][0])).len == 0)
		return;
	/* What is not said is as of the repository. */
	set_text(d, stream, "region", json_string(json_get(place, "aws_region")));
	set_text(d, stream, "endpoint", json_string(json_get(place, "endpoint")));
	for (size_t i = 0; i < COUNT_OF(members); i++)
		set_text(d, stream, members[i][1], json_string(json_get(backfill, members[i][0])));
	json_set(out, STR("failed_document_stream"), stream);
}

static void add_migration(struct derive *d, const struct plan *plan,
			  const struct plan_resource *resource)
{
	struct json *out = json_new(d->mem, JSON_OBJECT);
	struct str session = fact_of(d, resource, "workSession"), snapshot = STR_NONE;

	if (resource->depends_on_count > 0)
		str_split(resource->depends_on[0], '.', &snapshot, &snapshot);
	for (size_t i = 0; i < plan->resource_count; i++)
		if (str_is(plan->resources[i].kind, "datasnapshot") &&
		    str_eq(plan->resources[i].name, snapshot))
			json_set(out, STR("from_snapshot"), snapshot_of(d, &plan->resources[i]));
	set_text(d, out, "session_name",
		 session.len > 0
			 ? session
			 : arena_printf(d->mem, "rfs-" STR_FMT, STR_ARG(resource->session)));
	set_text(d, out, "target", json_string(json_path(resource->spec, "target", "name", NULL)));
	if (json_get(resource->spec, "metadata")) {
		const struct json *metadata = json_get(resource->spec, "metadata");
		static const char *const lists[][2] = {
			{"indexAllowlist", "index_allowlist"},
			{"indexTemplateAllowlist", "index_template_allowlist"},
			{"componentTemplateAllowlist", "component_template_allowlist"}};

		for (size_t i = 0; i < COUNT_OF(lists); i++)
			if (json_get(metadata, lists[i][0]))
				json_set(out, str_from(lists[i][1]),
					 json_copy(d->mem, json_get(metadata, lists[i][0])));
		json_set(d->sections[SERVICES_METADATA], resource->name, out);
	}
	if (json_get(resource->spec, "backfill")) {
		struct json *backfill = json_copy(d->mem, out);

		if (json_bool_or(json_path(resource->spec, "backfill",
					   "useTargetClusterForWorkCoordination", NULL),
				 false) ||
		    workflow_platform() == PLATFORM_KUBERNETES)
			set_text(d, backfill, "coordinator", STR("target"));
		add_failed_documents(d, backfill, json_get(resource->spec, "backfill"));
		json_set(d->sections[SERVICES_BACKFILL], resource->name, backfill);
	}
}

/* Brokers as a section kafka has them; of a log of this machine, `local`. */
static struct json *kafka_of(struct derive *d, const struct json *cluster)
{
	const struct json *existing = json_get(cluster, "existing");
	const struct json *auth = json_get(existing, "auth");
	struct str authority = json_string(json_get(auth, "caSecretName"));
	struct json *out = json_new(d->mem, JSON_OBJECT), *way = json_new(d->mem, JSON_OBJECT);
	bool is_scram = str_is(json_string(json_get(auth, "type")), "scram-sha-512");
	bool is_msk = json_bool_or(json_get(existing, "enableMSKAuth"), false);

	set_text(d, out, "broker_endpoints", json_string(json_get(existing, "kafkaConnection")));
	if (is_scram) {
		set_text(d, way, "username", json_string(json_get(auth, "kafkaUserName")));
		set_text(d, way, "k8s_secret_name", json_string(json_get(auth, "secretName")));
		set_text(d, way, "ca_cert_path",
			 arena_printf(d->mem, "%s/secrets/" STR_FMT "/ca.crt", d->state_dir,
				      STR_ARG(authority)));
	}
	json_set(out,
		 !existing  ? STR("local")
		 : is_scram ? STR("scram")
		 : is_msk   ? STR("msk")
			    : STR("standard"),
		 way);
	return out;
}

static int derive_sections(struct derive *d, struct err *err)
{
	struct plan plan;

	if (plan_make(d->root, d->mem, &plan, err) < 0)
		return err_wrap(err, "the workflow's configuration");
	for (size_t i = 0; i < plan.resource_count; i++) {
		const struct plan_resource *resource = &plan.resources[i];
		struct json *empty = json_new(d->mem, JSON_OBJECT);

		if (str_is(resource->kind, "datasnapshot"))
			json_set(d->sections[SERVICES_SNAPSHOT], resource->name,
				 snapshot_of(d, resource));
		else if (str_is(resource->kind, "snapshotmigration"))
			add_migration(d, &plan, resource);
		else if (str_is(resource->kind, "trafficreplay"))
			json_set(d->sections[SERVICES_REPLAY], resource->name, empty);
		else if (str_is(resource->kind, "kafkacluster"))
			json_set(d->sections[SERVICES_KAFKA], resource->name,
				 kafka_of(d, json_get(resource->spec, "cluster")));
	}
	return 0;
}

/* By way of text, so that both kinds of services are of one form. */
static int config_of(const struct json *value, struct arena *mem, const struct config_value **out,
		     struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(4));
	struct config_value *root;

	json_write(&text, value);
	if (buf_check(&text, "the services", err) < 0 ||
	    config_parse(buf_str(&text), mem, &root, err) < 0)
		return -(int)err->kind;
	*out = root;
	return 0;
}

int services_derive(const struct config_value *root, struct workflow_state *state,
		    const char *state_dir, struct arena *mem, struct services *out, struct err *err)
{
	struct derive d = {.root = root, .state = state, .state_dir = state_dir, .mem = mem};
	int rc;

	*out = (struct services){
		.origin = "the workflow's configuration", .state_dir = state_dir, .derived = true};
	for (size_t i = 0; i < SERVICES_ROLES; i++)
		d.clusters[i] = json_new(mem, JSON_OBJECT);
	for (size_t i = 0; i < SERVICES_SECTIONS; i++)
		d.sections[i] = json_new(mem, JSON_OBJECT);
	derive_clusters(&d);
	rc = derive_sections(&d, err);
	if (rc == 0 && mem->failed)
		rc = arena_fail(mem, "the services", err);
	for (size_t i = 0; rc == 0 && i < SERVICES_ROLES; i++)
		rc = config_of(d.clusters[i], mem, &out->clusters[i], err);
	for (size_t i = 0; rc == 0 && i < SERVICES_SECTIONS; i++)
		rc = config_of(d.sections[i], mem, &out->sections[i], err);
	return rc;
}
