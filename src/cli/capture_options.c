#include "cli/capture_options.h"

#include "base/state_dir.h"

#include <stdio.h>
#include <string.h>

#define FIELD(member) OPT_FIELD(struct capture_fields, member)
#define RECORDS(member) FIELD(member), .category = "Records"
#define CHOICE(member) FIELD(member), .category = "What is recorded"
#define FAILURE(member) FIELD(member), .category = "Failure and cut-over"
#define TLS(member) FIELD(member), .category = "TLS"
#define NAME_MAX_BYTES 64
#define PATH_MAX_BYTES 4096
#define SPOOL_EXTRA_MS 10000

const struct opt capture_options[] = {
	{.name = "destination-uri",
	 .aliases = "to",
	 .env = "CAPTURE_PROXY_DESTINATION_URI",
	 .type = OPT_STRING,
	 FIELD(destination),
	 .metavar = "URL",
	 .required = true,
	 .help = "The source cluster, http or https, host and port; without a port 80 or 443."},
	{.name = "listen-port",
	 .env = "CAPTURE_PROXY_LISTEN_PORT",
	 .type = OPT_INT,
	 FIELD(listen_port),
	 .metavar = "N",
	 .required = true,
	 .max = UINT16_MAX,
	 .help = "Port that clients connect to; 0: one that is free, told in the log."},
	{.name = "listen-host",
	 .env = "CAPTURE_PROXY_LISTEN_HOST",
	 .type = OPT_STRING,
	 FIELD(listen_host),
	 .metavar = "ADDRESS",
	 .fallback = "0.0.0.0",
	 .help = "Address to listen on; :: for IPv6 as well."},
	{.name = "name",
	 .type = OPT_STRING,
	 FIELD(name),
	 .fallback = "default",
	 .help = "Of this proxy: names its log and its control socket."},
	{.name = "num-threads",
	 .env = "CAPTURE_PROXY_NUM_THREADS",
	 .type = OPT_INT,
	 FIELD(threads),
	 .metavar = "N",
	 .fallback = "0",
	 .max = 64,
	 .help = "Event loops; 0: one for each processor."},
	{.name = "max-connections",
	 .env = "CAPTURE_PROXY_MAX_CONNECTIONS",
	 .type = OPT_INT,
	 FIELD(max_connections),
	 .metavar = "N",
	 .fallback = "10000",
	 .min = 1,
	 .max = 1000000,
	 .help = "Connections of clients at once; what comes beyond is answered with 503."},
	{.name = "max-header-size",
	 .type = OPT_BYTES,
	 FIELD(head_limit),
	 .fallback = "64KiB",
	 .min = 1024,
	 .max = 16777216,
	 .help = "Of a request line with its headers; larger ones are answered with 431."},
	{.name = "idle-timeout",
	 .type = OPT_DURATION,
	 FIELD(idle_timeout_ms),
	 .fallback = "1h",
	 .min = 100,
	 .help = "A connection on which nothing moves is closed after this; waiting for an answer "
		 "of the source does not count."},
	{.name = "header-timeout",
	 .type = OPT_DURATION,
	 FIELD(header_timeout_ms),
	 .fallback = "60s",
	 .min = 100,
	 .help = "For the head of a request to be complete, and for TLS to be agreed on."},
	{.name = "connect-timeout",
	 .type = OPT_DURATION,
	 FIELD(connect_timeout_ms),
	 .fallback = "10s",
	 .min = 100,
	 .help = "For a connection to the source; then 504."},
	{.name = "drain-timeout",
	 .type = OPT_DURATION,
	 FIELD(drain_timeout_ms),
	 .fallback = "60s",
	 .help = "On SIGTERM, for requests under way to be answered."},
	{.name = "log",
	 .type = OPT_STRING,
	 RECORDS(log),
	 .metavar = "DIR",
	 .help = "Folder of the segment log. Default: capture/NAME in the state directory."},
	{.name = "sync",
	 .type = OPT_CHOICE,
	 RECORDS(sync),
	 .choices = "always|interval|none",
	 .fallback = "always",
	 .help = "When a record counts as stored: synced to the disk, or written, with a sync each "
		 "second or none."},
	{.name = "retention",
	 .type = OPT_DURATION,
	 RECORDS(retention_ms),
	 .fallback = "7d",
	 .help = "Older records are removed, once all groups of readers are done with them; 0: "
		 "never."},
	{.name = "retention-bytes",
	 .type = OPT_BYTES,
	 RECORDS(retention_bytes),
	 .fallback = "0",
	 .help = "The oldest records are removed, under the same condition, while there are more "
		 "bytes; 0: never."},
	{.name = "flush-interval",
	 .type = OPT_DURATION,
	 RECORDS(flush_ms),
	 .fallback = "1s",
	 .min = 10,
	 .help = "What was read and written is in the log after this, at the latest."},
	{.name = "max-traffic-buffer-size",
	 .env = "CAPTURE_PROXY_MAX_TRAFFIC_BUFFER_SIZE",
	 .type = OPT_BYTES,
	 RECORDS(record_limit),
	 .fallback = "1MiB",
	 .min = 4096,
	 .max = 16777216,
	 .help = "A record is smaller than this by 500 bytes."},
	{.name = "trace-directory",
	 .env = "CAPTURE_PROXY_TRACE_DIRECTORY",
	 .type = OPT_STRING,
	 RECORDS(trace_folder),
	 .metavar = "DIR",
	 .help = "Instead of a log: a file for each record, not synced. For looking, not for "
		 "production."},
	{.name = "no-capture",
	 .env = "CAPTURE_PROXY_NO_CAPTURE",
	 .type = OPT_BOOL,
	 RECORDS(no_capture),
	 .help = "Only pass requests on."},
	{.name = "suppress-capture-for-method",
	 .env = "CAPTURE_PROXY_SUPPRESS_CAPTURE_FOR_METHOD",
	 .type = OPT_STRING,
	 CHOICE(suppress_method),
	 .metavar = "REGEX",
	 .help = "Requests whose method matches, in full, pass unrecorded."},
	{.name = "suppress-capture-for-uri-path",
	 .env = "CAPTURE_PROXY_SUPPRESS_CAPTURE_FOR_URI_PATH",
	 .type = OPT_STRING,
	 CHOICE(suppress_target),
	 .metavar = "REGEX",
	 .help = "Those whose path with its query matches."},
	{.name = "suppress-method-and-path",
	 .env = "CAPTURE_PROXY_SUPPRESS_METHOD_AND_PATH",
	 .type = OPT_STRING,
	 CHOICE(suppress_both),
	 .metavar = "REGEX",
	 .help = "Those for which `METHOD PATH` matches."},
	{.name = "suppress-capture-for-header-match",
	 .env = "CAPTURE_PROXY_SUPPRESS_CAPTURE_FOR_HEADER_MATCH",
	 .type = OPT_LIST,
	 CHOICE(suppress_headers),
	 .metavar = "NAME:REGEX",
	 .help = "Those with such a header. May be repeated; NAME and REGEX may be two words. A "
		 "comma stands in parentheses or brackets."},
	{.name = "set-header",
	 .env = "CAPTURE_PROXY_SET_HEADER",
	 .type = OPT_LIST,
	 CHOICE(set_headers),
	 .metavar = "NAME:VALUE",
	 .help = "Replaces a header on the way to the source; the record has what the client sent. "
		 "May be repeated; NAME and VALUE may be two words."},
	{.name = "redact-auth",
	 .type = OPT_BOOL,
	 CHOICE(redact_auth),
	 .help = "Records hold REDACTED instead of the values of Authorization, Cookie, "
		 "X-Api-Key and other headers with credentials."},
	{.name = "access-log",
	 .type = OPT_STRING,
	 CHOICE(access_log),
	 .metavar = "FILE",
	 .help = "A line of JSON for each request, without its query, headers and body; - is the "
		 "standard output. SIGHUP opens the file anew."},
	{.name = "on-capture-failure",
	 .type = OPT_CHOICE,
	 FAILURE(policy),
	 .choices = "block|forward|spool",
	 .help = "A mutating request that cannot be recorded is answered with 503, or goes on and "
		 "is counted as a gap; spool: what Kafka does not take in time goes to --spool "
		 "first. Default: spool with Kafka, else block."},
	{.name = "spool",
	 .type = OPT_STRING,
	 FAILURE(spool),
	 .metavar = "DIR",
	 .help = "Where records wait for Kafka. Default: capture/NAME-spool in the state "
		 "directory."},
	{.name = "capture-timeout",
	 .type = OPT_DURATION,
	 FAILURE(capture_timeout_ms),
	 .fallback = "10s",
	 .min = 10,
	 .help = "For the record of a mutating request to be stored."},
	{.name = "hold-limit",
	 .type = OPT_DURATION,
	 FAILURE(hold_limit_ms),
	 .fallback = "10s",
	 .min = 10,
	 .help = "How long `capture control NAME hold` holds before requests go to the source."},
	{.name = "hold-limit-bytes",
	 .type = OPT_BYTES,
	 FAILURE(hold_limit_bytes),
	 .fallback = "64MiB",
	 .help = "How much is held."},
	{.name = "ssl-cert-chain-file",
	 .env = "CAPTURE_PROXY_SSL_CERT_CHAIN_FILE",
	 .type = OPT_STRING,
	 TLS(chain),
	 .metavar = "FILE",
	 .help = "PEM certificate of the proxy and its chain: clients speak TLS. SIGHUP reads it "
		 "anew."},
	{.name = "ssl-key-file",
	 .env = "CAPTURE_PROXY_SSL_KEY_FILE",
	 .type = OPT_STRING,
	 TLS(key),
	 .metavar = "FILE",
	 .help = "PEM key to it."},
	{.name = "ssl-trust-cert-file",
	 .env = "CAPTURE_PROXY_SSL_TRUST_CERT_FILE",
	 .type = OPT_STRING,
	 TLS(client_ca),
	 .metavar = "FILE",
	 .help = "PEM certificates of those who sign clients' certificates."},
	{.name = "ssl-trust-cert-pem-env-var",
	 .env = "CAPTURE_PROXY_SSL_TRUST_CERT_PEM_ENV_VAR",
	 .type = OPT_STRING,
	 TLS(client_ca_variable),
	 .metavar = "VARIABLE",
	 .help = "The same, in this environment variable."},
	{.name = "require-client-auth",
	 .env = "CAPTURE_PROXY_REQUIRE_CLIENT_AUTH",
	 .type = OPT_BOOL,
	 TLS(require_client_auth),
	 .help = "Clients must show a certificate."},
	{.name = "destination-cacert",
	 .type = OPT_STRING,
	 TLS(destination_tls.ca),
	 .metavar = "FILE",
	 .help = "PEM certificates that the source's is checked against. Default: the system's."},
	{.name = "destination-client-cert",
	 .type = OPT_STRING,
	 TLS(destination_tls.client_cert),
	 .metavar = "FILE",
	 .help = "PEM certificate to show to the source."},
	{.name = "destination-client-key",
	 .type = OPT_STRING,
	 TLS(destination_tls.client_key),
	 .metavar = "FILE",
	 .help = "PEM key to it."},
	{.name = "insecure-destination",
	 .env = "CAPTURE_PROXY_INSECURE_DESTINATION",
	 .type = OPT_BOOL,
	 TLS(destination_tls.insecure),
	 .help = "Any certificate of the source will do."},
	{0},
};

/* --- NAME:VALUE, or NAME and VALUE as two words --- */

/* The second words of flags stand among the arguments. */
struct words {
	const struct opt_result *parsed;
	size_t used;
};

static int split_pair(const char *flag, const char *item, struct words *words, struct arena *mem,
		      const char **name, const char **value, struct err *err)
{
	const char *colon = strchr(item, ':');
	size_t len = colon ? (size_t)(colon - item) : strlen(item);
	char *copy = arena_zalloc(mem, 1, len + 1);

	if (!copy)
		return arena_fail(mem, "the options", err);
	memcpy(copy, item, len);
	*name = copy;
	if (colon) {
		*value = colon + 1 + strspn(colon + 1, " ");
	} else if (words->used < words->parsed->positional_count) {
		*value = words->parsed->positionals[words->used++];
	} else {
		return err_set(err, ERR_USAGE, "--%s '%s' has a name and nothing after it", flag,
			       item);
	}
	if (len == 0 || strpbrk(copy, " \t\r\n") || strpbrk(*value, "\r\n"))
		return err_set(err, ERR_USAGE, "--%s '%s' is no header", flag, item);
	return 0;
}

static int read_pairs(const char *flag, const struct opt_list *list, struct words *words,
		      struct arena *mem, const char ***out, struct err *err)
{
	const char **pairs = arena_zalloc(mem, list->count * 2 + 1, sizeof(*pairs));

	if (!pairs)
		return arena_fail(mem, "the options", err);
	for (size_t i = 0; i < list->count; i++) {
		int got = split_pair(flag, list->items[i], words, mem, &pairs[2 * i],
				     &pairs[2 * i + 1], err);

		if (got < 0)
			return got;
	}
	*out = pairs;
	return 0;
}

static int read_headers(const struct capture_fields *fields, const struct opt_result *parsed,
			struct arena *mem, struct proxy_options *out,
			struct suppress_options *suppress, struct err *err)
{
	struct words words = {.parsed = parsed};
	const char **set, **matched;
	size_t used;
	int got;

	if ((got = read_pairs("set-header", &fields->set_headers, &words, mem, &set, err)) < 0)
		return got;
	used = words.used;
	if ((got = read_pairs("suppress-capture-for-header-match", &fields->suppress_headers,
			      &words, mem, &matched, err)) < 0)
		return got;
	if (used > 0 && words.used > used)
		return err_set(err, ERR_USAGE,
			       "--set-header and --suppress-capture-for-header-match do not both "
			       "take two words; write NAME:VALUE as one");
	if (words.used < parsed->positional_count)
		return err_set(err, ERR_USAGE, "'%s' is not expected here",
			       parsed->positionals[words.used]);
	out->set_headers = (const struct set_header *)set;
	out->set_header_count = fields->set_headers.count;
	suppress->headers = matched;
	suppress->header_count = 2 * fields->suppress_headers.count;
	return 0;
}

bool capture_spools(const struct capture_fields *fields)
{
	return fields->kafka.brokers && (!fields->policy || strcmp(fields->policy, "spool") == 0);
}

static int check_places(const struct capture_fields *fields, struct err *err)
{
	int places = (fields->log != NULL) + (fields->trace_folder != NULL) + fields->no_capture +
		     (fields->kafka.brokers != NULL);

	if (places > 1)
		return err_set(err, ERR_USAGE,
			       "--log, --kafka-brokers, --trace-directory and --no-capture exclude "
			       "one another");
	if (fields->policy && strcmp(fields->policy, "spool") == 0 && !fields->kafka.brokers)
		return err_set(err, ERR_USAGE,
			       "--on-capture-failure spool needs --kafka-brokers; a log has no "
			       "place to fall back to");
	if (fields->spool && !capture_spools(fields))
		return err_set(err, ERR_USAGE,
			       "--spool needs --kafka-brokers and --on-capture-failure spool");
	return 0;
}

static int check_together(const struct capture_fields *fields, struct err *err)
{
	int got = check_places(fields, err);

	if (got < 0)
		return got;
	if (!fields->chain != !fields->key)
		return err_set(err, ERR_USAGE,
			       "--ssl-cert-chain-file and --ssl-key-file need one another");
	if (fields->client_ca && fields->client_ca_variable)
		return err_set(err, ERR_USAGE,
			       "--ssl-trust-cert-file and --ssl-trust-cert-pem-env-var exclude one "
			       "another");
	if (fields->require_client_auth &&
	    (!fields->chain || (!fields->client_ca && !fields->client_ca_variable)))
		return err_set(err, ERR_USAGE,
			       "--require-client-auth needs --ssl-cert-chain-file and "
			       "--ssl-trust-cert-file or --ssl-trust-cert-pem-env-var");
	if (!fields->destination_tls.client_cert != !fields->destination_tls.client_key)
		return err_set(err, ERR_USAGE,
			       "--destination-client-cert and --destination-client-key need one "
			       "another");
	return 0;
}

int capture_proxy_options(const struct capture_fields *fields, const struct opt_result *parsed,
			  struct arena *mem, struct proxy_options *out,
			  struct suppress_options *suppress, struct err *err)
{
	int got = check_together(fields, err);

	if (got < 0)
		return got;
	*out = (struct proxy_options){
		.listen_host = fields->listen_host,
		.listen_port = (uint16_t)fields->listen_port,
		.threads = (size_t)fields->threads,
		.record_limit = (size_t)fields->record_limit - 500,
		.head_limit = (size_t)fields->head_limit,
		.max_connections = (size_t)fields->max_connections,
		.idle_timeout_ms = fields->idle_timeout_ms,
		.header_timeout_ms = fields->header_timeout_ms,
		.connect_timeout_ms = fields->connect_timeout_ms,
		.flush_ms = fields->flush_ms,
		.policy = fields->policy && strcmp(fields->policy, "forward") == 0
				  ? CAPTURE_FAILURE_FORWARD
				  : CAPTURE_FAILURE_BLOCK,
		/* Kafka has that long, and the spool comes behind it. */
		.capture_timeout_ms =
			fields->capture_timeout_ms +
			(capture_spools(fields) ? fields->capture_timeout_ms + SPOOL_EXTRA_MS : 0),
		.hold_limit_ms = fields->hold_limit_ms,
		.hold_limit_bytes = (uint64_t)fields->hold_limit_bytes,
		.redact_auth = fields->redact_auth,
	};
	*suppress = (struct suppress_options){.method = fields->suppress_method,
					      .target = fields->suppress_target,
					      .method_target = fields->suppress_both};
	return read_headers(fields, parsed, mem, out, suppress, err);
}

/* --- Places --- */

static int check_name(const char *name, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (name[0] == '\0' || name[0] == '.' || strlen(name) > NAME_MAX_BYTES ||
	    name[strspn(name, allowed)] != '\0')
		return err_set(err, ERR_USAGE,
			       "the name '%s' is not made of at most %d of A-Z a-z 0-9 . _ -, the "
			       "first no dot",
			       name, NAME_MAX_BYTES);
	return 0;
}

static int place(const char *state_dir, const char *form, const char *name, struct arena *mem,
		 const char **out, struct err *err)
{
	const char *state;
	char path[PATH_MAX_BYTES], *copy;
	int got = state_dir_path(state_dir, mem, &state, err), len;

	if (got < 0 || (got = check_name(name, err)) < 0)
		return got;
	len = snprintf(path, sizeof(path), "%s/", state);
	/* form: capture/NAME or run/NAME.sock */
	snprintf(path + len, sizeof(path) - (size_t)len, "%s%s%s",
		 strcmp(form, "run") == 0 ? "run/" : "capture/", name,
		 strcmp(form, "run") == 0 ? ".sock" : "");
	copy = arena_zalloc(mem, 1, strlen(path) + 1);
	if (!copy)
		return arena_fail(mem, "a path", err);
	memcpy(copy, path, strlen(path));
	*out = copy;
	return 0;
}

int capture_log_path(const struct capture_fields *fields, struct arena *mem, const char **out,
		     struct err *err)
{
	if (fields->log) {
		*out = fields->log;
		return 0;
	}
	return place(fields->general.state_dir, "capture", fields->name, mem, out, err);
}

int capture_spool_path(const struct capture_fields *fields, struct arena *mem, const char **out,
		       struct err *err)
{
	const char *beside;
	int got;

	if (fields->spool) {
		*out = fields->spool;
		return 0;
	}
	got = place(fields->general.state_dir, "capture", fields->name, mem, &beside, err);
	*out = got < 0 ? NULL : arena_printf(mem, "%s-spool", beside).ptr;
	return got < 0 || *out ? got : arena_fail(mem, "a path", err);
}

int capture_lives_path(const struct capture_fields *fields, struct arena *mem, const char **out,
		       struct err *err)
{
	char folder[PATH_MAX_BYTES];
	const char *beside;
	int got;

	*out = NULL;
	if (fields->no_capture || fields->trace_folder)
		return 0;
	if (!fields->kafka.brokers) {
		if ((got = capture_log_path(fields, mem, &beside, err)) == 0)
			*out = arena_printf(mem, "%s/lives", beside).ptr;
	} else if ((got = place(fields->general.state_dir, "capture", fields->name, mem, &beside,
				err)) == 0) {
		*out = arena_printf(mem, "%s-lives", beside).ptr;
	}
	if (got < 0 || !*out)
		return got < 0 ? got : arena_fail(mem, "a path", err);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(*out, '/') - *out), *out);
	return directory_make(folder, err);
}

int capture_socket_path(const char *state_dir, const char *name, bool make, struct arena *mem,
			const char **out, struct err *err)
{
	char folder[PATH_MAX_BYTES];
	int got = place(state_dir, "run", name, mem, out, err);

	if (got < 0 || !make)
		return got;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(*out, '/') - *out), *out);
	return directory_make(folder, err);
}
