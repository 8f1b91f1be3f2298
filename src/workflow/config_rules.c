#include "workflow/config_check_internal.h"

/* Steps into `map`'s child for the time of a call of `check`. */
static void each_below(struct config_checker *c, const struct config_value *root,
		       const struct config_value *parent, struct str path,
		       void (*check)(struct config_checker *c, const struct config_value *root,
				     const struct config_value *value))
{
	size_t outer = config_path_step(c, path), number = 0, inner;

	config_each (child, parent) {
		inner = config_path_child(c, child, number++);
		check(c, root, child);
		config_path_cut(c, inner);
	}
	config_path_cut(c, outer);
}

/* The value that `names` has for what `value`'s `key` says; a problem, and NULL, when there is
 * none. */
static const struct config_value *resolve(struct config_checker *c,
					  const struct config_value *value, const char *key,
					  const struct config_value *names, const char *what)
{
	const struct config_value *reference = config_get(value, key);
	const struct config_value *found =
		config_get_str(names, config_text_or(reference, STR_NONE));

	if (reference && !found)
		config_problem(c, reference, false, key,
			       "no %s is called '" STR_FMT "'; there are: %s", what,
			       STR_ARG(reference->text), config_names(c, names));
	return found;
}

static struct str text_of(const struct config_value *map, const char *key)
{
	return config_text_or(config_get(map, key), STR_NONE);
}

/* Only one of the keys may be given. */
static void only_one(struct config_checker *c, const struct config_value *map,
		     const char *const keys[], size_t count)
{
	const struct config_value *first = NULL, *value;

	for (size_t i = 0; i < count; i++) {
		value = config_get(map, keys[i]);
		if (!value || (value->type == CONFIG_STRING && value->text.len == 0))
			continue;
		if (first)
			config_problem(c, value, false, keys[i],
				       "'%s' and '" STR_FMT "' exclude each other; keep one",
				       keys[i], STR_ARG(first->key));
		else
			first = value;
	}
}

static void check_replicas(struct config_checker *c, const struct config_value *step)
{
	int64_t wanted = config_i64_or(config_get(step, "podReplicas"), 1);
	int64_t least = config_i64_or(config_get(step, "minPodReplicas"), 0);

	if (least > wanted)
		config_problem(c, config_get(step, "minPodReplicas"), false, "minPodReplicas",
			       "minPodReplicas %lld is more than podReplicas %lld",
			       (long long)least, (long long)wanted);
}

static void check_script(struct config_checker *c, const struct config_value *transform)
{
	static const char *const forms[] = {"javascript", "javascriptFile", "python", "pythonFile"};
	const struct config_value *script = config_get(transform, "entryPoint");
	size_t outer;

	if (!script)
		return;
	outer = config_path_step(c, STR("entryPoint"));
	only_one(c, script, forms, COUNT_OF(forms));
	if (script->count == 0)
		config_problem(c, script, false, NULL,
			       "no script; give javascript or javascriptFile");
	for (size_t i = 2; i < COUNT_OF(forms); i++)
		if (config_get(script, forms[i]))
			config_problem(c, config_get(script, forms[i]), false, forms[i],
				       "scripts in Python are not run; write it in JavaScript and "
				       "give it as %s",
				       forms[i - 2]);
	config_path_cut(c, outer);
}

/* A list of transforms, or one alone, and the raw strings that it excludes. */
static void check_transforms(struct config_checker *c, const struct config_value *step,
			     const char *const keys[], size_t count)
{
	const struct config_value *transforms = config_get(step, keys[count - 1]);
	size_t outer = config_path_step(c, str_from(keys[count - 1])), inner, number = 0;

	if (transforms && transforms->type == CONFIG_MAP)
		check_script(c, transforms);
	else
		config_each (transform, transforms) {
			inner = config_path_child(c, NULL, number++);
			check_script(c, transform);
			config_path_cut(c, inner);
		}
	config_path_cut(c, outer);
	only_one(c, step, keys, count);
}

static bool is_aws_endpoint(struct str endpoint)
{
	struct str host, rest, url = endpoint;

	if (str_starts(url, STR("https://")))
		url = str_from_offset(url, strlen("https://"));
	str_split(url, '/', &url, &rest);
	str_split(url, ':', &host, &rest);
	return str_ends(host, STR(".es.amazonaws.com")) || str_ends(host, STR(".on.aws"));
}

static void check_created_snapshot(struct config_checker *c, const struct config_value *cluster,
				   const struct config_value *snapshot,
				   const struct config_value *repository)
{
	struct str endpoint = text_of(cluster, "endpoint");
	const struct config_value *sigv4 = config_get(config_get(cluster, "authConfig"), "sigv4");
	bool s3 = str_starts(text_of(repository, "repoPathUri"), STR("s3://"));

	if (endpoint.len == 0)
		config_problem(c, snapshot, false, NULL,
			       "a snapshot cannot be taken of a source without an endpoint; give "
			       "the endpoint, or an externallyManagedSnapshotName");
	else if (is_aws_endpoint(endpoint) && !sigv4)
		config_problem(
			c, snapshot, false, NULL,
			"to take a snapshot of a domain of AWS requests must be signed; give "
			"the source authConfig.sigv4");
	else if (sigv4 && s3 && text_of(repository, "s3RoleArn").len == 0)
		config_problem(c, repository, false, NULL,
			       "the domain reaches the bucket by a role; give the repository "
			       "s3RoleArn");
}

static void check_allowlist_of_snapshot(struct config_checker *c,
					const struct config_value *snapshot)
{
	const struct config_value *list =
		config_get(config_get(snapshot, "createSnapshotConfig"), "indexAllowlist");

	config_each (item, list)
		if (str_starts(item->text, STR("regex:")))
			config_problem(c, item, false, "createSnapshotConfig.indexAllowlist",
				       "a snapshot takes names and patterns of the cluster, not "
				       "'regex:'; write logs-* for regex:logs-.*");
}

static void check_source(struct config_checker *c, const struct config_value *root,
			 const struct config_value *cluster)
{
	const struct config_value *info = config_get(cluster, "snapshotInfo");
	const struct config_value *repositories = config_get(info, "repos");
	size_t outer;

	if (config_get_str(config_get(root, "targetClusters"), cluster->key))
		config_problem(c, cluster, false, NULL,
			       "a source and a target are both called '" STR_FMT "'; rename one",
			       STR_ARG(cluster->key));
	outer = config_path_step(c, STR("snapshotInfo.snapshots"));
	config_each (snapshot, config_get(info, "snapshots")) {
		const struct config_value *config = config_get(snapshot, "config"), *repository;
		size_t inner = config_path_step(c, snapshot->key);

		repository = resolve(c, snapshot, "repoName", repositories, "repository");
		config_path_step(c, STR("config"));
		if (repository && config_get(config, "createSnapshotConfig"))
			check_created_snapshot(c, cluster, config, repository);
		check_allowlist_of_snapshot(c, config);
		config_path_cut(c, inner);
	}
	config_path_cut(c, outer);
}

static void check_migration(struct config_checker *c, const struct config_value *migration)
{
	static const char *const metadata_keys[] = {"transformerConfigBase64", "transformerConfig",
						    "transformerConfigFile", "metadataTransforms"};
	static const char *const document_keys[] = {
		"docTransformerConfigBase64", "docTransformerConfig", "docTransformerConfigFile",
		"documentTransforms"};
	const struct config_value *metadata = config_get(migration, "metadataMigrationConfig");
	const struct config_value *documents = config_get(migration, "documentBackfillConfig");
	size_t outer;

	if (!metadata && !documents)
		config_problem(c, migration, false, NULL,
			       "nothing to do; give metadataMigrationConfig, "
			       "documentBackfillConfig or both");
	outer = config_path_step(c, STR("metadataMigrationConfig"));
	check_transforms(c, metadata, metadata_keys, COUNT_OF(metadata_keys));
	config_path_cut(c, outer);
	config_path_step(c, STR("documentBackfillConfig"));
	check_transforms(c, documents, document_keys, COUNT_OF(document_keys));
	check_replicas(c, documents);
	config_path_cut(c, outer);
}

static void check_labels(struct config_checker *c, const struct config_value *migrations)
{
	size_t number = 0;

	config_each (migration, migrations) {
		struct str label = text_of(migration, "label");
		size_t len = config_path_child(c, NULL, number++);
		for (const struct config_value *other = migrations->first; other != migration;
		     other = other->next)
			if (label.len > 0 && str_eq(label, text_of(other, "label")))
				config_problem(c, migration, false, "label",
					       "the label '" STR_FMT
					       "' is taken by another one of this snapshot",
					       STR_ARG(label));
		check_migration(c, migration);
		config_path_cut(c, len);
	}
}

static void check_snapshot_migration(struct config_checker *c, const struct config_value *root,
				     const struct config_value *entry)
{
	const struct config_value *source =
		resolve(c, entry, "fromSource", config_get(root, "sourceClusters"), "source");
	const struct config_value *info = config_get(source, "snapshotInfo");
	const struct config_value *snapshots = config_get(info, "snapshots");
	size_t outer;

	if (!snapshots)
		snapshots = config_get(info, "backups");
	resolve(c, entry, "toTarget", config_get(root, "targetClusters"), "target");
	outer = config_path_step(c, STR("perSnapshotConfig"));
	config_each (migrations, config_get(entry, "perSnapshotConfig")) {
		size_t inner = config_path_step(c, migrations->key);

		if (source && !config_get_str(snapshots, migrations->key))
			config_problem(c, migrations, false, NULL,
				       "source '" STR_FMT "' has no snapshot '" STR_FMT
				       "'; it has: %s",
				       STR_ARG(source->key), STR_ARG(migrations->key),
				       config_names(c, snapshots));
		for (const struct config_value *other =
			     config_get(root, "snapshotMigrationConfigs")->first;
		     source && other != entry; other = other->next)
			if (str_eq(text_of(other, "fromSource"), source->key) &&
			    str_eq(text_of(other, "toTarget"), text_of(entry, "toTarget")) &&
			    config_get_str(config_get(other, "perSnapshotConfig"), migrations->key))
				config_problem(c, migrations, false, NULL,
					       "this snapshot is migrated to the same target "
					       "above; put both in one list");
		check_labels(c, migrations);
		config_path_cut(c, inner);
	}
	config_path_cut(c, outer);
}

static struct str topic_of(const struct config_value *producer)
{
	struct str topic = text_of(producer, "kafkaTopic");

	return topic.len > 0 ? topic : producer->key;
}

/* What else writes to the same topic of the same buffer, before `producer` in the text. */
static void check_topic(struct config_checker *c, const struct config_value *root,
			const struct config_value *producer)
{
	static const char *const kinds[] = {"proxies", "s3Sources"};
	struct str buffer = config_text_or(config_get(producer, "kafka"), STR("default"));

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		config_each (other, config_get(config_get(root, "traffic"), kinds[i])) {
			if (other == producer)
				return;
			if (str_eq(topic_of(other), topic_of(producer)) &&
			    str_eq(config_text_or(config_get(other, "kafka"), STR("default")),
				   buffer))
				config_problem(c, producer, false, NULL,
					       "'" STR_FMT "' writes to the topic '" STR_FMT
					       "' already; give this one another kafkaTopic",
					       STR_ARG(other->key), STR_ARG(topic_of(producer)));
		}
}

static void check_producer(struct config_checker *c, const struct config_value *root,
			   const struct config_value *producer)
{
	const struct config_value *buffers = config_get(root, "kafkaClusterConfiguration");

	if (config_get(producer, "kafka"))
		resolve(c, producer, "kafka", buffers, "entry of kafkaClusterConfiguration");
	else if (buffers && buffers->count > 0 && !config_get(buffers, "default"))
		config_problem(
			c, producer, false, "kafka",
			"kafkaClusterConfiguration has no 'default'; say which one is meant: "
			"%s",
			config_names(c, buffers));
	check_topic(c, root, producer);
}

static void check_client_auth(struct config_checker *c, const struct config_value *tls)
{
	static const char *const forms[] = {"trustedClientCaFile", "trustedClientCaPem"};
	const struct config_value *auth = config_get(tls, "clientAuth");
	size_t outer = config_path_step(c, STR("proxyConfig.tls.clientAuth"));

	only_one(c, auth, forms, COUNT_OF(forms));
	if (auth && !config_get(auth, forms[0]) && !config_get(auth, forms[1]))
		config_problem(c, auth, false, NULL,
			       "no authority of the clients; give trustedClientCaFile or "
			       "trustedClientCaPem");
	config_path_cut(c, outer);
}

static void check_proxy(struct config_checker *c, const struct config_value *root,
			const struct config_value *proxy)
{
	const struct config_value *config = config_get(proxy, "proxyConfig");
	const struct config_value *source =
		resolve(c, proxy, "source", config_get(root, "sourceClusters"), "source");
	size_t outer;

	if (source && text_of(source, "endpoint").len == 0)
		config_problem(c, proxy, false, "source",
			       "source '" STR_FMT "' has no endpoint to forward to",
			       STR_ARG(source->key));
	if (config_get_str(config_get(config_get(root, "traffic"), "s3Sources"), proxy->key))
		config_problem(c, proxy, false, NULL,
			       "a proxy and an entry of s3Sources are both called '" STR_FMT
			       "'; rename one",
			       STR_ARG(proxy->key));
	check_producer(c, root, proxy);
	check_client_auth(c, config_get(config, "tls"));
	outer = config_path_step(c, STR("proxyConfig"));
	check_replicas(c, config);
	config_path_cut(c, outer);
}

static bool is_migrated(const struct config_value *root, struct str source, struct str snapshot)
{
	config_each (entry, config_get(root, "snapshotMigrationConfigs"))
		if (str_eq(text_of(entry, "fromSource"), source) &&
		    config_get_str(config_get(entry, "perSnapshotConfig"), snapshot))
			return true;
	return false;
}

static void check_dependencies(struct config_checker *c, const struct config_value *root,
			       const struct config_value *replayer)
{
	size_t outer = config_path_step(c, STR("dependsOnSnapshotMigrations")), number = 0, inner;

	config_each (dependency, config_get(replayer, "dependsOnSnapshotMigrations")) {
		struct str source = text_of(dependency, "source");
		struct str snapshot = text_of(dependency, "snapshot");
		inner = config_path_child(c, NULL, number++);
		if (!is_migrated(root, source, snapshot))
			config_problem(
				c, dependency, false, NULL,
				"no entry of snapshotMigrationConfigs migrates snapshot '" STR_FMT
				"' of '" STR_FMT "', so the replay would not wait for it",
				STR_ARG(snapshot), STR_ARG(source));
		config_path_cut(c, inner);
	}
	config_path_cut(c, outer);
}

static void check_replayer_config(struct config_checker *c, const struct config_value *config,
				  const struct config_value *target)
{
	static const char *const request_keys[] = {"transformerConfigEncoded", "transformerConfig",
						   "transformerConfigFile", "requestTransforms"};
	static const char *const tuple_keys[] = {"tupleTransformerConfigBase64",
						 "tupleTransformerConfig",
						 "tupleTransformerConfigFile", "tupleTransforms"};
	const struct config_value *auth = config_get(target, "authConfig");
	int64_t ahead = config_i64_or(config_get(config, "lookaheadTimeSeconds"), 400);
	int64_t idle = config_i64_or(config_get(config, "observedPacketConnectionTimeout"), 360);

	check_transforms(c, config, request_keys, COUNT_OF(request_keys));
	check_transforms(c, config, tuple_keys, COUNT_OF(tuple_keys));
	check_replicas(c, config);
	if (config && ahead <= idle)
		config_problem(c, config, false, "lookaheadTimeSeconds",
			       "lookaheadTimeSeconds %lld must be more than "
			       "observedPacketConnectionTimeout %lld",
			       (long long)ahead, (long long)idle);
	if (config_bool_or(config_get(config, "removeAuthHeader"), false) &&
	    (config_get(auth, "sigv4") || config_get(auth, "basic")))
		config_problem(c, config_get(config, "removeAuthHeader"), false, "removeAuthHeader",
			       "the target's authConfig sets the header that removeAuthHeader "
			       "removes; keep one of them");
	if (config_get(config, "tupleS3Bucket") && !config_get(config, "tupleS3Region"))
		config_problem(c, config_get(config, "tupleS3Bucket"), false, "tupleS3Bucket",
			       "a bucket needs its region; give tupleS3Region");
}

/* Clients pass it on their way to the target: it stands there, and the first proxy can speak to it.
 */
static void check_through(struct config_checker *c, const struct config_value *root,
			  const struct config_value *replayer, const struct config_value *target)
{
	const struct config_value *through = config_get(replayer, "cutOverThrough");
	const struct config_value *proxy =
		resolve(c, replayer, "cutOverThrough",
			config_get(config_get(root, "traffic"), "proxies"), "proxy");
	const struct config_value *source =
		config_get_str(config_get(root, "sourceClusters"), text_of(proxy, "source"));

	if (!proxy)
		return;
	if (!config_bool_or(config_get(replayer, "cutOver"), false))
		config_problem(c, through, false, "cutOverThrough",
			       "nothing goes through it without a cut-over; give cutOver: true");
	if (str_eq(through->text, text_of(replayer, "fromCapturedTraffic")))
		config_problem(c, through, false, "cutOverThrough",
			       "it is the proxy whose clients are to pass it; give another one, "
			       "in front of the target");
	if (source && target && !str_eq(text_of(source, "endpoint"), text_of(target, "endpoint")))
		config_problem(c, through, false, "cutOverThrough",
			       "the proxy '" STR_FMT "' stands before " STR_FMT
			       ", not before the target; its source must have the target's "
			       "endpoint " STR_FMT,
			       STR_ARG(through->text), STR_ARG(text_of(source, "endpoint")),
			       STR_ARG(text_of(target, "endpoint")));
	if (!str_is(text_of(config_get(config_get(proxy, "proxyConfig"), "tls"), "mode"),
		    "plaintext"))
		config_problem(c, through, false, "cutOverThrough",
			       "the proxy '" STR_FMT
			       "' is spoken to on this machine; give it tls: {mode: plaintext}",
			       STR_ARG(through->text));
}

static void check_replayer(struct config_checker *c, const struct config_value *root,
			   const struct config_value *replayer)
{
	const struct config_value *traffic = config_get(root, "traffic");
	const struct config_value *from = config_get(replayer, "fromCapturedTraffic");
	const struct config_value *proxies = config_get(traffic, "proxies");
	const struct config_value *exports = config_get(traffic, "s3Sources");
	const struct config_value *target =
		resolve(c, replayer, "toTarget", config_get(root, "targetClusters"), "target");
	struct str captured = config_text_or(from, STR_NONE);
	size_t outer;

	if (!config_get_str(proxies, captured) && !config_get_str(exports, captured))
		config_problem(c, from, false, "fromCapturedTraffic",
			       "no proxy and no entry of s3Sources is called '" STR_FMT
			       "'; there are: %s; %s",
			       STR_ARG(captured), config_names(c, proxies),
			       config_names(c, exports));
	if (config_bool_or(config_get(replayer, "cutOver"), false) &&
	    !config_get_str(proxies, captured))
		config_problem(
			c, config_get(replayer, "cutOver"), false, "cutOver",
			"only clients of a proxy can be sent to the target; replay from one");
	check_through(c, root, replayer, target);
	check_dependencies(c, root, replayer);
	outer = config_path_step(c, STR("replayerConfig"));
	check_replayer_config(c, config_get(replayer, "replayerConfig"), target);
	config_path_cut(c, outer);
}

void config_rules_check(struct config_checker *c, const struct config_value *root)
{
	const struct config_value *traffic = config_get(root, "traffic");

	each_below(c, root, config_get(root, "sourceClusters"), STR("sourceClusters"),
		   check_source);
	each_below(c, root, config_get(root, "snapshotMigrationConfigs"),
		   STR("snapshotMigrationConfigs"), check_snapshot_migration);
	each_below(c, root, config_get(traffic, "proxies"), STR("traffic.proxies"), check_proxy);
	each_below(c, root, config_get(traffic, "s3Sources"), STR("traffic.s3Sources"),
		   check_producer);
	each_below(c, root, config_get(traffic, "replayers"), STR("traffic.replayers"),
		   check_replayer);
}
