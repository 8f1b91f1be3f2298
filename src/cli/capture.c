#include "cli/capture_handover.h"
#include "cli/capture_options.h"
#include "cli/command.h"

#include "base/log.h"
#include "capture/metrics.h"
#include "net/metrics_server.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOOK_EVERY_MS 100
#define KAFKA_PATIENCE_MS 60000
#define FILES_BESIDE 128 /* the log, event loops, metrics */

/* What a run has open, in the order of its opening. */
struct capture_run {
	int signals;
	struct sink *sink;
	struct suppress_rules *suppress;
	struct server_tls *tls;
	struct access_log *access_log;
	struct proxy *proxy;
	struct control_server *control;
	struct metrics_server *metrics;
	struct handed_over handed;
	struct handover successor;
	struct destination *destination; /* of the arguments */
	const struct destination_tls *destination_tls;
	int64_t drain_timeout_ms;
	bool draining;
};

static void warn(void *user, const char *message)
{
	(void)user;
	log_warn("capture", "%s", message);
}

static void run_release(struct capture_run *run)
{
	metrics_server_stop(run->metrics);
	control_server_close(run->control);
	proxy_stop(run->proxy);
	destination_unref(run->destination);
	access_log_close(run->access_log);
	sink_close(run->sink);
	server_tls_free(run->tls);
	suppress_rules_free(run->suppress);
	if (run->signals >= 0)
		close(run->signals);
	/* Last of all: it takes this for the sign that log, ports and control socket are free. */
	if (run->successor.fd >= 0)
		close(run->successor.fd);
}

/* Before any thread is there, so that all block them. */
static int catch_signals(struct capture_run *run, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	run->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (run->signals < 0)
		return err_set_errno(err, ERR_IO, errno, "waiting for signals");
	return 0;
}

/* Two sockets a connection. */
static void raise_file_limit(int64_t connections)
{
	uint64_t wanted = 2 * (uint64_t)connections + FILES_BESIDE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < wanted)
		log_warn("capture",
			 "%llu files may be open at a time, and --max-connections %lld needs %llu: "
			 "raise the hard limit (ulimit -Hn), or lower --max-connections",
			 (unsigned long long)limit.rlim_max, (long long)connections,
			 (unsigned long long)wanted);
}

/* Buffers of requests come and go all the time: what is free is kept, up to this, instead of given
 * back to the system and asked for again. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, (int)MIB(4));
	mallopt(M_TRIM_THRESHOLD, (int)MIB(16));
	mallopt(M_TOP_PAD, (int)KIB(256));
}

static enum segment_log_sync sync_of(const char *name)
{
	if (strcmp(name, "interval") == 0)
		return SEGMENT_LOG_SYNC_INTERVAL;
	return strcmp(name, "none") == 0 ? SEGMENT_LOG_SYNC_NONE : SEGMENT_LOG_SYNC_ALWAYS;
}

/* Under block and forward a record has longer: what was held is answered long before. */
static int open_kafka(struct capture_run *run, const struct capture_fields *fields,
		      struct arena *mem, struct err *err)
{
	struct kafka_log_options options = {.timeout_ms = fields->capture_timeout_ms};
	int got = kafka_fields_read(&fields->kafka, NULL, "capture", &options.kafka, err);

	if (got < 0)
		return got;
	if (!capture_spools(fields))
		options.timeout_ms = MAX(options.timeout_ms, (int64_t)KAFKA_PATIENCE_MS);
	else if ((got = capture_spool_path(fields, mem, &options.spool, err)) < 0)
		return got;
	if ((got = sink_open_kafka(&options, &run->sink, err)) < 0)
		return got;
	log_info("capture", "records go to the Kafka topic %s at %s", fields->kafka.topic,
		 fields->kafka.brokers);
	return 0;
}

static int open_sink(struct capture_run *run, const struct capture_fields *fields,
		     struct arena *mem, struct err *err)
{
	const struct segment_log_options options = {
		.sync = sync_of(fields->sync),
		.retention_ms = fields->retention_ms,
		.retention_bytes = (uint64_t)fields->retention_bytes,
		.warn = warn,
	};
	const char *folder;
	int got;

	if (fields->no_capture)
		return 0;
	if (fields->kafka.brokers)
		return open_kafka(run, fields, mem, err);
	if (fields->trace_folder)
		return sink_open_trace_folder(fields->trace_folder, &run->sink, err);
	if ((got = capture_log_path(fields, mem, &folder, err)) < 0 ||
	    (got = sink_open_log(folder, &options, &run->sink, err)) < 0)
		return got;
	log_info("capture", "records go to the log %s", folder);
	return 0;
}

static int open_tls(struct capture_run *run, const struct capture_fields *fields, struct err *err)
{
	const char *pem = fields->client_ca_variable ? getenv(fields->client_ca_variable) : NULL;

	if (!fields->chain)
		return 0;
	if (fields->client_ca_variable && !pem)
		return err_set(err, ERR_USAGE,
			       "the variable %s of --ssl-trust-cert-pem-env-var is not set",
			       fields->client_ca_variable);
	return server_tls_new(
		&(struct server_tls_options){.chain = fields->chain,
					     .key = fields->key,
					     .client_ca = fields->client_ca,
					     .client_ca_pem = pem,
					     .require_client_auth = fields->require_client_auth},
		&run->tls, err);
}

static int start_proxy(struct capture_run *run, const struct capture_fields *fields,
		       const struct opt_result *parsed, struct arena *mem, struct err *err)
{
	struct suppress_options suppress;
	struct proxy_options options;
	int got = capture_proxy_options(fields, parsed, mem, &options, &suppress, err);

	if (got < 0 || (got = suppress_rules_new(&suppress, &run->suppress, err)) < 0 ||
	    (got = open_tls(run, fields, err)) < 0 ||
	    (got = destination_new(fields->destination, &fields->destination_tls,
				   &options.destination, err)) < 0)
		return got;
	if ((got = handed_over_wait(&run->handed, run->signals, err)) < 0 ||
	    (got = open_sink(run, fields, mem, err)) < 0 ||
	    (got = capture_lives_path(fields, mem, &options.lives, err)) < 0) {
		destination_unref(options.destination);
		return got;
	}
	if (fields->access_log &&
	    (got = access_log_open(fields->access_log, warn, NULL, &run->access_log, err)) < 0) {
		destination_unref(options.destination);
		return got;
	}
	options.listen_fds = run->handed.fds;
	options.listen_fd_count = run->handed.count;
	options.sink = run->sink;
	options.access_log = run->access_log;
	options.tls = run->tls;
	options.suppress = run->suppress;
	options.warn = warn;
	run->destination = destination_ref(options.destination);
	run->destination_tls = &fields->destination_tls;
	if ((got = proxy_start(&options, &run->proxy, err)) < 0)
		return got;
	log_info("capture", "listening on %s port %u for %s", fields->listen_host,
		 proxy_port(run->proxy), options.destination->text);
	return 0;
}

static int open_control(struct capture_run *run, const struct capture_fields *fields,
			struct arena *mem, struct err *err)
{
	struct control_options options = {.proxy = run->proxy,
					  .sink = run->sink,
					  .destination = fields->destination_tls,
					  .drain_timeout_ms = fields->drain_timeout_ms,
					  .warn = warn};
	int got = capture_socket_path(fields->general.state_dir, fields->name, true, mem,
				      &options.path, err);

	return got < 0 ? got : control_server_open(&options, &run->control, err);
}

static void collect(void *user, struct buf *out)
{
	struct capture_run *run = user;

	capture_metrics(run->proxy, run->sink, run->access_log, out);
}

static int open_metrics(struct capture_run *run, const struct metrics_fields *fields,
			struct err *err)
{
	struct metrics_server_options options = {.host = fields->host,
						 .port = (uint16_t)fields->port};
	int got;

	if (fields->port < 0)
		return 0;
	if ((got = metrics_server_start(&options, collect, run, &run->metrics, err)) < 0)
		return got;
	log_info("capture", "metrics at http://%s:%u/metrics", fields->host,
		 metrics_server_port(run->metrics));
	return 0;
}

/* That to which requests go now. */
static int reload_destination(struct capture_run *run, struct err *err)
{
	bool capturing;
	struct destination *now = gate_destination(proxy_gate(run->proxy), &capturing);
	int got = destination_reload_tls(now, run->destination_tls, err);

	destination_unref(now);
	return got;
}

static void reload(struct capture_run *run)
{
	struct err err = {0};

	if (run->access_log && access_log_reopen(run->access_log, &err) < 0)
		log_warn("capture", "the access log stays as it was: %s", err.message);
	if (reload_destination(run, &err) < 0)
		log_warn("capture", "the certificates for the destination stay as they were: %s",
			 err.message);
	if (!run->tls)
		return;
	if (server_tls_reload(run->tls, &err) < 0)
		log_warn("capture", "the certificates stay as they were: %s", err.message);
	else
		log_info("capture", "certificates read anew");
}

static void drain(struct capture_run *run)
{
	if (run->draining)
		return;
	run->draining = true;
	log_info("capture", "ending after the requests under way");
	proxy_drain(run->proxy, run->drain_timeout_ms);
}

/* What the arguments say is no longer, or not yet, what it does: a successor would not know. */
static bool is_cutting_over(const struct capture_run *run, struct err *err)
{
	struct gate *gate = proxy_gate(run->proxy);
	bool capturing, switched;
	struct destination *now = gate_destination(gate, &capturing);

	switched = now != run->destination;
	destination_unref(now);
	if (switched)
		err_set(err, ERR_CONFLICT,
			"requests go where `switch` sent them, and a new process would send them "
			"to the source; start one with the new --to");
	else if (atomic_load(&gate->closed))
		err_set(err, ERR_CONFLICT, "requests are held; release them first");
	return switched || atomic_load(&gate->closed);
}

/* This file may have been replaced by that of a new version. */
static void hand_over(struct capture_run *run)
{
	int fds[PROXY_LISTENERS_MAX];
	struct err err = {0};

	if (run->draining || run->successor.fd >= 0)
		log_warn("capture", "it is being handed over, or ends, already");
	else if (is_cutting_over(run, &err) ||
		 handover_start(fds, proxy_listeners(run->proxy, fds, COUNT_OF(fds)),
				&run->successor, &err) < 0)
		log_warn("capture", "not handed over: %s", err.message);
}

static void look_at_successor(struct capture_run *run)
{
	enum handover_news news = handover_look(run->successor.fd);
	struct err err = {0};

	if (news == HANDOVER_NONE)
		return;
	if (news == HANDOVER_READY && !is_cutting_over(run, &err)) {
		log_info("capture", "the new process takes over");
		drain(run);
		return;
	}
	handover_cancel(&run->successor);
	log_warn("capture", "not handed over: %s; this one goes on",
		 err.message[0] ? err.message : "the new process ended before it could take over");
}

/* False: end at once. */
static bool take_signals(struct capture_run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(run);
		else if (info.ssi_signo == SIGUSR2)
			hand_over(run);
		else if (run->draining)
			return false;
		else
			drain(run);
	}
	return true;
}

static void serve(struct capture_run *run)
{
	struct pollfd fds[3] = {{.fd = run->signals, .events = POLLIN},
				{.fd = control_server_fd(run->control), .events = POLLIN},
				{.events = POLLIN}};

	while (!proxy_is_drained(run->proxy)) {
		fds[2].fd = run->draining ? -1 : run->successor.fd;
		if (poll(fds, 3, LOOK_EVERY_MS) < 0 && errno != EINTR)
			return;
		if (!take_signals(run))
			return;
		if (fds[1].revents & POLLIN)
			control_server_serve(run->control);
		if (fds[2].revents && !run->draining)
			look_at_successor(run);
		if (control_server_drains(run->control))
			drain(run);
		control_server_tick(run->control);
	}
}

static int run_capture(struct cli *cli, void *fields_void, struct err *err)
{
	const struct capture_fields *fields = fields_void;
	cleanup(run_release) struct capture_run run = {
		.signals = -1, .successor.fd = -1, .drain_timeout_ms = fields->drain_timeout_ms};
	int got;

	keep_memory();
	raise_file_limit(fields->max_connections);
	capture_java_options_warn(&fields->java);
	if ((got = handed_over_read(&run.handed, err)) < 0 ||
	    (got = catch_signals(&run, err)) < 0 ||
	    (got = start_proxy(&run, fields, cli->parsed, cli->mem, err)) < 0 ||
	    (got = open_control(&run, fields, cli->mem, err)) < 0 ||
	    (got = open_metrics(&run, &fields->metrics, err)) < 0)
		return got;
	serve(&run);
	log_info("capture", "ended");
	return EXIT_CODE_OK;
}

static const struct opt_part capture_parts[] = {
	{capture_options, 0},
	{metrics_options, offsetof(struct capture_fields, metrics)},
	{kafka_options, offsetof(struct capture_fields, kafka)},
	{capture_java_options, offsetof(struct capture_fields, java)},
	{general_options, 0},
	{0},
};

const struct command command_capture = {
	.options = {.name = "capture",
		    .summary = "Pass clients' requests to the source and record them for replay",
		    .details =
			    "A request that changes something reaches the source when its record "
			    "is stored; requests that only read never wait.\n",
		    .parts = capture_parts,
		    .max_positionals = 64},
	.fields_size = sizeof(struct capture_fields),
	.run = run_capture,
};
