#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/replay_beside.h"
#include "cli/replay_compare.h"
#include "cli/replay_options.h"
#include "cli/replay_report.h"

#include "base/base64.h"
#include "base/state_dir.h"
#include "replay/replay.h"
#include "traffic/kafka_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KAFKA_GROUP "logging-group-default"

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
	struct transform *transform, *tuple_transform;
	struct aws_credentials *credentials;
	struct replay_report *report;
	struct replay_beside *beside;
	struct replay_compare *compare; /* NULL: not asked for */
	bool all_done;
};

static void run_release(struct run *run)
{
	replay_beside_close(run->beside, run->all_done);
	tuple_sink_close(run->sink, 1000);
	record_source_close(run->source);
	blob_store_close(run->store);
	filter_free(run->filter);
	transform_free(run->transform);
	transform_free(run->tuple_transform);
	aws_credentials_free(run->credentials);
	replay_compare_free(run->compare);
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
					     .most_tuples = (uint64_t)f->tuple_count,
					     .folder_bytes = (uint64_t)f->tuple_total_mb * MIB(1)};
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

static int open_source(const struct replay_fields *f, struct record_source **out, struct err *err)
{
	const struct log_source_options log = {
		.group = f->group, .follow = f->follow, .store = &f->selection.store};
	struct kafka_source_options kafka = {0};

	if (!f->selection.kafka.brokers)
		return record_source_open(f->input ? f->input : "-", &log, out, err);
	if (f->input)
		return err_set(err, ERR_USAGE, "--input and --kafka-brokers exclude one another");
	if (kafka_fields_read(&f->selection.kafka, f->group ? f->group : KAFKA_GROUP, "replay",
			      &kafka.kafka, err) < 0)
		return -(int)err->kind;
	return kafka_source_open(&kafka, out, err);
}

static int open_transform(const struct transformer_fields *fields,
			  const struct transform_run_fields *run, enum transform_kind kind,
			  struct arena *mem, struct transform **out, struct err *err)
{
	const struct transform_context context = transform_context_of(run, kind);
	struct str text;

	if (transformer_fields_read(fields, mem, &text, err) < 0)
		return -(int)err->kind;
	return text.ptr ? transform_new(text, &context, out, err) : 0;
}

static int open_parts(const struct replay_fields *f, const char *state, struct arena *mem,
		      struct run *run, struct replay_options *options, struct err *err)
{
	struct filter_options filter = {.methods = f->methods.items,
					.method_count = f->methods.count,
					.path = f->include_path,
					.gets_only = f->gets_only,
					.writes_only = f->writes_only};

	if (parse_number("speedup-factor", f->speedup, 1e12, &options->speedup, err) < 0 ||
	    (f->most_per_second && parse_number("max-requests-per-second", f->most_per_second, 1e9,
						&options->most_per_second, err) < 0) ||
	    parse_number("percentage", f->percentage, 100, &filter.percentage, err) < 0 ||
	    filter_new(&filter, &run->filter, err) < 0 ||
	    auth_of(f, mem, run, &options->rules.outgoing, err) < 0 ||
	    open_transform(&f->transformer, &f->transform_run, TRANSFORM_REQUEST, mem,
			   &run->transform, err) < 0 ||
	    open_transform(&f->tuple_transformer, &f->transform_run, TRANSFORM_TUPLE, mem,
			   &run->tuple_transform, err) < 0 ||
	    open_sink(f, state, mem, run, err) < 0)
		return -(int)err->kind;
	/* Last: one without room for tuples takes no partitions from others. */
	return open_source(f, &run->source, err);
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
	o->update_wait_ms = f->update_wait_ms;
	o->backfill_works = replay_beside_backfill(run->beside);
	o->no_spread = f->no_spread;
	o->lookahead_ms = f->lookahead_s * 1000;
	o->gap_ms = f->max_gap_s * 1000;
	o->lookahead_bytes = (size_t)f->lookahead_bytes;
	o->most_requests = (size_t)f->most_requests;
	o->settle_ms = f->settle_ms;
	o->quiescent_ms = f->java.quiescent_ms;
	o->silent_ms = f->packet_timeout_s * 1000;
	o->grace_ms = f->grace_ms;
	o->retry_ms = f->target.retry_ms;
	o->tuple_transform = run->tuple_transform;
	o->tuple_spans = f->tuple_spans;
	o->keep_auth = f->keep_auth;
	o->stop_on_auth_failure = f->stop_on_auth && !f->no_stop_on_auth;
	o->stop = interrupt_catch();
	o->report = replay_report_take;
	o->set_aside = replay_report_set_aside;
	o->user = run->report;
	o->tuple = run->compare ? replay_compare_take : NULL;
	o->tuple_user = run->compare;
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
		printf("%" PRIu64
		       " updates found no document: it was deleted before the snapshot, or "
		       "is missing; their tuples tell which\n",
		       c->job.updates_lost);
	if (c->job.deletes_forgotten)
		printf("%" PRIu64
		       " documents came back below the version of their delete, which the source "
		       "had forgotten (index.gc_deletes), and may be missing\n",
		       c->job.deletes_forgotten);
	if (c->tuples_untransformed)
		printf("%" PRIu64 " tuples could not be transformed and are written as they were\n",
		       c->tuples_untransformed);
	if (c->records_set_aside)
		printf("%" PRIu64 " records could not be read and are set aside\n",
		       c->records_set_aside);
}

/* Stopped with a lag of 0, too; who has not joined the group yet has none to know of. */
static bool nothing_is_left(int ended, const struct replay_counts *counts,
			    struct record_source *source)
{
	struct record_progress progress;

	if (ended == 0)
		return true;
	return ended == -ERR_CANCELLED && counts->caught_up && counts->outstanding == 0 &&
	       !(record_source_progress(source, &progress) && progress.end > progress.next);
}

/* A verdict is told of a run that was stopped, too. */
static int conclude(struct run *run, int got, const struct replay_counts *counts, struct err *err)
{
	struct err failed = {0};
	int code = run->compare ? replay_compare_conclude(run->compare, &failed) : 0;

	if (got < 0)
		return got;
	if (code < 0)
		*err = failed;
	if (code != 0)
		return code;
	return counts->records_set_aside ? EXIT_CODE_COMPLETED_WITH_ERRORS : 0;
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
	    (f->compare && replay_compare_open(&f->verdict, &run.compare, err) < 0) ||
	    replay_beside_open(f, state, &run.beside, err) < 0 ||
	    replay_report_open(&report, &run.report, err) < 0)
		return -(int)err->kind;
	fill_options(f, &run, &options);
	replay_report_source(run.report, run.source);
	got = replay_run(&options, &counts, err);
	run.all_done = nothing_is_left(got, &counts, run.source);
	replay_report_close(run.report, got == 0                     ? "done"
					: err->kind == ERR_CANCELLED ? "stopped"
								     : "failed");
	print_result(&counts);
	return conclude(&run, got, &counts, err);
}

static int run_replay(struct cli *cli, void *fields_void, struct err *err)
{
	struct replay_fields *f = fields_void;
	enum target_kind kind;
	const char *path;

	if (strcmp(f->mode, "replay") != 0) {
		f->show.mode = f->mode + strlen("dump-");
		return traffic_show(f->input || f->selection.kafka.brokers ? f->input : "-",
				    &f->selection, &f->show, err);
	}
	if (replay_java_options_resolve(f, err) < 0)
		return -(int)err->kind;
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
	{coordinator_options, offsetof(struct replay_fields, coordinator)},
	{transformer_options, offsetof(struct replay_fields, transformer)},
	{tuple_transformer_options, offsetof(struct replay_fields, tuple_transformer)},
	{script_options, offsetof(struct replay_fields, transform_run)},
	{traffic_selection_options, offsetof(struct replay_fields, selection)},
	{store_options, offsetof(struct replay_fields, selection.store)},
	{kafka_options, offsetof(struct replay_fields, selection.kafka)},
	{compare_rule_options, offsetof(struct replay_fields, verdict)},
	{replay_java_options, offsetof(struct replay_fields, java)},
	{general_options, 0},
	{0},
};

const struct command command_replay = {
	.options = {.name = "replay",
		    .summary = "Send captured requests to the target",
		    .details = "Requests go out when they are due, those of a connection one after "
			       "another. Each leaves a tuple: request and response of the source, "
			       "request and responses of the target.\n\n"
			       "Flags and variables of the Java replayer are taken: "
			       "TRAFFIC_REPLAYER_ and the flag's name, such as "
			       "TRAFFIC_REPLAYER_KAFKA_TRAFFIC_BROKERS.\n",
		    .parts = replay_parts,
		    .java_variables = "TRAFFIC_REPLAYER_"},
	.fields_size = sizeof(struct replay_fields),
	.run = run_replay,
};
