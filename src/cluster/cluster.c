#include "cluster/cluster.h"

#include "cluster/cluster_internal.h"
#include "cluster/cluster_version.h"

#include <stdio.h>
#include <stdlib.h>

/* A wrong address is better reported soon than tried long. */
#define CONNECT_TOTAL_MS 2000
#define CONNECT_DELAY_MS 500

#define SETTINGS_PATH "/_cluster/settings?include_defaults=true&flat_settings=true"

static void closep(struct cluster **cluster)
{
	cluster_close(*cluster);
}

static int open_unasked(const struct http_options *options, const struct backoff_policy *retry,
			struct cluster **out, struct err *err)
{
	cleanup(closep) struct cluster *cluster = mem_zalloc(sizeof(*cluster));
	int failed;

	cluster->options = *options;
	cluster->retry = *retry;
	alarm_clock_init(&cluster->alarm);
	if ((failed = http_client_new(options, &cluster->client, err)) < 0)
		return failed;
	*out = take(cluster);
	return 0;
}

static const char *kind_of_answer(struct str body)
{
	size_t at = 0;

	while (at < body.len && memchr(" \t\r\n", body.ptr[at], 4))
		at++;
	if (at == body.len)
		return "an empty answer";
	if (body.ptr[at] == '<')
		return "an HTML or XML page";
	if (body.ptr[at] == '{' || body.ptr[at] == '[')
		return "JSON that names no version of a cluster";
	return "something that is not JSON";
}

/* `asked`: the path or paths that brought the answer in cluster->response. */
static int no_cluster(const struct cluster *cluster, const char *asked, struct err *err)
{
	struct str body = buf_str(&cluster->response.body);
	char begin[61];
	size_t len = MIN(body.len, sizeof(begin) - 1);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)body.ptr[i];

		begin[i] = c < ' ' || c >= 0x7f ? ' ' : (char)c;
	}
	begin[len] = '\0';
	err_set(err, ERR_UNREACHABLE,
		"%s answers, but is neither Elasticsearch nor OpenSearch: GET %s brings status %d "
		"and %s%s%s%s; check %shost",
		http_client_url(cluster->client), asked, cluster->response.status,
		kind_of_answer(body), len ? " that begins '" : "", begin, len ? "'" : "",
		http_client_flag_prefix(cluster->client));
	if (err)
		err->http_status = cluster->response.status;
	return -ERR_UNREACHABLE;
}

/* Something calls itself 7.10.2 and may be an OpenSearch of any version. */
static int see_through(struct cluster *cluster, struct arena *mem, struct err *err)
{
	struct json *answer;
	int status, asked;

	if (cluster->version.flavour != CLUSTER_OPENSEARCH) {
		asked = cluster_request(cluster, "GET", SETTINGS_PATH, STR_NONE, true, mem, &status,
					&answer, err);
		/* Who may not read the settings meets an Elasticsearch as it says. */
		if (asked == -ERR_AUTH || (asked == 0 && !cluster_version_is_overridden(answer)))
			return 0;
		if (asked < 0)
			return asked;
	}
	cluster->version.flavour = CLUSTER_OPENSEARCH;
	cluster->version.compatibility_mode = true;
	asked = cluster_request(cluster, "GET", "/_nodes?filter_path=nodes.*.version", STR_NONE,
				true, mem, &status, &answer, err);
	if (asked < 0)
		return err_wrap(err, "the version of an OpenSearch that calls itself 7.10.2 "
				     "(compatibility.override_main_response_version)");
	if (!cluster_version_read_nodes(answer, &cluster->version))
		return err_set(err, ERR_UNREACHABLE,
			       "%s is an OpenSearch that calls itself 7.10.2, and GET /_nodes "
			       "(status %d) does not tell its version; set "
			       "compatibility.override_main_response_version to false",
			       http_client_url(cluster->client), status);
	return 0;
}

/* OpenSearch Serverless has no root. Neither has many another server, but it lists its indices. */
static int recognise_serverless(struct cluster *cluster, struct arena *mem, struct err *err)
{
	const struct http_request indices = {.method = "GET", .path = "/_cat/indices?format=json"};
	struct json *answer = NULL;
	struct backoff backoff;
	struct str text;
	int failed;

	backoff_start(&backoff, &cluster->retry);
	if ((failed = cluster_send(cluster, &indices, true, &backoff, err)) < 0)
		return failed;
	text = arena_str(mem, buf_str(&cluster->response.body));
	if (cluster->response.status != 200 || json_parse(text, mem, &answer, NULL) < 0 ||
	    answer->type != JSON_ARRAY)
		return no_cluster(cluster, "/ brings status 404, and GET /_cat/indices", err);
	cluster->version = (struct cluster_version){
		.flavour = CLUSTER_OPENSEARCH, .major = 2, .serverless = true};
	return 0;
}

static int recognise(struct cluster *cluster, struct arena *mem, struct err *err)
{
	struct str text = arena_str(mem, buf_str(&cluster->response.body));
	struct json *root = NULL;

	if (!text.ptr)
		return arena_fail(mem, "answer to GET /", err);
	if (cluster->response.status == 404)
		return recognise_serverless(cluster, mem, err);
	if (cluster->response.status != 200 || json_parse(text, mem, &root, NULL) < 0 ||
	    !cluster_version_read_root(root, &cluster->version))
		return no_cluster(cluster, "/", err);
	if (cluster_version_is_doubtful(root, &cluster->version))
		return see_through(cluster, mem, err);
	return 0;
}

int cluster_connect(const struct http_options *options, const struct cluster_retry *retry,
		    struct cluster **out, struct err *err)
{
	const struct http_request root = {.method = "GET", .path = "/"};
	const struct backoff_policy lasting = {retry->initial_delay_ms, retry->max_delay_ms,
					       retry->max_total_ms};
	const struct backoff_policy brief = {
		.initial_delay_ms = MIN(retry->initial_delay_ms, CONNECT_DELAY_MS),
		.max_delay_ms = MIN(retry->max_delay_ms, CONNECT_TOTAL_MS),
		.max_total_ms = MIN(retry->max_total_ms, CONNECT_TOTAL_MS),
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(closep) struct cluster *cluster = NULL;
	struct backoff backoff;
	int failed;

	if ((failed = open_unasked(options, &lasting, &cluster, err)) < 0)
		return failed;
	backoff_start(&backoff, &brief);
	if ((failed = cluster_send(cluster, &root, true, &backoff, err)) < 0 ||
	    (failed = recognise(cluster, &mem, err)) < 0)
		return failed;
	cluster_version_print(&cluster->version, cluster->version_text,
			      sizeof(cluster->version_text));
	*out = take(cluster);
	return 0;
}

int cluster_clone(const struct cluster *cluster, struct cluster **out, struct err *err)
{
	int failed = open_unasked(&cluster->options, &cluster->retry, out, err);

	if (failed < 0)
		return failed;
	(*out)->watch = cluster->watch;
	(*out)->version = cluster->version;
	memcpy((*out)->version_text, cluster->version_text, sizeof(cluster->version_text));
	return 0;
}

void cluster_close(struct cluster *cluster)
{
	if (!cluster)
		return;
	http_client_free(cluster->client);
	http_response_release(&cluster->response);
	alarm_clock_release(&cluster->alarm);
	free(cluster);
}

void cluster_closep(struct cluster **cluster)
{
	cluster_close(*cluster);
}

const struct cluster_version *cluster_version(const struct cluster *cluster)
{
	return &cluster->version;
}

const char *cluster_version_text(const struct cluster *cluster)
{
	return cluster->version_text;
}

void cluster_set_watch(struct cluster *cluster, const struct cluster_watch *watch)
{
	cluster->watch = *watch;
}

void cluster_cancel(struct cluster *cluster)
{
	http_client_cancel(cluster->client);
	alarm_clock_wake(&cluster->alarm);
}
