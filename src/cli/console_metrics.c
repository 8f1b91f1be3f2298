/* console metrics */
#include "cli/console_metrics.h"

#include "cli/table.h"

#include "base/clock.h"
#include "net/web_call.h"

#include <inttypes.h>
#include <stdio.h>

struct metrics_fields {
	struct console_fields console;
	const char *statistic;
	int64_t lookback;
};

int metrics_fetch(const struct metrics_source *source, const char *url, const char *path,
		  struct str *out, struct err *err)
{
	cleanup(http_response_release) struct http_response response = {0};
	struct http_options options = {.connect_timeout_ms = 5000,
				       .request_timeout_ms = 20000,
				       .host_flag = "metrics_source"};
	struct http_request request = {.method = "GET"};
	struct http_client *client;
	const char *behind;
	int rc;

	if (web_url_split(url, source->mem, &options.host, &behind, err) < 0)
		return -(int)err->kind;
	request.path = arena_printf(source->mem, "%s%s",
				    strcmp(behind, "/") == 0 && *path ? "" : behind, path)
			       .ptr;
	if (!request.path)
		return arena_fail(source->mem, "a request", err);
	if (!*request.path)
		request.path = "/";
	if (http_client_new(&options, &client, err) < 0)
		return -(int)err->kind;
	rc = http_client_send(client, &request, &response, err);
	http_client_free(client);
	if (rc < 0)
		return rc;
	if (response.status != 200)
		return err_set(err, ERR_HTTP, "%s answers %s with status %d", url, request.path,
			       response.status);
	*out = arena_str(source->mem, buf_str(&response.body));
	return out->ptr ? 0 : arena_fail(source->mem, "an answer", err);
}

static bool has_name(const struct json *list, struct str name)
{
	json_each (item, list)
		if (str_eq(item->text, name))
			return true;
	return false;
}

/* The names in a text of Prometheus' form, each once; only those that hold `part` unless NULL. */
static void metrics_names(struct str text, struct json *list, struct arena *mem)
{
	struct str line, rest = text;
	bool more = true;

	while (more) {
		more = str_split(rest, '\n', &line, &rest);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		for (size_t i = 0; i < line.len; i++)
			if (line.ptr[i] == ' ' || line.ptr[i] == '{') {
				line.len = i;
				break;
			}
		if (!has_name(list, line))
			json_append(list, json_new_string(mem, line));
	}
}

/* --- The processes themselves --- */

static int list_processes(const struct metrics_source *source, struct json *out, struct err *err)
{
	config_each (component, source->section) {
		struct json *names = json_new(source->mem, JSON_ARRAY);
		struct str text;

		if (metrics_fetch(source, arena_str(source->mem, component->text).ptr, "", &text,
				  err) < 0)
			return err_wrap(err, STR_FMT, STR_ARG(component->key));
		metrics_names(text, names, source->mem);
		json_set(out, component->key, names);
	}
	return 0;
}

/* "name 5", "name{a="b"} 5": the value behind the name, and behind the labels. */
static bool value_of(struct str line, const char *metric, struct str *value)
{
	size_t len = strlen(metric);
	struct str rest;

	if (!str_starts(line, str_from(metric)) || line.len <= len)
		return false;
	rest = str_from_offset(line, len);
	if (rest.ptr[0] == '{')
		while (rest.len > 0 && rest.ptr[0] != '}')
			rest = str_from_offset(rest, 1);
	else if (rest.ptr[0] != ' ')
		return false;
	*value = str_trim(str_from_offset(rest, 1));
	return value->len > 0;
}

static int get_of_processes(const struct metrics_source *source,
			    const struct metrics_question *question, struct metric_value **out,
			    size_t *count, struct err *err)
{
	const struct config_value *url = config_get(source->section, question->component);
	struct str text, line, value;
	bool more = true;

	*count = 0;
	*out = arena_zalloc(source->mem, 1000, sizeof(**out));
	if (!*out)
		return arena_fail(source->mem, "values", err);
	if (!url)
		return err_set(err, ERR_USAGE, "metrics_source.local has no '%s'; there are: %s",
			       question->component, services_names(source->section, source->mem));
	if (metrics_fetch(source, arena_str(source->mem, url->text).ptr, "", &text, err) < 0)
		return -(int)err->kind;
	while (more && *count < 1000) {
		more = str_split(text, '\n', &line, &text);
		if (value_of(line, question->metric, &value))
			(*out)[(*count)++] = (struct metric_value){clock_wall_ms(), value};
	}
	return 0;
}

const struct metrics_source_ops metrics_of_processes = {list_processes, get_of_processes};

/* --- The commands --- */

static int open_source(const struct console *console, struct metrics_source *out, struct err *err)
{
	static const struct {
		const char *name;
		const struct metrics_source_ops *ops;
	} kinds[] = {{"prometheus", &metrics_of_prometheus},
		     {"cloudwatch", &metrics_of_cloudwatch},
		     {"local", &metrics_of_processes}};
	const struct config_value *section;

	if (services_find_section(&console->services, SERVICES_METRICS, NULL, console->mem,
				  &section, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (config_get(section, kinds[i].name))
			*out = (struct metrics_source){
				kinds[i].ops, config_get(section, kinds[i].name), console->mem};
	return 0;
}

static int run_list(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	struct metrics_fields *f = fields;
	struct json *all = json_new(cli->mem, JSON_OBJECT);
	struct metrics_source source;

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    open_source(&console, &source, err) < 0 || source.ops->list(&source, all, err) < 0)
		return -(int)err->kind;
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the metrics", err);
	if (f->console.general.json)
		return console_print_json(all, err);
	json_each (component, all) {
		printf(STR_FMT "\n", STR_ARG(component->key));
		json_each (name, component)
			printf("    " STR_FMT "\n", STR_ARG(name->text));
	}
	return 0;
}

static int print_values(const struct metric_value *values, size_t count, bool json,
			struct arena *mem, struct err *err)
{
	static const struct table_column columns[] = {{"time (utc)", TABLE_LEFT},
						      {"value", TABLE_RIGHT}};
	struct json *list = json_new(mem, JSON_ARRAY);
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++) {
		struct json *pair = json_new(mem, JSON_ARRAY);
		char time[25];

		clock_format_utc(values[i].time_ms, time);
		table_cell(&table, str_from(time));
		table_cell(&table, values[i].value);
		json_append(pair, json_new_string(mem, arena_str(mem, str_from(time))));
		json_append(pair, json_new_string(mem, values[i].value));
		json_append(list, pair);
	}
	if (mem->failed)
		return arena_fail(mem, "the values", err);
	return json ? console_print_json(list, err) : table_print(&table, stdout, err);
}

static int run_get(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	struct metrics_fields *f = fields;
	const struct metrics_question question = {.component = cli->parsed->positionals[0],
						  .metric = cli->parsed->positionals[1],
						  .statistic = f->statistic,
						  .lookback_minutes = f->lookback};
	struct metrics_source source;
	struct metric_value *values;
	size_t count;

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    open_source(&console, &source, err) < 0 ||
	    source.ops->get(&source, &question, &values, &count, err) < 0)
		return -(int)err->kind;
	if (count == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no value of '%s' of %s; `console metrics list` tells the "
			       "names",
			       question.metric, question.component);
	return print_values(values, count, f->console.general.json, cli->mem, err);
}

#define FIELD(member) OPT_FIELD(struct metrics_fields, member)
static const struct opt get_options[] = {
	{.name = "statistic",
	 .type = OPT_CHOICE,
	 FIELD(statistic),
	 .choices = "SampleCount|Average|Sum|Minimum|Maximum",
	 .fallback = "Average",
	 .help = "What is made of the values of a minute; without effect for "
		 "metrics_source.local."},
	{.name = "lookback",
	 .type = OPT_INT,
	 FIELD(lookback),
	 .metavar = "MINUTES",
	 .fallback = "60",
	 .min = 1,
	 .max = 1440 * 15,
	 .help = "How far back; without effect for metrics_source.local."},
	{0},
};
static const struct opt_part list_parts[] = {CONSOLE_PARTS, {0}};
static const struct opt_part get_parts[] = {{get_options, 0}, CONSOLE_PARTS, {0}};

const struct command command_console_metrics_list = {
	.options = {.name = "console metrics list",
		    .summary = "The names of metrics, by component",
		    .parts = list_parts},
	.fields_size = sizeof(struct metrics_fields),
	.run = run_list,
};
const struct command command_console_metrics_get_data = {
	.options = {.name = "console metrics get-data",
		    .summary = "The values of a metric",
		    .arguments = "COMPONENT METRIC",
		    .parts = get_parts,
		    .min_positionals = 2,
		    .max_positionals = 2},
	.fields_size = sizeof(struct metrics_fields),
	.run = run_get,
};
