/* The options of `capture`, and what they mean together. */
#ifndef CLI_CAPTURE_OPTIONS_H
#define CLI_CAPTURE_OPTIONS_H

#include "cli/backfill_metrics.h"
#include "cli/common_options.h"
#include "cli/kafka_options.h"

#include "capture/control_server.h"
#include "capture/proxy.h"

/* Flags that only the Java proxy has a use for. */
struct capture_java_fields {
	const char *ignored[4];
};

extern const struct opt capture_java_options[];
/* A line when one is given that does nothing. */
void capture_java_options_warn(const struct capture_java_fields *fields);

struct capture_fields {
	struct general_fields general;
	const char *name, *destination, *listen_host;
	int64_t listen_port, threads, max_connections, head_limit, record_limit;
	int64_t idle_timeout_ms, header_timeout_ms, connect_timeout_ms, drain_timeout_ms;
	/* where records go */
	const char *log, *trace_folder, *sync, *spool;
	bool no_capture;
	int64_t retention_ms, retention_bytes, flush_ms;
	/* what is recorded */
	const char *access_log;
	const char *suppress_method, *suppress_target, *suppress_both;
	struct opt_list suppress_headers, set_headers;
	bool redact_auth;
	/* failure and hold */
	const char *policy; /* NULL: by where records go, see capture_spools */
	int64_t capture_timeout_ms, hold_limit_ms, hold_limit_bytes;
	/* TLS */
	const char *chain, *key, *client_ca, *client_ca_variable;
	bool require_client_auth;
	struct destination_tls destination_tls;
	struct metrics_fields metrics;
	struct kafka_fields kafka;
	struct capture_java_fields java;
};

extern const struct opt capture_options[];

/* What proxy_start takes, but for destination, sink, rules and certificates. ERR_USAGE for what
 * does not go together. `mem` holds what is made. */
int capture_proxy_options(const struct capture_fields *fields, const struct opt_result *parsed,
			  struct arena *mem, struct proxy_options *out,
			  struct suppress_options *suppress, struct err *err);
/* <state>/run/<name>.sock, and its folder made when `make`. ERR_USAGE for a bad name. */
int capture_socket_path(const char *state_dir, const char *name, bool make, struct arena *mem,
			const char **out, struct err *err);
/* Records that Kafka does not take go to a spool. */
bool capture_spools(const struct capture_fields *fields);
/* The folder of the spool: --spool, else <state>/capture/<name>-spool. */
int capture_spool_path(const struct capture_fields *fields, struct arena *mem, const char **out,
		       struct err *err);
/* The file of processes that wrote to the same place (capture/lives.h); NULL: it needs none. Its
 * folder is made. */
int capture_lives_path(const struct capture_fields *fields, struct arena *mem, const char **out,
		       struct err *err);
/* The folder of the log: --log, else <state>/capture/<name>. */
int capture_log_path(const struct capture_fields *fields, struct arena *mem, const char **out,
		     struct err *err);

#endif
