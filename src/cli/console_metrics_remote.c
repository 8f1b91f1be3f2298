/* Metrics that Prometheus or CloudWatch keep. */
#include "cli/console_metrics.h"

#include "base/clock.h"
#include "net/aws_call.h"
#include "net/aws_credentials.h"
#include "net/web_call.h"
#include "net/xml_element.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define VALUES_MAX 100000
#define CLOUDWATCH_NAMESPACE "OpenSearchMigrations"
#define PAGES_MAX 100

static struct str text_of(const struct config_value *map, const char *key)
{
	return config_text_or(config_get(map, key), STR_NONE);
}

/* --- Prometheus: HTTP API v1 --- */

static int ask_prometheus(const struct metrics_source *source, const char *path, struct json **out,
			  struct err *err)
{
	const char *url = arena_str(source->mem, text_of(source->section, "endpoint")).ptr;
	struct str text;

	if (metrics_fetch(source, url, path, &text, err) < 0 ||
	    json_parse(text, source->mem, out, err) < 0)
		return err_wrap(err, "prometheus");
	if (str_is(json_string(json_get(*out, "status")), "success"))
		return 0;
	return err_set(err, ERR_HTTP, "prometheus: " STR_FMT,
		       STR_ARG(json_text_or(json_get(*out, "error"), STR("no success"))));
}

/* By the job that a series is of: that names the component. */
static int list_prometheus(const struct metrics_source *source, struct json *out, struct err *err)
{
	struct json *root;

	if (ask_prometheus(source, "/api/v1/series?match%5B%5D=%7Bjob%3D~%22.%2B%22%7D", &root,
			   err) < 0)
		return -(int)err->kind;
	json_each (series, json_get(root, "data")) {
		struct str job = json_string(json_get(series, "exported_job")), name;
		struct json *names;
		bool known = false;

		if (job.len == 0)
			job = json_string(json_get(series, "job"));
		name = json_string(json_get(series, "__name__"));
		names = json_get_str(out, job);
		if (!names) {
			names = json_new(source->mem, JSON_ARRAY);
			json_set(out, job, names);
		}
		json_each (other, names)
			known |= str_eq(other->text, name);
		if (!known)
			json_append(names, json_new_string(source->mem, name));
	}
	return 0;
}

static const char *function_of(const char *statistic)
{
	static const char *const names[][2] = {{"SampleCount", "count"},
					       {"Sum", "sum"},
					       {"Minimum", "min"},
					       {"Maximum", "max"},
					       {"Average", "avg"}};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(names[i][0], statistic) == 0)
			return names[i][1];
	return "avg";
}

static bool is_metric_name(const char *name)
{
	return *name &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:.-") ==
		       strlen(name);
}

static int check_question(const struct metrics_question *question, struct err *err)
{
	if (is_metric_name(question->metric) && is_metric_name(question->component))
		return 0;
	return err_set(err, ERR_USAGE, "'%s' '%s' cannot be a component and a metric",
		       question->component, question->metric);
}

static int take_values(const struct json *result, struct metric_value **out, size_t *count,
		       struct arena *mem, struct err *err)
{
	*out = arena_zalloc(mem, VALUES_MAX, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "values", err);
	json_each (series, result)
		json_each (pair, json_get(series, "values")) {
			struct str seconds = json_text_or(pair->first, STR("0"));

			if (*count == VALUES_MAX || !pair->first || !pair->first->next)
				continue;
			(*out)[(*count)++] = (struct metric_value){
				(int64_t)(strtod(arena_str(mem, seconds).ptr, NULL) * 1000),
				json_text_or(pair->first->next, STR(""))};
		}
	return 0;
}

static int get_prometheus(const struct metrics_source *source,
			  const struct metrics_question *question, struct metric_value **out,
			  size_t *count, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(KIB(8)), query = BUF_INIT(KIB(4));
	int64_t now_s = clock_wall_ms() / 1000;
	struct json *root;

	*count = 0;
	if (check_question(question, err) < 0)
		return -(int)err->kind;
	buf_printf(&query,
		   "%s({__name__=\"%s\",exported_job=\"%s\"} or {__name__=\"%s\",job=\"%s\"})",
		   function_of(question->statistic), question->metric, question->component,
		   question->metric, question->component);
	buf_append_str(&path, STR("/api/v1/query_range?query="));
	http_append_encoded(&path, buf_str(&query));
	buf_printf(&path, "&start=%" PRId64 "&end=%" PRId64 "&step=60",
		   now_s - question->lookback_minutes * 60, now_s);
	if (buf_check(&path, "a query", err) < 0 ||
	    ask_prometheus(source, buf_cstr(&path), &root, err) < 0)
		return -(int)err->kind;
	return take_values(json_path(root, "data", "result", NULL), out, count, source->mem, err);
}

const struct metrics_source_ops metrics_of_prometheus = {list_prometheus, get_prometheus};

/* --- CloudWatch: query protocol, 2010-08-01 --- */

static int ask_cloudwatch(const struct metrics_source *source, struct buf *form, struct str *out,
			  struct err *err)
{
	cleanup(http_response_release) struct http_response response = {0};
	const char *endpoint = getenv("AWS_ENDPOINT_URL_CLOUDWATCH");
	struct str given = text_of(source->section, "aws_region");
	const char *region = aws_region(given.len > 0 ? arena_str(source->mem, given).ptr : NULL,
					NULL, source->mem);
	struct http_options options = {.aws_region = region, .aws_service = "monitoring"};
	struct http_request request = {
		.method = "POST", .path = "/", .content_type = "application/x-www-form-urlencoded"};
	struct http_client *client;
	int rc;

	if (!region)
		return err_set(err, ERR_USAGE, "metrics_source.cloudwatch: give aws_region");
	options.host = endpoint && *endpoint
			       ? endpoint
			       : arena_printf(source->mem,
					      "https://monitoring.%s.amazonaws.com:443", region)
					 .ptr;
	web_form_add(form, "Version", STR("2010-08-01"));
	if (buf_check(form, "a query", err) < 0 || http_client_new(&options, &client, err) < 0)
		return -(int)err->kind;
	request.body = buf_str(form);
	rc = http_client_send(client, &request, &response, err);
	http_client_free(client);
	if (rc < 0)
		return err_wrap(err, "CloudWatch");
	*out = arena_str(source->mem, buf_str(&response.body));
	if (!out->ptr)
		return arena_fail(source->mem, "an answer", err);
	if (response.status == 200)
		return 0;
	return err_set(err, response.status == 403 ? ERR_AUTH : ERR_HTTP,
		       "CloudWatch: status %d, " STR_FMT
		       "; the role needs cloudwatch:ListMetrics and cloudwatch:GetMetricStatistics",
		       response.status, STR_ARG(xml_element(*out, "Message", NULL)));
}

static struct str dimension_of(struct str dimensions, const char *wanted)
{
	struct str rest = dimensions, member;

	while ((member = xml_element(rest, "member", &rest)).ptr)
		if (str_is(xml_element(member, "Name", NULL), wanted))
			return xml_element(member, "Value", NULL);
	return STR_NONE;
}

/* <member><MetricName/><Namespace/><Dimensions><member/>…</Dimensions></member>: told apart by the
 * names in it, since members are within members. */
static void take_names(const struct metrics_source *source, struct str answer, struct json *out)
{
	struct str rest = answer, name;

	while ((name = xml_element(rest, "MetricName", &rest)).ptr) {
		struct str component = STR("OpenSearchMigrations");
		struct str dimensions = xml_element(rest, "Dimensions", NULL);
		struct str job = dimension_of(dimensions, "OTelLib");
		struct json *names;

		if (job.len > 0)
			component = job;
		names = json_get_str(out, component);
		if (!names) {
			names = json_new(source->mem, JSON_ARRAY);
			json_set(out, component, names);
		}
		json_append(names, json_new_string(source->mem, xml_text(name, source->mem)));
	}
}

static int list_cloudwatch(const struct metrics_source *source, struct json *out, struct err *err)
{
	struct str token = STR_NONE, answer;

	for (unsigned page = 0; page < PAGES_MAX; page++) {
		cleanup(buf_release) struct buf form = BUF_INIT(KIB(16));

		web_form_add(&form, "Action", STR("ListMetrics"));
		web_form_add(&form, "Namespace", STR(CLOUDWATCH_NAMESPACE));
		web_form_add(&form, "Dimensions.member.1.Name", STR("qualifier"));
		web_form_add(&form, "Dimensions.member.1.Value",
			     text_of(source->section, "qualifier"));
		if (token.len > 0)
			web_form_add(&form, "NextToken", token);
		if (ask_cloudwatch(source, &form, &answer, err) < 0)
			return -(int)err->kind;
		take_names(source, answer, out);
		token = xml_text(xml_element(answer, "NextToken", NULL), source->mem);
		if (token.len == 0)
			return 0;
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct metric_value *one = a, *other = b;

	return (one->time_ms > other->time_ms) - (one->time_ms < other->time_ms);
}

static int get_cloudwatch(const struct metrics_source *source,
			  const struct metrics_question *question, struct metric_value **out,
			  size_t *count, struct err *err)
{
	cleanup(buf_release) struct buf form = BUF_INIT(KIB(16));
	int64_t now_ms = clock_wall_ms();
	struct str answer, rest, time;
	char from[25], to[25];

	*count = 0;
	*out = arena_zalloc(source->mem, VALUES_MAX, sizeof(**out));
	if (!*out)
		return arena_fail(source->mem, "values", err);
	clock_format_utc(now_ms - question->lookback_minutes * 60000, from);
	clock_format_utc(now_ms, to);
	web_form_add(&form, "Action", STR("GetMetricStatistics"));
	web_form_add(&form, "Namespace", STR(CLOUDWATCH_NAMESPACE));
	web_form_add(&form, "MetricName", str_from(question->metric));
	web_form_add(&form, "Dimensions.member.1.Name", STR("OTelLib"));
	web_form_add(&form, "Dimensions.member.1.Value", str_from(question->component));
	web_form_add(&form, "Dimensions.member.2.Name", STR("qualifier"));
	web_form_add(&form, "Dimensions.member.2.Value", text_of(source->section, "qualifier"));
	web_form_add(&form, "StartTime", str_from(from));
	web_form_add(&form, "EndTime", str_from(to));
	web_form_add(&form, "Period", STR("60"));
	web_form_add(&form, "Statistics.member.1", str_from(question->statistic));
	if (ask_cloudwatch(source, &form, &answer, err) < 0)
		return -(int)err->kind;
	rest = xml_element(answer, "Datapoints", NULL);
	while ((time = xml_element(rest, "member", &rest)).ptr && *count < VALUES_MAX)
		(*out)[(*count)++] =
			(struct metric_value){aws_date(xml_element(time, "Timestamp", NULL)),
					      xml_element(time, question->statistic, NULL)};
	qsort(*out, *count, sizeof(**out), by_time);
	return 0;
}

const struct metrics_source_ops metrics_of_cloudwatch = {list_cloudwatch, get_cloudwatch};
