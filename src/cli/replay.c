#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/interrupt.h"
#include "cli/replay_report.h"
#include "cli/traffic_show.h"
#include "cli/transform_options.h"

#include "base/base64.h"
#include "base/state_dir.h"
#include "replay/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay_fields {
	struct general_fields general;
	struct target_fields target;
	struct transformer_fields transformer;
	struct transform_run_fields transform_run;
	struct traffic_selection_fields selection;
	struct traffic_show_fields show;
	struct blob_store_options store;
	const char *target_uri, *mode, *input, *group, *name;
	const char *speedup, *sigv4, *user_agent, *include_path, *percentage;
	const char *tuple_folder, *tuple_bucket, *tuple_region, *tuple_endpoint, *tuple_prefix;
	struct opt_list methods, final_types;
	bool remove_auth, source_versions, follow, keep_auth, no_stop_on_auth, no_tuples;
	bool gets_only, writes_only;
	int64_t lookahead_s, lookahead_bytes, most_requests, threads, packet_timeout_s;
	int64_t response_timeout_s, grace_ms, settle_ms, attempts;
	int64_t tuple_seconds, tuple_mb, tuple_count;
	int64_t metrics_port;
	const char *metrics_host;
};

#define F(member) OPT_FIELD(struct replay_fields, member)

static const struct opt replay_options_table[] = {
	{.name = "target-uri",
	 .env = "TRAFFIC_REPLAYER_TARGET_URI",
	 .type = OPT_STRING,
	 F(target_uri),
	 .metavar = "URL",
	 .help = "The target, as --target-host."},
	{.name = "mode",
	 .type = OPT_CHOICE,
	 F(mode),
	 .choices = "replay|dump-raw|dump-http|dump-both",
	 .fallback = "replay",
	 .help = "replay sends; the dump modes print what is recorded, as `traffic show` does."},
	{.name = "input",
	 .aliases = "i",
	 .type = OPT_STRING,
	 F(input),
	 .metavar = "LOG",
	 .help = "A segment log's folder, a folder of .protocap files, or a file of lines; - is "
		 "standard input, the default."},
	{.name = "group",
	 .aliases = "kafka-group-id",
	 .type = OPT_STRING,
	 F(group),
	 .metavar = "NAME",
	 .help = "Of a segment log: begin where this group ended, and commit what is done. Without "
		 "it all of the log is replayed and nothing committed."},
	{.name = "follow",
	 .type = OPT_BOOL,
	 F(follow),
	 .help = "Go on with what is appended to the log, until stopped."},
	{.name = "name",
	 .type = OPT_STRING,
	 F(name),
	 .fallback = "replay",
	 .metavar = "NAME",
	 .help = "Of this replayer: names its status file, and its objects in a tuple bucket."},
	{.name = "speedup-factor",
	 .type = OPT_STRING,
	 F(speedup),
	 .fallback = "1.0",
	 .metavar = "X",
	 .category = "Schedule",
	 .help = "How much faster than captured; 1 is as it was."},
	{.name = "lookahead-time-window",
	 .type = OPT_INT,
	 F(lookahead_s),
	 .fallback = "400",
	 .min = 1,
	 .max = INT32_MAX,
	 .metavar = "SECONDS",
	 .category = "Schedule",
	 .help = "How far, in captured time, is read ahead of what is due."},
	{.name = "lookahead-bytes",
	 .type = OPT_BYTES,
	 F(lookahead_bytes),
	 .fallback = "256MiB",
	 .min = 1 << 20,
	 .max = (int64_t)1 << 40,
	 .category = "Schedule",
	 .help = "Memory of captured requests and responses, at most."},
	{.name = "max-concurrent-requests",
	 .type = OPT_INT,
	 F(most_requests),
	 .fallback = "10000",
	 .min = 1,
	 .max = 1000000,
	 .category = "Schedule",
	 .help = "Requests at the target at a time."},
	{.name = "num-client-threads",
	 .type = OPT_INT,
	 F(threads),
	 .fallback = "0",
	 .max = 1024,
	 .category = "Schedule",
	 .help = "Accepted and without effect: one event loop does it."},
	{.name = "packet-timeout-seconds",
	 .aliases = "t",
	 .type = OPT_INT,
	 F(packet_timeout_s),
	 .fallback = "360",
	 .min = 1,
	 .max = INT32_MAX,
	 .category = "Schedule",
	 .help = "A captured connection of which nothing more is heard is over after this."},
	{.name = "settle-time",
	 .aliases = "quiescent-period",
	 .type = OPT_DURATION,
	 F(settle_ms),
	 .fallback = "5s",
	 .min = 1,
	 .max = 86400000,
	 .category = "Schedule",
	 .help = "A captured response that has begun is complete after this silence."},
	{.name = "target-response-timeout",
	 .type = OPT_INT,
	 F(response_timeout_s),
	 .fallback = "150",
	 .min = 1,
	 .max = INT32_MAX,
	 .metavar = "SECONDS",
	 .category = "Schedule",
	 .help = "How long the target may take to answer."},
	{.name = "max-attempts",
	 .type = OPT_INT,
	 F(attempts),
	 .fallback = "4",
	 .min = 1,
	 .max = 20,
	 .category = "Schedule",
	 .help = "How often a request is sent, at most."},
	{.name = "grace",
	 .type = OPT_DURATION,
	 F(grace_ms),
	 .fallback = "30s",
	 .max = 86400000,
	 .category = "Schedule",
	 .help = "When stopped: how long requests at the target may take to end."},
	{.name = "remove-auth-header",
	 .type = OPT_BOOL,
	 F(remove_auth),
	 .category = "Authentication",
	 .help = "Send requests without Authorization."},
	{.name = "sigv4-auth-header-service-region",
	 .type = OPT_STRING,
	 F(sigv4),
	 .metavar = "SERVICE,REGION",
	 .category = "Authentication",
	 .help = "Sign each request (SigV4): es,us-east-1 or aoss,us-east-1."},
	{.name = "user-agent",
	 .type = OPT_STRING,
	 F(user_agent),
	 .metavar = "TEXT",
	 .category = "Authentication",
	 .help = "Added to User-Agent."},
	{.name = "no-stop-on-auth-failure",
	 .type = OPT_BOOL,
	 F(no_stop_on_auth),
	 .category = "Authentication",
	 .help = "Go on when the target answers 401 or 403 to one request after another."},
	{.name = "source-versions",
	 .type = OPT_BOOL,
	 F(source_versions),
	 .category = "Writes",
	 .help = "Write with the versions and ids that the source gave, so that a replay may come "
		 "twice, and beside a backfill."},
	{.name = "non-retryable-doc-exception-types",
	 .type = OPT_LIST,
	 F(final_types),
	 .category = "Writes",
	 .help = "Errors of a bulk's items that another try cannot mend."},
	{.name = "include-method",
	 .type = OPT_LIST,
	 F(methods),
	 .metavar = "METHOD",
	 .category = "Which requests",
	 .help = "Only these methods."},
	{.name = "include-path",
	 .type = OPT_STRING,
	 F(include_path),
	 .metavar = "REGEX",
	 .category = "Which requests",
	 .help = "Only requests whose target this matches somewhere."},
	{.name = "get-only",
	 .type = OPT_BOOL,
	 F(gets_only),
	 .category = "Which requests",
	 .help = "Only GET, HEAD and OPTIONS."},
	{.name = "write-only",
	 .type = OPT_BOOL,
	 F(writes_only),
	 .category = "Which requests",
	 .help = "All but these."},
	{.name = "percentage",
	 .type = OPT_STRING,
	 F(percentage),
	 .fallback = "100",
	 .metavar = "P",
	 .category = "Which requests",
	 .help = "Of the requests, the same ones each time."},
	{.name = "tuples",
	 .type = OPT_STRING,
	 F(tuple_folder),
	 .metavar = "FOLDER",
	 .category = "Tuples",
	 .help = "Where files of tuples go; <state>/tuples by default."},
	{.name = "no-tuples",
	 .type = OPT_BOOL,
	 F(no_tuples),
	 .category = "Tuples",
	 .help = "Write none; a request is done when it is answered."},
	{.name = "keep-auth",
	 .type = OPT_BOOL,
	 F(keep_auth),
	 .category = "Tuples",
	 .help = "Keep Authorization in tuples, which otherwise say REDACTED."},
	{.name = "tuple-s3-bucket",
	 .type = OPT_STRING,
	 F(tuple_bucket),
	 .category = "Tuples",
	 .metavar = "BUCKET",
	 .help = "Tuples go to this bucket instead."},
	{.name = "tuple-s3-region",
	 .type = OPT_STRING,
	 F(tuple_region),
	 .category = "Tuples",
	 .help = "Its region."},
	{.name = "tuple-s3-endpoint",
	 .type = OPT_STRING,
	 F(tuple_endpoint),
	 .category = "Tuples",
	 .metavar = "URL",
	 .help = "Its endpoint."},
	{.name = "tuple-s3-prefix",
	 .type = OPT_STRING,
	 F(tuple_prefix),
	 .fallback = "tuples/",
	 .category = "Tuples",
	 .help = "What names of objects begin with."},
	{.name = "tuple-max-buffer-seconds",
	 .type = OPT_INT,
	 F(tuple_seconds),
	 .fallback = "60",
	 .min = 1,
	 .max = 86400,
	 .category = "Tuples",
	 .help = "A file or object is ended after this."},
	{.name = "tuple-max-file-size-mb",
	 .type = OPT_INT,
	 F(tuple_mb),
	 .fallback = "256",
	 .min = 1,
	 .max = 4096,
	 .category = "Tuples",
	 .help = "Or at this size, before compression."},
	{.name = "tuple-max-per-file",
	 .type = OPT_INT,
	 F(tuple_count),
	 .fallback = "0",
	 .max = INT32_MAX,
	 .category = "Tuples",
	 .help = "Or at this many tuples; 0: any number."},
	{.name = "preview-bytes-read",
	 .type = OPT_INT,
	 F(show.preview_read),
	 .fallback = "64",
	 .max = INT32_MAX,
	 .category = "Which records",
	 .help = "Of the dump modes."},
	{.name = "preview-bytes-write",
	 .type = OPT_INT,
	 F(show.preview_write),
	 .fallback = "64",
	 .max = INT32_MAX,
	 .category = "Which records",
	 .help = "Of the dump modes."},
	{.name = "metrics-port",
	 .type = OPT_INT,
	 F(metrics_port),
	 .fallback = "-1",
	 .min = -1,
	 .max = 65535,
	 .category = "Metrics",
	 .help = "Prometheus metrics on this port; 0: any."},
	{.name = "metrics-host",
	 .type = OPT_STRING,
	 F(metrics_host),
	 .fallback = "127.0.0.1",
	 .category = "Metrics",
	 .help = "The address to serve them on."},
	{0},
};

static const char *const final_types[] = {
	"version_conflict_engine_exception",   "mapper_parsing_exception",
	"strict_dynamic_mapping_exception",    "document_missing_exception",
	"action_request_validation_exception", "invalid_index_name_exception",
	"routing_missing_exception",           "illegal_argument_exception",
	"resource_already_exists_exception",
};

/* What a run borrows, ended together. */
struct run {
	struct record_source *source;
	struct tuple_sink *sink;
	struct blob_store *store;
	struct filter *filter;
	struct transform *transform;
	struct aws_credentials *credentials;
	struct replay_report *report;
};

static void run_release(struct run *run)
{
	tuple_sink_close(run->sink, 1000);
	record_source_close(run->source);
	blob_store_close(run->store);
	filter_free(run->filter);
	transform_free(run->transform);
	aws_credentials_free(run->credentials);
}

static int parse_number(const char *flag, const char *text, double most, double *out,
			struct err *err)
{
	char *end;

	*out = strtod(text, &end);
	if (*end || end == text || !(*out > 0) || *out > most)
		return err_set(err, ERR_USAGE, "--%s takes a number above 0 and up to %g, not '%s'",
			       flag, most, text);
	return 0;
}

static int auth_of(const struct replay_fields *f, struct arena *mem, struct run *run,
		   struct outgoing_rules *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	const struct target_fields *t = &f->target;
	const char *region = f->sigv4 ? f->sigv4 : t->aws_region;
	struct str service, rest;

	if (f->remove_auth + !!t->username + !!t->api_key + !!region > 1)
		return err_set(err, ERR_USAGE,
			       "give one way to authenticate: --remove-auth-header, "
			       "--target-username, --target-api-key or "
			       "--sigv4-auth-header-service-region");
	out->user_agent = f->user_agent;
	if (f->remove_auth)
		out->auth = AUTH_REMOVE;
	if (region) {
		out->auth = AUTH_SIGV4;
		out->region = region;
		out->service = t->aws_service ? t->aws_service : "es";
		if (f->sigv4 && !str_split(str_from(f->sigv4), ',', &service, &rest))
			return err_set(err, ERR_USAGE,
				       "--sigv4-auth-header-service-region takes SERVICE,REGION "
				       "such as es,us-east-1, not '%s'",
				       f->sigv4);
		if (f->sigv4) {
			out->service = arena_str(mem, service).ptr;
			out->region = arena_str(mem, rest).ptr;
		}
		run->credentials = aws_credentials_new(
			&(struct aws_credentials_options){.region = out->region});
		out->credentials = run->credentials;
	}
	if (!t->username && !t->api_key)
		return 0;
	out->auth = AUTH_FIXED;
	if (t->api_key) {
		out->authorization = arena_printf(mem, "ApiKey %s", t->api_key).ptr;
		return 0;
	}
	buf_printf(&text, "%s:%s", t->username, t->password ? t->password : "");
	{
		cleanup(buf_release) struct buf digits = BUF_INIT(MIB(2));

		base64_encode(&digits, buf_str(&text));
		out->authorization = arena_printf(mem, "Basic %s", buf_cstr(&digits)).ptr;
	}
	return 0;
}

static int open_sink(const struct replay_fields *f, const char *state, struct arena *mem,
		     struct run *run, struct err *err)
{
	struct tuple_sink_options options = {.prefix = f->tuple_prefix,
					     .replayer = f->name,
					     .most_seconds = f->tuple_seconds,
					     .most_bytes = (uint64_t)MIB(f->tuple_mb),
					     .most_tuples = (uint64_t)f->tuple_count};
	const struct blob_store_options store = {.s3_endpoint = f->tuple_endpoint,
						 .s3_region = f->tuple_region,
						 .s3_path_style = f->tuple_endpoint != NULL};

	if (f->no_tuples)
		return 0;
	if (f->tuple_bucket) {
		const char *uri = arena_printf(mem, "s3://%s", f->tuple_bucket).ptr;

		if (blob_store_open_with(uri, &store, &run->store, err) < 0)
			return -(int)err->kind;
		options.store = run->store;
	} else {
		options.folder = f->tuple_folder ? f->tuple_folder
						 : arena_printf(mem, "%s/tuples", state).ptr;
	}
	return tuple_sink_open(&options, &run->sink, err);
}

static int open_parts(const struct replay_fields *f, const char *state, struct arena *mem,
		      struct run *run, struct replay_options *options, struct err *err)
{
	const struct transform_context context =
		transform_context_of(&f->transform_run, TRANSFORM_REQUEST);
	const struct log_source_options log = {.group = f->group, .follow = f->follow};
	struct filter_options filter = {.methods = f->methods.items,
					.method_count = f->methods.count,
					.path = f->include_path,
					.gets_only = f->gets_only,
					.writes_only = f->writes_only};
	struct str text;

	if (parse_number("speedup-factor", f->speedup, 1e12, &options->speedup, err) < 0 ||
	    parse_number("percentage", f->percentage, 100, &filter.percentage, err) < 0 ||
	    filter_new(&filter, &run->filter, err) < 0 ||
	    transformer_fields_read(&f->transformer, mem, &text, err) < 0 ||
	    auth_of(f, mem, run, &options->rules.outgoing, err) < 0)
		return -(int)err->kind;
	if (text.ptr && transform_new(text, &context, &run->transform, err) < 0)
		return -(int)err->kind;
	if (record_source_open(f->input ? f->input : "-", &log, &run->source, err) < 0)
		return -(int)err->kind;
	return open_sink(f, state, mem, run, err);
}

static void fill_options(const struct replay_fields *f, struct run *run, struct replay_options *o)
{
	o->source = run->source;
	o->sink = run->sink;
	o->filter = run->filter;
	o->rules.transform = run->transform;
	o->rules.source_versions = f->source_versions;
	o->rules.attempts = (unsigned)f->attempts;
	o->rules.final_types = f->final_types.count ? f->final_types.items : final_types;
	o->rules.final_type_count =
		f->final_types.count ? f->final_types.count : COUNT_OF(final_types);
	o->target = target_http_options(&f->target);
	o->target.request_timeout_ms = f->response_timeout_s * 1000;
	o->lookahead_ms = f->lookahead_s * 1000;
	o->lookahead_bytes = (size_t)f->lookahead_bytes;
	o->most_requests = (size_t)f->most_requests;
	o->settle_ms = f->settle_ms;
	o->silent_ms = f->packet_timeout_s * 1000;
	o->grace_ms = f->grace_ms;
	o->retry_ms = f->target.retry_ms;
	o->keep_auth = f->keep_auth;
	o->stop_on_auth_failure = !f->no_stop_on_auth;
	o->stop = interrupt_catch();
	o->report = replay_report_take;
	o->set_aside = replay_report_set_aside;
	o->user = run->report;
}

static void print_result(const struct replay_counts *c)
{
	printf("%" PRIu64 " records, %" PRIu64 " requests: %" PRIu64 " answered, %" PRIu64
	       " skipped, %" PRIu64 " filtered, %" PRIu64 " without beginning or end\n",
	       c->records_read, c->requests, c->answered, c->requests_skipped, c->requests_filtered,
	       c->requests_dropped);
	printf("status as the source's %" PRIu64 ", another %" PRIu64 "; %" PRIu64
	       " sent again; %" PRIu64 " tuples\n",
	       c->statuses_equal, c->statuses_different, c->job.retried, c->tuples);
	if (c->job.skipped_newer + c->job.conflicts_newer + c->job.updates_out_of_order)
		printf("%" PRIu64 " updates were in already, %" PRIu64 " writes met something "
		       "newer, %" PRIu64 " updates came without what was before them\n",
		       c->job.skipped_newer, c->job.conflicts_newer, c->job.updates_out_of_order);
	if (c->job.updates_lost)
		printf("%" PRIu64 " updates found no document and are lost, their tuples tell "
		       "which\n",
		       c->job.updates_lost);
	if (c->records_set_aside)
		printf("%" PRIu64 " records could not be read and are set aside\n",
		       c->records_set_aside);
}

static int run_replay_mode(struct cli *cli, struct replay_fields *f, struct err *err)
{
	cleanup(run_release) struct run run = {0};
	struct replay_options options = {0};
	struct replay_report_options report = {.name = f->name,
					       .log_folder = f->input,
					       .metrics_port = f->metrics_port,
					       .metrics_host = f->metrics_host};
	struct replay_counts counts = {0};
	const char *state, *folder;
	int got;

	if (state_dir_path(f->general.state_dir, cli->mem, &state, err) < 0)
		return -(int)err->kind;
	folder = arena_printf(cli->mem, "%s/run", state).ptr;
	report.status_path = arena_printf(cli->mem, "%s/%s.status", folder, f->name).ptr;
	if (directory_make(folder, err) < 0 ||
	    open_parts(f, state, cli->mem, &run, &options, err) < 0 ||
	    (f->group && f->input &&
	     segment_log_group_committed(f->input, f->group, &options.first_offset, err) < 0) ||
	    replay_report_open(&report, &run.report, err) < 0)
		return -(int)err->kind;
	fill_options(f, &run, &options);
	got = replay_run(&options, &counts, err);
	replay_report_close(run.report, got == 0                     ? "done"
					: err->kind == ERR_CANCELLED ? "stopped"
								     : "failed");
	print_result(&counts);
	if (got < 0)
		return got;
	return counts.records_set_aside ? EXIT_CODE_COMPLETED_WITH_ERRORS : 0;
}

static int run_replay(struct cli *cli, void *fields_void, struct err *err)
{
	struct replay_fields *f = fields_void;
	enum target_kind kind;
	const char *path;

	if (strcmp(f->mode, "replay") != 0) {
		f->show.mode = f->mode + strlen("dump-");
		return traffic_show(f->input ? f->input : "-", &f->selection, &f->show, err);
	}
	if (f->target_uri)
		f->target.host = f->target_uri;
	if (target_fields_resolve(&f->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE, "a replay needs a cluster: --target-uri URL");
	if (f->lookahead_s <= f->packet_timeout_s)
		return err_set(
			err, ERR_USAGE,
			"--lookahead-time-window must be more than "
			"--packet-timeout-seconds, or connections wait for what is never read");
	return run_replay_mode(cli, f, err);
}

static const struct opt_part replay_parts[] = {
	{replay_options_table, 0},
	{target_options, offsetof(struct replay_fields, target)},
	{transformer_options, offsetof(struct replay_fields, transformer)},
	{script_options, offsetof(struct replay_fields, transform_run)},
	{traffic_selection_options, offsetof(struct replay_fields, selection)},
	{general_options, 0},
	{0},
};

const struct command command_replay = {
	.options = {.name = "replay",
		    .summary = "Send captured requests to the target",
		    .details = "Requests go out when they are due, those of a connection one after "
			       "another. Each leaves a tuple: request and response of the source, "
			       "request and responses of the target.\n",
		    .parts = replay_parts},
	.fields_size = sizeof(struct replay_fields),
	.run = run_replay,
};
