#include "workflow/services.h"

#include "base/limits.h"
#include "workflow/config_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLUSTERS                                                                         \
	"source_cluster:\n  endpoint: http://old:9200\n  version: ES 7.10.2\n"           \
	"  basic_auth: {username: admin, password: \"a:b\"}\n"                           \
	"  proxy: {name: front, endpoint: \"https://old:9201\", allow_insecure: true}\n" \
	"target_cluster:\n  endpoint: https://new:9200\n  allow_insecure: true\n"        \
	"  sigv4: {region: eu-west-1}\n"

static const char whole[] = CLUSTERS
	"snapshot:\n  snapshot_name: s1\n  snapshot_repo_name: repo\n  mode: create\n"
	"  s3: {repo_uri: s3://bucket/prefix, aws_region: eu-west-1, role: null}\n"
	"metadata_migration:\n  from_snapshot: null\n  cluster_awareness_attributes: 2\n"
	"  index_allowlist: [a, \"regex:b.*\"]\n  otel_endpoint: null\n"
	"backfill:\n  reindex_from_snapshot:\n    local: {}\n    session_name: nightly\n"
	"    scale: 3\n"
	"replay:\n  ecs: {cluster_name: c, service_name: s, aws_region: eu-west-1}\n  scale: 2\n"
	"kafka:\n  broker_endpoints: \"b1:9092,b2:9092\"\n"
	"  scram: {username: u, ca_cert_path: /ca.pem}\n"
	"metrics_source:\n  cloudwatch: {aws_region: eu-west-1, qualifier: dev}\n"
	"client_options: {user_agent_extra: me}\n";

struct fixture {
	struct arena mem;
	struct services services;
	struct err err;
};

static int parse(struct fixture *f, const char *text)
{
	arena_release(&f->mem);
	f->mem = ARENA_INIT(MIB(4));
	f->err = (struct err){0};
	return services_parse(str_from(text), "services.yaml", "/nowhere", &f->mem, &f->services,
			      &f->err);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

static void every_section_is_read(void **state)
{
	struct fixture f = {0};
	struct services_cluster cluster;
	const struct config_value *section;

	(void)state;
	assert_int_equal(parse(&f, whole), 0);
	assert_int_equal(services_find_cluster(&f.services, "source", &f.mem, &cluster, &f.err), 0);
	assert_string_equal(cluster.http.host, "http://old:9200");
	assert_string_equal(cluster.http.username, "admin");
	assert_string_equal(cluster.http.password, "a:b");
	assert_string_equal(cluster.version, "ES 7.10.2");
	assert_int_equal(services_find_cluster(&f.services, "target", &f.mem, &cluster, &f.err), 0);
	assert_string_equal(cluster.http.aws_region, "eu-west-1");
	assert_string_equal(cluster.http.aws_service, "es");
	assert_true(cluster.http.insecure);
	for (size_t i = 0; i < SERVICES_SECTIONS; i++) {
		assert_int_equal(services_find_section(&f.services, (enum services_section)i, NULL,
						       &f.mem, &section, &f.err),
				 0);
		assert_non_null(section);
	}
	assert_string_equal(f.services.user_agent_extra, "me");
	arena_release(&f.mem);
}

static void a_proxy_is_found_by_its_role_and_its_name_and_authenticates_as_its_source(void **state)
{
	struct fixture f = {0};
	struct services_cluster cluster;

	(void)state;
	assert_int_equal(parse(&f, whole), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(services_find_cluster(&f.services, i ? "proxy" : "front", &f.mem,
						       &cluster, &f.err),
				 0);
		assert_string_equal(cluster.http.host, "https://old:9201");
		assert_string_equal(cluster.http.username, "admin");
	}
	arena_release(&f.mem);
}

static void what_is_not_there_is_named_with_what_is(void **state)
{
	struct fixture f = {0};
	struct services_cluster cluster;
	const struct config_value *section;

	(void)state;
	assert_int_equal(parse(&f, "source: {endpoint: \"http://a:1\", no_auth: null}\n"), 0);
	assert_int_equal(services_find_cluster(&f.services, "target", &f.mem, &cluster, &f.err),
			 -ERR_USAGE);
	assert_has(f.err.message, "target cluster is not set in services.yaml");
	assert_int_equal(services_find_cluster(&f.services, "nowhere", &f.mem, &cluster, &f.err),
			 -ERR_USAGE);
	assert_has(f.err.message, "there are: source 'source'");
	assert_int_equal(services_find_section(&f.services, SERVICES_BACKFILL, NULL, &f.mem,
					       &section, &f.err),
			 -ERR_USAGE);
	assert_has(f.err.message, "backfill is not set in services.yaml");
	arena_release(&f.mem);
}

static void every_platform_is_accepted(void **state)
{
	static const char *const platforms[] = {"local: {}",
						"local: null",
						"local: {arguments: [--tune-target=false]}",
						"docker: {socket: /var/run/docker.sock}",
						"docker: null",
						"ecs: {cluster_name: c, service_name: s}",
						"k8s: {namespace: ma, deployment_name: rfs}",
						"scale: 1"};
	struct fixture f = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(platforms); i++) {
		struct str text;

		arena_release(&f.mem);
		f.mem = ARENA_INIT(MIB(1));
		text = arena_printf(&f.mem,
				    "backfill: {reindex_from_snapshot: {%s}}\nreplay: {%s}\n",
				    platforms[i], platforms[i]);
		f.err = (struct err){0};
		if (services_parse(text, "services.yaml", "/nowhere", &f.mem, &f.services, &f.err) <
		    0)
			fail_msg("%s: %s", platforms[i], f.err.message);
	}
	arena_release(&f.mem);
}

/* Each way that a section may be written, below its name. */
static void every_variant_of_a_section_is_accepted(void **state)
{
	static const struct {
		const char *section, *fields;
	} variants[] = {
		{"source_cluster", "no_auth: null"},
		{"source", "no_auth: null, version: \"ES 7.10.2\", allow_insecure: true"},
		{"source", "basic_auth: {username: u, password: p}"},
		{"target",
		 "basic_auth: {user_secret_arn: \"arn:aws:secretsmanager:r:1:secret:n\"}"},
		{"target_cluster", "basic_auth: {k8s_secret_name: login}"},
		{"target_cluster", "sigv4: null"},
		{"target_cluster", "sigv4: {region: r}"},
		{"target_cluster", "sigv4: {region: r, service: aoss}"},
		{"target_cluster", "sigv4: {region: r}, sigv4_signing_endpoint: \"https://d\""},
		{"target_cluster", "mtls: {client_cert: /c, client_key: /k, ca_cert: /a}"},
		{"target_cluster", "api_key: {key: aWQ6a2V5}"},
		{"target_cluster", "api_key: {k8s_secret_name: key}"},
		{"source_cluster", "no_auth: null, proxy: {endpoint: \"http://p:1\"}"},
		{"snapshot", "snapshot_name: a, fs: {repo_path: /a}"},
		{"snapshot", "snapshot_name: a, mode: import, s3: {repo_uri: \"s3://b/p\"}"},
		{"snapshot", "snapshot_name: a, s3: {repo_uri: \"s3://b\", aws_region: r, role: "
			     "\"arn:aws:iam::1:role/r\", endpoint: \"http://s3:1\"}"},
		{"snapshot",
		 "snapshot_name: a, gcs: {repo_uri: \"gs://b\", endpoint: \"http://g\"}"},
		{"snapshot", "snapshot_name: a, solr_collections: [], fs: {repo_path: /a}"},
		{"snapshot", "snapshot_name: a, otel_trace_collector_endpoint: \"http://o:4317\", "
			     "otel_metrics_collector_endpoint: null, fs: {repo_path: /a}"},
		{"metadata_migration", "from_snapshot: null"},
		{"metadata_migration",
		 "from_snapshot: {snapshot_name: a, local_dir: /d, s3: {repo_uri: \"s3://b\"}}"},
		{"metadata_migration",
		 "from_snapshot: {snapshot_name: a, fs: {repo_path: /a}}, index_allowlist: [a], "
		 "index_template_allowlist: [], component_template_allowlist: [c], "
		 "cluster_awareness_attributes: 0, source_cluster_version: \"ES 7\", "
		 "transformer_config_base64: e30="},
		{"backfill", "reindex_from_snapshot: null"},
		{"backfill", "reindex_from_snapshot: {local: null, coordinator: target}"},
		{"backfill", "reindex_from_snapshot: {docker: {socket: /s}, scale: 2}, scale: 1"},
		{"backfill", "reindex_from_snapshot: {ecs: {cluster_name: c, service_name: s, "
			     "aws_region: r}, snapshot_name: a, snapshot_repo: b}"},
		{"backfill", "reindex_from_snapshot: {k8s: {namespace: n, deployment_name: d}, "
			     "backfill_session_name: s}"},
		{"replay", "local: {}, log: /l, group: g"},
		{"replay", "docker: null"},
		{"replay", "k8s: {namespace: n, deployment_name: d}, scale: 3"},
		{"kafka", "broker_endpoints: \"b:1\", msk: null"},
		{"kafka", "broker_endpoints: \"b:1,c:2\", standard: null"},
		{"kafka", "broker_endpoints: \"b:1\", scram: {username: u, password: p}"},
		{"kafka", "broker_endpoints: \"b:1\", scram: {username: u, password_env: P, "
			  "ca_cert_path: /ca}, config_file: /f"},
		{"kafka", "local: null"},
		{"metrics_source", "prometheus: {endpoint: \"http://p:9090\"}"},
		{"metrics_source", "cloudwatch: {qualifier: dev}"},
		{"metrics_source", "local: {replayer: \"http://r:1/metrics\"}"},
		{"client_options", "user_agent_extra: me"},
	};
	struct fixture f = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(variants); i++) {
		bool cluster = strncmp(variants[i].section, "source", 6) == 0 ||
			       strncmp(variants[i].section, "target", 6) == 0;
		cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
		struct str text = arena_printf(&mem, "%s: {%s%s}\n", variants[i].section,
					       cluster ? "endpoint: \"http://a:1\", " : "",
					       variants[i].fields);

		if (parse(&f, text.ptr) < 0)
			fail_msg("%s%s", text.ptr, f.err.message);
	}
	arena_release(&f.mem);
}

static void what_is_wrong_is_told_with_path_and_line(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"source_cluster:\n  endpint: http://a:1\n  no_auth: null\n",
		 "services.yaml, line 2: unknown key 'endpint'; is 'endpoint' meant? "
		 "(source_cluster.endpint)"},
		{"sauce_cluster: {}\n", "is 'source_cluster' meant?"},
		{"source_cluster:\n  endpoint: http://a:1\n",
		 "give one of: no_auth, basic_auth, sigv4, mtls, api_key"},
		{"source_cluster:\n  endpoint: http://a:1\n  no_auth:\n  sigv4: {region: x}\n",
		 "line 4: 'sigv4' and 'no_auth' exclude each other"},
		{"source_cluster:\n  endpoint: a:1\n  no_auth:\n", "is not http(s)://HOST[:PORT]"},
		{"source_cluster:\n  endpoint: http://a:1\n  basic_auth: {username: a}\n",
		 "need each other"},
		{"source: {endpoint: \"http://a:1\", no_auth: null}\n"
		 "source_cluster: {endpoint: \"http://a:1\", no_auth: null}\n",
		 "exclude each other"},
		{"target:\n  endpoint: http://a:1\n  no_auth:\n"
		 "  sigv4_signing_endpoint: http://b\n",
		 "line 4: 'sigv4_signing_endpoint' goes with 'sigv4' only; leave it out "
		 "(target.sigv4_signing_endpoint)"},
		{"target:\n  endpoint: http://a:1\n  basic_auth:\n    username: u\n"
		 "    k8s_secret_name: s\n",
		 "line 5: 'k8s_secret_name' and 'username' exclude each other"},
		{"target:\n  endpoint: http://a:1\n  allow_insecure: perhaps\n  no_auth:\n",
		 "line 3: "},
		{"snapshot: {snapshot_name: a}\n", "give one of: s3, fs, gcs"},
		{"snapshot:\n  snapshot_name: a\n  fs: {repo_path: /a}\n"
		 "  s3: {repo_uri: \"s3://b\"}\n",
		 "line 3: 'fs' and 's3' exclude each other; keep one (snapshot.fs)"},
		{"backfill:\n  reindex_from_snapshot:\n    coordinator: nowhere\n",
		 "line 3: 'nowhere' is none of local|target"},
		{"snapshot: {snapshot_name: a, mode: x, fs: {repo_path: /a}}\n",
		 "'x' is none of create|import"},
		{"snapshot: {snapshot_name: a, solr_collections: [x], fs: {repo_path: /a}}\n",
		 "Solr"},
		{"metadata_migration: {}\n", "'from_snapshot' is missing"},
		{"metadata_migration: {from_snapshot: {snapshot_name: a}}\n",
		 "give one of: s3, fs, gcs (metadata_migration.from_snapshot)"},
		{"backfill: {}\n", "'reindex_from_snapshot' is missing"},
		{"backfill: {reindex_from_snapshot: {local: {}, docker: {}}}\n",
		 "exclude each other"},
		{"backfill: {reindex_from_snapshot: {scale: 0}}\n", "0 is less than 1"},
		{"backfill: {reindex_from_snapshot: {k8s: {namespace: a}}}\n",
		 "'deployment_name' is missing"},
		{"replay: {ecs: {cluster_name: c}}\n", "'service_name' is missing"},
		{"kafka: {standard: null}\n", "'broker_endpoints' is missing"},
		{"kafka: {broker_endpoints: \"b:1\"}\n",
		 "give one of: msk, standard, scram, local"},
		{"kafka: {broker_endpoints: \"b:1\", scram: {}}\n", "'username' is missing"},
		{"metrics_source: {cloudwatch: {}}\n", "'qualifier' is missing"},
		{"metrics_source: {}\n", "give one of: prometheus, cloudwatch, local"},
		{"a: [\n", "services.yaml: line 2"},
		{"", "services.yaml"},
	};
	struct fixture f = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (parse(&f, cases[i].text) != -ERR_USAGE)
			fail_msg("accepted: %s", cases[i].text);
		assert_has(f.err.message, cases[i].message);
	}
	arena_release(&f.mem);
}

static void clusters_of_a_workflow_go_by_role_or_name(void **state)
{
	static const char text[] =
		"sourceClusters:\n  legacy: {endpoint: \"http://old:9200\", version: ES 7.10.2}\n"
		"targetClusters:\n  one: {endpoint: \"http://new:1\"}\n"
		"  two: {endpoint: \"http://new:2\", authConfig: {sigv4: {region: r}}}\n"
		"snapshotMigrationConfigs: []\n";
	struct fixture f = {.mem = ARENA_INIT(MIB(16))};
	struct services_cluster cluster;
	struct config_value *root;

	(void)state;
	assert_int_equal(config_parse(str_from(text), &f.mem, &root, &f.err), 0);
	assert_int_equal(services_derive(root, NULL, "/nowhere", &f.mem, &f.services, &f.err), 0);
	assert_int_equal(services_find_cluster(&f.services, "source", &f.mem, &cluster, &f.err), 0);
	assert_true(str_is(cluster.name, "legacy"));
	assert_string_equal(cluster.http.host, "http://old:9200");
	assert_int_equal(services_find_cluster(&f.services, "two", &f.mem, &cluster, &f.err), 0);
	assert_string_equal(cluster.http.aws_region, "r");
	assert_int_equal(services_find_cluster(&f.services, "target", &f.mem, &cluster, &f.err),
			 -ERR_USAGE);
	assert_has(f.err.message, "name one of 'one', 'two'");
	assert_int_equal(services_find_cluster(&f.services, "proxy", &f.mem, &cluster, &f.err),
			 -ERR_USAGE);
	assert_has(f.err.message, "proxy is not set in the workflow's configuration");
	arena_release(&f.mem);
}

/* Its Kafka is told in the words of services.yaml. */
static void brokers_of_a_workflow_come_with_how_to_sign_in(void **state)
{
	static const char form[] =
		"sourceClusters:\n  old: {endpoint: \"http://old:9200\", version: ES 7.10.2}\n"
		"targetClusters: {}\n"
		"kafkaClusterConfiguration:\n  default: {%s}\n"
		"traffic:\n  proxies:\n    front: {source: old, proxyConfig: {listenPort: 9201, "
		"tls: {mode: plaintext}}}\n"
		"snapshotMigrationConfigs: []\n";
	static const struct {
		const char *cluster, *way, *secret;
	} cases[] = {
		{"existing: {kafkaConnection: \"k:9092\"}", "standard", NULL},
		{"existing: {kafkaConnection: \"k:9092\", enableMSKAuth: true}", "msk", NULL},
		{"existing: {kafkaConnection: \"k:9092\", auth: {type: scram-sha-512, "
		 "secretName: user, caSecretName: authority}}",
		 "scram", "user"},
		{"log: {}", "local", NULL},
	};
	struct fixture f = {.mem = ARENA_INIT(MIB(16))};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str text = arena_printf(&f.mem, form, cases[i].cluster);
		const struct config_value *kafka, *way;
		struct config_value *root;

		assert_int_equal(config_parse(text, &f.mem, &root, &f.err), 0);
		assert_int_equal(services_derive(root, NULL, "/state", &f.mem, &f.services, &f.err),
				 0);
		assert_int_equal(services_find_section(&f.services, SERVICES_KAFKA, NULL, &f.mem,
						       &kafka, &f.err),
				 0);
		way = config_get(kafka, cases[i].way);
		assert_non_null(way);
		assert_int_equal(config_get(kafka, "broker_endpoints") != NULL,
				 strcmp(cases[i].way, "local") != 0);
		if (cases[i].secret) {
			assert_true(
				str_is(config_text_or(config_get(way, "k8s_secret_name"), STR_NONE),
				       cases[i].secret));
			assert_true(
				str_is(config_text_or(config_get(way, "ca_cert_path"), STR_NONE),
				       "/state/secrets/authority/ca.crt"));
		}
	}
	arena_release(&f.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_section_is_read),
		cmocka_unit_test(
			a_proxy_is_found_by_its_role_and_its_name_and_authenticates_as_its_source),
		cmocka_unit_test(what_is_not_there_is_named_with_what_is),
		cmocka_unit_test(every_platform_is_accepted),
		cmocka_unit_test(every_variant_of_a_section_is_accepted),
		cmocka_unit_test(what_is_wrong_is_told_with_path_and_line),
		cmocka_unit_test(clusters_of_a_workflow_go_by_role_or_name),
		cmocka_unit_test(brokers_of_a_workflow_come_with_how_to_sign_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
