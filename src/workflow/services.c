#include "workflow/services.h"

#include "base/limits.h"
#include "base/small_file.h"
#include "net/aws_credentials.h"
#include "workflow/config_check_internal.h"
#include "workflow/services_schema.h"

#include <errno.h>

static const char *const role_names[] = {"source", "target", "proxy"};
static const char *const section_names[] = {"snapshot", "metadata_migration", "backfill", "replay",
					    "kafka",    "metrics_source"};

const char *services_role_name(enum services_role role)
{
	return role_names[role];
}

/* --- What the shape does not say --- */

/* At most one of the keys, and at least one if `needed`. */
static void choose_one(struct config_checker *c, const struct config_value *map,
		       const char *const *keys, bool needed)
{
	const char *first = NULL;
	struct str all = STR_NONE;

	for (; map && *keys; keys++) {
		const struct config_value *value = config_get(map, *keys);

		all = arena_printf(c->mem, STR_FMT "%s%s", STR_ARG(all), all.len ? ", " : "",
				   *keys);
		if (value && first)
			config_problem(c, value, false, *keys,
				       "'%s' and '%s' exclude each other; keep one", *keys, first);
		else if (value)
			first = *keys;
	}
	if (map && needed && !first)
		config_problem(c, map, false, NULL, "give one of: " STR_FMT, STR_ARG(all));
}

static void check_secret(struct config_checker *c, const struct config_value *basic)
{
	static const char *const ways[] = {"username", "user_secret_arn", "k8s_secret_name", NULL};

	choose_one(c, basic, ways, true);
	if (!config_get(basic, "username") != !config_get(basic, "password"))
		config_problem(c, basic, false, NULL, "'username' and 'password' need each other");
}

static void check_cluster(struct config_checker *c, const struct config_value *cluster)
{
	static const char *const ways[] = {"no_auth", "basic_auth", "sigv4",
					   "mtls",    "api_key",    NULL};
	static const char *const keys[] = {"key", "k8s_secret_name", NULL};
	const struct config_value *basic = config_get(cluster, "basic_auth");
	const struct config_value *key = config_get(cluster, "api_key");
	const struct config_value *signs_as = config_get(cluster, "sigv4_signing_endpoint");
	size_t len;

	choose_one(c, cluster, ways, true);
	if (signs_as && !config_get(cluster, "sigv4"))
		config_problem(c, signs_as, false, "sigv4_signing_endpoint",
			       "'sigv4_signing_endpoint' goes with 'sigv4' only; leave it out");
	if (basic) {
		len = config_path_step(c, STR("basic_auth"));
		check_secret(c, basic);
		config_path_cut(c, len);
	}
	if (key) {
		len = config_path_step(c, STR("api_key"));
		choose_one(c, key, keys, true);
		config_path_cut(c, len);
	}
}

static void check_platform(struct config_checker *c, const struct config_value *section)
{
	static const char *const platforms[] = {"local", "docker", "ecs", "k8s", NULL};

	choose_one(c, section, platforms, false);
}

static void check_place(struct config_checker *c, const struct config_value *section)
{
	static const char *const places[] = {"s3", "fs", "gcs", NULL};
	const struct config_value *solr = config_get(section, "solr_collections");

	choose_one(c, section, places, true);
	if (solr && solr->count > 0)
		config_problem(c, solr, false, "solr_collections",
			       "Solr is no source of this program");
}

static void check_metadata(struct config_checker *c, const struct config_value *metadata)
{
	const struct config_value *from = config_get(metadata, "from_snapshot");
	size_t len = config_path_step(c, STR("from_snapshot"));

	if (from && from->type == CONFIG_MAP)
		check_place(c, from);
	config_path_cut(c, len);
}

static void check_backfill(struct config_checker *c, const struct config_value *backfill)
{
	static const char *const names[] = {"session_name", "backfill_session_name", NULL};
	const struct config_value *how = config_get(backfill, "reindex_from_snapshot");
	size_t len = config_path_step(c, STR("reindex_from_snapshot"));

	check_platform(c, how);
	choose_one(c, how, names, false);
	config_path_cut(c, len);
}

static void check_kafka(struct config_checker *c, const struct config_value *kafka)
{
	static const char *const ways[] = {"msk", "standard", "scram", "local", NULL};

	choose_one(c, kafka, ways, true);
	if (!config_get(kafka, "local") && !config_get(kafka, "broker_endpoints"))
		config_problem(c, kafka, false, "broker_endpoints",
			       "'broker_endpoints' is missing; it is required");
}

static void check_metrics(struct config_checker *c, const struct config_value *metrics)
{
	static const char *const ways[] = {"prometheus", "cloudwatch", "local", NULL};

	choose_one(c, metrics, ways, true);
}

static void check_between(struct config_checker *c, const struct config_value *root)
{
	static const struct {
		const char *section;
		void (*check)(struct config_checker *c, const struct config_value *value);
	} rules[] = {
		{"source_cluster", check_cluster},
		{"source", check_cluster},
		{"target_cluster", check_cluster},
		{"target", check_cluster},
		{"snapshot", check_place},
		{"metadata_migration", check_metadata},
		{"backfill", check_backfill},
		{"replay", check_platform},
		{"kafka", check_kafka},
		{"metrics_source", check_metrics},
	};
	static const char *const sources[] = {"source_cluster", "source", NULL};
	static const char *const targets[] = {"target_cluster", "target", NULL};

	choose_one(c, root, sources, false);
	choose_one(c, root, targets, false);
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		const struct config_value *value = config_get(root, rules[i].section);
		size_t len = config_path_step(c, str_from(rules[i].section));

		if (value && value->type == CONFIG_MAP)
			rules[i].check(c, value);
		config_path_cut(c, len);
	}
}

static int check(const struct config_value *root, const char *path, struct arena *mem,
		 struct err *err)
{
	struct config_problems problems = {
		.list = arena_zalloc(mem, CONFIG_PROBLEMS_MAX, sizeof(struct config_problem))};
	struct config_checker c = {mem, &problems, BUF_INIT(LIMIT_PATH), "docs/console.md"};
	const struct config_problem *first;

	if (!problems.list)
		return arena_fail(mem, "the services", err);
	config_check_value(&c, root, &services_schema);
	if (problems.errors == 0)
		check_between(&c, root);
	buf_release(&c.path);
	if (mem->failed)
		return arena_fail(mem, "the services", err);
	if (problems.errors == 0)
		return 0;
	first = &problems.list[0];
	return err_set(err, ERR_USAGE, "%s, line %zu: " STR_FMT " (" STR_FMT ")%s", path,
		       first->line, STR_ARG(first->message), STR_ARG(first->path),
		       problems.errors == 1 ? "" : "; it is not the only problem");
}

/* --- Sections as maps of names --- */

/* A map of `name` to a copy of `value`, or to an empty map where that is null. */
static const struct config_value *map_of_one(const struct config_value *value, const char *name,
					     struct arena *mem)
{
	struct config_value *map = arena_zalloc(mem, 1, sizeof(*map));
	struct config_value *child = arena_zalloc(mem, 1, sizeof(*child));

	if (!value || !map || !child)
		return NULL;
	*child = *value;
	child->next = NULL;
	child->key = str_from(name);
	if (child->type == CONFIG_NULL)
		child->type = CONFIG_MAP;
	*map = (struct config_value){.type = CONFIG_MAP, .first = child, .last = child, .count = 1};
	return map;
}

static const struct config_value *either(const struct config_value *root, const char *one,
					 const char *other)
{
	const struct config_value *value = config_get(root, one);

	return value ? value : config_get(root, other);
}

static void take_sections(const struct config_value *root, struct arena *mem, struct services *out)
{
	const struct config_value *source = either(root, "source_cluster", "source");
	const struct config_value *target = either(root, "target_cluster", "target");
	const struct config_value *proxy = config_get(source, "proxy");
	struct str name = config_text_or(config_get(proxy, "name"), STR("proxy"));

	out->clusters[SERVICES_SOURCE] = map_of_one(source, "source", mem);
	out->clusters[SERVICES_TARGET] = map_of_one(target, "target", mem);
	out->clusters[SERVICES_PROXY] = map_of_one(proxy, arena_str(mem, name).ptr, mem);
	for (size_t i = 0; i < SERVICES_SECTIONS; i++) {
		const struct config_value *value = config_get(root, section_names[i]);

		if (i == SERVICES_BACKFILL)
			value = config_get(value, "reindex_from_snapshot");
		out->sections[i] = map_of_one(value, section_names[i], mem);
	}
	out->user_agent_extra =
		config_text_or(config_get(config_get(root, "client_options"), "user_agent_extra"),
			       STR_NONE)
			.ptr;
}

int services_parse(struct str text, const char *path, const char *state_dir, struct arena *mem,
		   struct services *out, struct err *err)
{
	struct config_value *root;

	*out = (struct services){.origin = path, .state_dir = state_dir};
	if (config_parse(text, mem, &root, err) < 0)
		return err_wrap(err, "%s", path);
	if (check(root, path, mem, err) < 0)
		return -(int)err->kind;
	take_sections(root, mem, out);
	return mem->failed ? arena_fail(mem, "the services", err) : 0;
}

int services_load(const char *path, const char *state_dir, struct arena *mem, struct services *out,
		  struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	int got = small_file_read(path, &text, err);

	if (got < 0)
		return got;
	if (got == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no file '%s'", path);
	return services_parse(buf_str(&text), path, state_dir, mem, out, err);
}

/* --- Finding --- */

const char *services_names(const struct config_value *map, struct arena *mem)
{
	struct str names = STR_NONE;

	config_each (child, map)
		names = arena_printf(mem, STR_FMT "%s'" STR_FMT "'", STR_ARG(names),
				     names.len > 0 ? ", " : "", STR_ARG(child->key));
	return names.len > 0 && names.ptr ? names.ptr : "none";
}

static const char *all_clusters(const struct services *services, struct arena *mem)
{
	struct str all = STR_NONE;

	for (size_t i = 0; i < SERVICES_ROLES; i++)
		if (services->clusters[i] && services->clusters[i]->count > 0)
			all = arena_printf(mem, STR_FMT "%s%s %s", STR_ARG(all),
					   all.len > 0 ? "; " : "", role_names[i],
					   services_names(services->clusters[i], mem));
	return all.len > 0 && all.ptr ? all.ptr : "none";
}

/* The value by its role or its name; NULL with *err. */
static const struct config_value *find(const struct services *services, const char *word,
				       enum services_role *role, struct arena *mem, struct err *err)
{
	for (size_t i = 0; i < SERVICES_ROLES; i++) {
		const struct config_value *map = services->clusters[i];
		const struct config_value *named = config_get(map, word);
		bool is_role = strcmp(word, role_names[i]) == 0;

		*role = (enum services_role)i;
		if (named)
			return named;
		if (is_role && map && map->count == 1)
			return map->first;
		if (is_role && map && map->count > 1) {
			err_set(err, ERR_USAGE, "there are several of %s in %s; name one of %s",
				word, services->origin, services_names(map, mem));
			return NULL;
		}
		if (is_role) {
			err_set(err, ERR_USAGE, "%s%s is not set in %s", word,
				i == SERVICES_PROXY ? "" : " cluster", services->origin);
			return NULL;
		}
	}
	err_set(err, ERR_USAGE, "there is no cluster '%s' in %s; there are: %s", word,
		services->origin, all_clusters(services, mem));
	return NULL;
}

static const char *text_of(const struct config_value *map, const char *key, struct arena *mem)
{
	struct str text = config_text_or(config_get(map, key), STR_NONE);

	return text.len > 0 ? arena_str(mem, text).ptr : NULL;
}

/* A proxy passes on what it is sent: its clients authenticate as those of its source. */
static const struct config_value *who_authenticates(const struct services *services,
						    const struct services_cluster *cluster)
{
	const struct config_value *sources = services->clusters[SERVICES_SOURCE];

	if (cluster->role != SERVICES_PROXY || services->derived)
		return cluster->value;
	return sources ? sources->first : cluster->value;
}

int services_find_cluster(const struct services *services, const char *word, struct arena *mem,
			  struct services_cluster *out, struct err *err)
{
	static const char *const prefixes[] = {"--source-", "--target-", "--proxy-"};
	const struct config_value *sigv4, *mtls, *who;

	*out = (struct services_cluster){0};
	out->value = find(services, word, &out->role, mem, err);
	if (!out->value)
		return -(int)err->kind;
	who = who_authenticates(services, out);
	sigv4 = config_get(who, "sigv4");
	mtls = config_get(who, "mtls");
	out->name = out->value->key;
	out->version = text_of(out->value, "version", mem);
	out->http = (struct http_options){
		.host = text_of(out->value, "endpoint", mem),
		.insecure = config_bool_or(config_get(out->value, "allow_insecure"), false),
		.ca_file = text_of(mtls, "ca_cert", mem),
		.client_cert = text_of(mtls, "client_cert", mem),
		.client_key = text_of(mtls, "client_key", mem),
		.flag_prefix = prefixes[out->role],
		.host_flag = "endpoint",
		.aws_signed_as = text_of(who, "sigv4_signing_endpoint", mem),
		.agent_extra = services->user_agent_extra,
	};
	if (sigv4) {
		const char *service = text_of(sigv4, "service", mem);

		out->http.aws_region = aws_region(text_of(sigv4, "region", mem), NULL, mem);
		out->http.aws_service = service ? service : "es";
	}
	if (sigv4 && !out->http.aws_region)
		return err_set(err, ERR_USAGE,
			       "%s cluster: 'sigv4' names no region, and neither does AWS_REGION",
			       role_names[out->role]);
	return services_read_secrets(services, out, mem, err);
}

int services_find_section(const struct services *services, enum services_section section,
			  const char *name, struct arena *mem, const struct config_value **out,
			  struct err *err)
{
	const struct config_value *map = services->sections[section];
	const char *what = section_names[section];

	*out = NULL;
	if (!map || map->count == 0)
		return err_set(err, ERR_USAGE, "%s is not set in %s", what, services->origin);
	if (name)
		*out = config_get(map, name);
	else if (map->count == 1)
		*out = map->first;
	if (*out)
		return 0;
	if (name)
		return err_set(err, ERR_USAGE, "there is no %s '%s' in %s; there are: %s", what,
			       name, services->origin, services_names(map, mem));
	return err_set(err, ERR_USAGE, "there are several of %s in %s; name one of %s by --name",
		       what, services->origin, services_names(map, mem));
}
