#include "workflow/engine_command.h"

#include "net/url.h"

#define POD_TUPLES_MB 1024 /* where neither a bucket nor a size is configured */

/* Which member of a spec goes to which option. */
struct command_row {
	const char *member, *flag, *unit;
};

static const struct command_row proxy_rows[] = {
	{"listenPort", "--listen-port", ""},
	{"listenHost", "--listen-host", ""},
	{"numThreads", "--num-threads", ""},
	{"maxTrafficBufferSize", "--max-traffic-buffer-size", ""},
	{"suppressCaptureForMethod", "--suppress-capture-for-method", ""},
	{"suppressCaptureForUriPath", "--suppress-capture-for-uri-path", ""},
	{"suppressMethodAndPath", "--suppress-method-and-path", ""},
	{"onCaptureFailure", "--on-capture-failure", ""},
	{"captureTimeout", "--capture-timeout", ""},
};

static const struct command_row replayer_rows[] = {
	{"speedupFactor", "--speedup-factor", ""},
	{"lookaheadTimeSeconds", "--lookahead-time-window", ""},
	{"maxConcurrentRequests", "--max-concurrent-requests", ""},
	{"numClientThreads", "--num-client-threads", ""},
	{"observedPacketConnectionTimeout", "--packet-timeout-seconds", ""},
	{"quiescentPeriodMs", "--quiescent-period-ms", ""},
	{"targetServerResponseTimeoutSeconds", "--target-response-timeout", ""},
	{"transformerConfig", "--transformer-config", ""},
	{"transformerConfigEncoded", "--transformer-config-encoded", ""},
	{"tupleS3Bucket", "--tuple-s3-bucket", ""},
	{"tupleS3Region", "--tuple-s3-region", ""},
	{"tupleS3Prefix", "--tuple-s3-prefix", ""},
	{"tupleS3Endpoint", "--tuple-s3-endpoint", ""},
	{"tupleMaxBufferSeconds", "--tuple-max-buffer-seconds", ""},
	{"tupleMaxFileSizeMb", "--tuple-max-file-size-mb", ""},
	{"tupleMaxPerFile", "--tuple-max-per-file", ""},
	{"userAgent", "--user-agent", ""},
};

static void add_rows(struct command_builder *b, const struct json *from,
		     const struct command_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str value = json_text_or(json_get(from, rows[i].member), STR_NONE);

		if (value.len > 0)
			command_add_option(
				b, rows[i].flag,
				arena_printf(b->mem, STR_FMT "%s", STR_ARG(value), rows[i].unit));
	}
}

static void add_when(struct command_builder *b, const struct json *from, const char *member,
		     const char *flag)
{
	if (json_bool_or(json_get(from, member), false))
		command_add(b, flag);
}

/* With its port, which the proxy would take to be another one. */
static struct str url_of(struct command_builder *b, struct str endpoint)
{
	struct url url;
	struct str text = arena_str(b->mem, endpoint);

	if (!text.ptr || url_parse(text.ptr, b->mem, &url, NULL) < 0)
		return endpoint; /* the child says what is wrong with it */
	return url_without_secrets(&url, b->mem);
}

/* --- Where the traffic is --- */

static const struct plan_resource *resource_of(struct command_builder *b, struct str label)
{
	const struct plan_resource *found = plan_resource_of(&b->engine->run.plan, label);

	if (!found)
		BUG("a resource of the plan depends on one that is not there");
	return found;
}

struct stream {
	const struct plan_resource *topic; /* capturedtraffic */
	const struct json *cluster;        /* what kafkaClusterConfiguration says of its buffer */
	struct str producer;               /* name of the proxy, or of what was recorded */
};

static struct stream stream_of(struct command_builder *b, const struct plan_resource *resource)
{
	struct stream out;

	while (!str_is(resource->kind, "capturedtraffic"))
		resource = resource_of(b, resource->depends_on[0]);
	out.topic = resource;
	out.cluster = json_get(resource_of(b, resource->depends_on[0])->spec, "cluster");
	out.producer = str_of(resource->name.ptr, resource->name.len - strlen("-topic"));
	return out;
}

struct str engine_log_folder(struct engine *engine, const struct plan_resource *resource)
{
	struct command_builder b = {.engine = engine, .mem = &engine->run.look};
	struct stream stream = stream_of(&b, resource);
	struct str folder = json_string(json_path(stream.cluster, "log", "directory", NULL));

	if (json_get(stream.cluster, "existing"))
		return STR_NONE;
	if (folder.len > 0)
		return arena_printf(b.mem, STR_FMT "/" STR_FMT, STR_ARG(folder),
				    STR_ARG(stream.producer));
	return arena_printf(b.mem, "%s/capture/" STR_FMT, engine->options->state_dir,
			    STR_ARG(stream.producer));
}

/* The secret of a KafkaUser of Strimzi has a password alone; its name is the user's. */
static int add_kafka_password(struct command_builder *b, struct str name, struct str *user,
			      struct err *err)
{
	struct str secret, first, rest;

	if (b->engine->platform == PLATFORM_KUBERNETES)
		return command_add_secret(b, "SHARDLIFT_KAFKA_PASSWORD", "Kafka cluster", name,
					  "password", err);
	if (command_secret(b, "Kafka cluster", name, &secret, err) < 0)
		return -(int)err->kind;
	if (str_split(secret, ':', &first, &rest)) {
		secret = rest;
		*user = user->len > 0 ? *user : first;
	}
	command_add_variable(b, "SHARDLIFT_KAFKA_PASSWORD", secret);
	return 0;
}

static int add_scram(struct command_builder *b, const struct json *auth, struct err *err)
{
	struct str name = json_string(json_get(auth, "secretName"));
	struct str ca = json_string(json_get(auth, "caSecretName"));
	struct str user = json_string(json_get(auth, "kafkaUserName"));

	if (add_kafka_password(b, name, &user, err) < 0)
		return -(int)err->kind;
	command_add_folder(b, ca);
	command_add_option(b, "--kafka-sasl-mechanism", STR("SCRAM-SHA-512"));
	command_add_option(b, "--kafka-username", user.len > 0 ? user : name);
	command_add(b, "--kafka-tls");
	command_add_option(b, "--kafka-ca-cert",
			   arena_printf(b->mem, "%s/secrets/" STR_FMT "/ca.crt",
					b->engine->options->state_dir, STR_ARG(ca)));
	return 0;
}

static int add_kafka(struct command_builder *b, const struct stream *stream, struct err *err)
{
	const struct json *existing = json_get(stream->cluster, "existing");
	const struct json *auth = json_get(existing, "auth");
	struct str topic = json_string(json_get(existing, "kafkaTopic"));

	command_add_option(b, "--kafka-brokers",
			   json_string(json_get(existing, "kafkaConnection")));
	command_add_option(b, "--kafka-topic",
			   topic.len > 0 ? topic
					 : json_string(json_get(stream->topic->spec, "topic")));
	add_when(b, existing, "enableMSKAuth", "--enable-msk-auth");
	return str_is(json_string(json_get(auth, "type")), "scram-sha-512")
		       ? add_scram(b, auth, err)
		       : 0;
}

/* --- Proxies --- */

static void add_proxy_tls(struct command_builder *b, const struct json *tls)
{
	const struct json *clients = json_get(tls, "clientAuth");
	struct str secret = json_string(json_get(tls, "secretName"));
	struct str pem = json_string(json_get(clients, "trustedClientCaPem"));
	const char *state = b->engine->options->state_dir;

	if (secret.len == 0)
		return;
	command_add_folder(b, secret);
	command_add_option(
		b, "--ssl-cert-chain-file",
		arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.crt", state, STR_ARG(secret)));
	command_add_option(
		b, "--ssl-key-file",
		arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.key", state, STR_ARG(secret)));
	if (!clients)
		return;
	command_add_option(b, "--ssl-trust-cert-file",
			   json_string(json_path(clients, "trustedClientCaFile", "path", NULL)));
	if (pem.len > 0) {
		command_add_option(b, "--ssl-trust-cert-pem-env-var", STR("SHARDLIFT_CLIENT_CA"));
		command_add_variable(b, "SHARDLIFT_CLIENT_CA", pem);
	}
	if (json_bool_or(json_get(clients, "required"), true))
		command_add(b, "--require-client-auth");
}

static void add_destination(struct command_builder *b, struct str url)
{
	const struct json *source = json_get(b->spec, "source");
	const struct json *mtls = json_path(source, "authConfig", "mtls", NULL);
	struct str name = json_string(json_get(mtls, "clientSecretName"));
	const char *state = b->engine->options->state_dir;

	command_add_option(b, "--destination-uri", url);
	add_when(b, source, "allowInsecure", "--insecure-destination");
	if (!mtls)
		return;
	command_add_folder(b, name);
	command_add_option(b, "--destination-cacert", json_string(json_get(mtls, "caCert")));
	command_add_option(
		b, "--destination-client-cert",
		arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.crt", state, STR_ARG(name)));
	command_add_option(
		b, "--destination-client-key",
		arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.key", state, STR_ARG(name)));
}

static int add_proxy_sink(struct command_builder *b, const struct plan_resource *resource,
			  struct err *err)
{
	const struct json *proxy = json_get(b->spec, "proxy");
	struct stream stream = stream_of(b, resource);

	if (json_bool_or(json_get(proxy, "noCapture"), false)) {
		command_add(b, "--no-capture");
		return 0;
	}
	if (json_get(stream.cluster, "existing")) {
		/* What a pod would spool is gone with it. */
		if (b->engine->platform == PLATFORM_KUBERNETES &&
		    !json_get(proxy, "onCaptureFailure"))
			command_add_option(b, "--on-capture-failure", STR("block"));
		add_when(b, proxy, "enableMSKAuth", "--enable-msk-auth");
		return add_kafka(b, &stream, err);
	}
	command_add_option(b, "--log", engine_log_folder(b->engine, resource));
	command_add_option(b, "--sync", json_string(json_get(proxy, "sync")));
	command_add_option(b, "--retention", json_string(json_get(proxy, "retention")));
	return 0;
}

/* After a cut-over it sends clients to the target and records nothing; its facts say so. */
static int make_proxy(struct command_builder *b, const struct engine_step *step, struct err *err)
{
	const struct plan_resource *resource = &b->engine->run.plan.resources[step->plan->resource];
	const struct json *proxy = json_get(b->spec, "proxy");
	struct str moved = step->as_planned ? STR_NONE
					    : engine_resource_fact(b->engine, step->plan->resource,
								   "destination");

	command_add(b, "capture");
	command_add_option(b, "--name", resource->name);
	add_rows(b, proxy, proxy_rows, COUNT_OF(proxy_rows));
	json_each (header, json_get(proxy, "setHeader"))
		command_add_option(b, "--set-header", json_string(header));
	json_each (match, json_get(proxy, "suppressCaptureForHeaderMatch"))
		command_add_option(b, "--suppress-capture-for-header-match", json_string(match));
	add_when(b, proxy, "redactAuth", "--redact-auth");
	add_proxy_tls(b, json_get(proxy, "tls"));
	add_destination(b,
			moved.len > 0 ? moved : engine_destination(b->engine, b->spec, "source"));
	if (moved.len > 0) {
		command_add(b, "--no-capture");
		return 0;
	}
	return add_proxy_sink(b, resource, err);
}

struct str engine_destination(struct engine *engine, const struct json *spec, const char *side)
{
	struct command_builder b = {.engine = engine, .mem = &engine->run.look};

	return url_of(&b, json_string(json_path(spec, side, "endpoint", NULL)));
}

/* --- Replayers --- */

struct str engine_replay_group(struct engine *engine, const struct plan_resource *resource)
{
	return arena_printf(&engine->run.look, "replayer-" STR_FMT, STR_ARG(resource->name));
}

int64_t engine_replay_tuples_mb(const struct engine *engine, const struct plan_resource *resource)
{
	const struct json *replayer = json_get(resource->spec, "replayer");
	int64_t given = json_i64_or(json_get(replayer, "tupleMaxTotalSizeMb"), -1);

	if (json_string(json_get(replayer, "tupleS3Bucket")).len > 0)
		return 0;
	return given >= 0 || engine->platform == PLATFORM_LOCAL ? MAX(given, (int64_t)0)
								: POD_TUPLES_MB;
}

static void add_tuples(struct command_builder *b, const struct plan_resource *resource)
{
	int64_t most_mb = engine_replay_tuples_mb(b->engine, resource);

	if (json_string(json_path(b->spec, "replayer", "tupleS3Bucket", NULL)).len > 0)
		return;
	command_add_option(b, "--tuples",
			   arena_printf(b->mem, "%s/tuples/" STR_FMT, b->engine->options->state_dir,
					STR_ARG(resource->name)));
	if (most_mb > 0)
		command_add_option(b, "--tuple-max-total-size-mb",
				   arena_printf(b->mem, "%lld", (long long)most_mb));
}

static int make_replay(struct command_builder *b, const struct engine_step *step, struct err *err)
{
	const struct plan_resource *resource = &b->engine->run.plan.resources[step->plan->resource];
	const struct json *replayer = json_get(b->spec, "replayer");
	struct stream stream = stream_of(b, resource);
	struct str folder = engine_log_folder(b->engine, resource);
	struct str group = engine_replay_group(b->engine, resource);

	command_add_words(b,
			  (const char *const[]){"replay", "--follow", "--source-versions", NULL});
	command_add_option(b, "--name", resource->name);
	if (folder.len > 0) {
		command_add_option(b, "--input", folder);
		command_add_option(b, "--group", group);
	} else {
		command_add_option(b, "--kafka-group", group);
		add_when(b, replayer, "kafkaTrafficEnableMSKAuth", "--enable-msk-auth");
		command_add_option(b, "--kafka-config-file",
				   json_string(json_get(replayer, "kafkaTrafficPropertyFile")));
		if (add_kafka(b, &stream, err) < 0)
			return -(int)err->kind;
	}
	add_rows(b, replayer, replayer_rows, COUNT_OF(replayer_rows));
	if (command_add_transforms(b, "--transformer-config-file", "--transformer-config-encoded",
				   json_string(json_get(replayer, "transformerConfigFile")),
				   err) < 0)
		return -(int)err->kind;
	command_add_list(b, "--non-retryable-doc-exception-types",
			 json_get(replayer, "nonRetryableDocExceptionTypes"));
	add_when(b, replayer, "removeAuthHeader", "--remove-auth-header");
	add_tuples(b, resource);
	return command_add_cluster(b, &command_to_target, err);
}

int command_make_traffic(struct command_builder *b, const struct engine_step *step, struct err *err)
{
	const struct plan_resource *resource = &b->engine->run.plan.resources[step->plan->resource];

	b->command->lasting = true;
	command_add_variable(b, "SHARDLIFT_EXIT_FILE",
			     arena_printf(b->mem, "%s/run/" STR_FMT ".exit",
					  b->engine->options->state_dir, STR_ARG(resource->name)));
	return step->plan->action == PLAN_CAPTURE ? make_proxy(b, step, err)
						  : make_replay(b, step, err);
}
