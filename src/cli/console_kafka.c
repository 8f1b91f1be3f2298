/* console kafka */
#include "cli/console_kafka.h"

#include "cli/number_text.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>

struct kafka_fields {
	struct console_fields console;
	const char *kafka, *topic, *group;
	bool acknowledged;
	const char *mode, *start_time, *end_time, *namespace;
	int64_t start_offset, end_offset, pod_timeout;
};

/* What the section kafka names: brokers, else the segment logs. Asks nothing yet. */
static int kafka_access_open(const struct console *console, struct kafka_access **out,
			     struct err *err)
{
	const struct config_value *map = console->services.sections[SERVICES_KAFKA], *section;

	/* Without a section, and of a workflow that makes its own: what this machine captured. */
	if (!map || map->count == 0)
		return kafka_logs_open(console, out, err);
	if (services_find_section(&console->services, SERVICES_KAFKA, console->fields->name,
				  console->mem, &section, err) < 0)
		return -(int)err->kind;
	return config_get(section, "broker_endpoints")
		       ? kafka_brokers_open(console, section, out, err)
		       : kafka_logs_open(console, out, err);
}

/* For cleanup(). */
static void kafka_access_close(struct kafka_access **access)
{
	if (*access)
		(*access)->ops->close(*access);
}

struct job {
	struct console console;
	struct kafka_access *access;
	const struct kafka_fields *fields;
};

static void job_close(struct job *job)
{
	kafka_access_close(&job->access);
	console_close(&job->console);
}

static int open_job(struct job *job, struct cli *cli, struct kafka_fields *fields, struct err *err)
{
	if (fields->kafka)
		fields->console.name = fields->kafka;
	job->fields = fields;
	if (console_open(&job->console, cli, &fields->console, err) < 0)
		return -(int)err->kind;
	return kafka_access_open(&job->console, &job->access, err);
}

/* The one given, else the only one. */
static int infer_topic(const struct job *job, const char **out, struct err *err)
{
	struct arena *mem = job->console.mem;
	struct kafka_topic *list;
	struct str names = STR_NONE;
	size_t count;

	*out = job->fields->topic;
	if (*out)
		return 0;
	if (job->access->ops->topics(job->access, mem, &list, &count, err) < 0)
		return -(int)err->kind;
	if (count == 1) {
		*out = arena_str(mem, list[0].name).ptr;
		return *out ? 0 : arena_fail(mem, "a topic", err);
	}
	for (size_t i = 0; i < count; i++)
		names = arena_printf(mem, STR_FMT "%s'" STR_FMT "'", STR_ARG(names),
				     i > 0 ? ", " : "", STR_ARG(list[i].name));
	return err_set(
		err, ERR_USAGE, "%s",
		count == 0 ? "there is no topic yet"
			   : arena_printf(mem, "which topic? Give one of " STR_FMT, STR_ARG(names))
				     .ptr);
}

static int infer_group(const struct job *job, const char **out, struct err *err)
{
	struct arena *mem = job->console.mem;
	struct str *list, names = STR_NONE;
	size_t count;

	*out = job->fields->group;
	if (*out)
		return 0;
	if (job->access->ops->groups(job->access, mem, &list, &count, err) < 0)
		return -(int)err->kind;
	if (count == 1) {
		*out = arena_str(mem, list[0]).ptr;
		return *out ? 0 : arena_fail(mem, "a group", err);
	}
	for (size_t i = 0; i < count; i++)
		names = arena_printf(mem, STR_FMT "%s'" STR_FMT "'", STR_ARG(names),
				     i > 0 ? ", " : "", STR_ARG(list[i]));
	return err_set(
		err, ERR_USAGE, "%s",
		count == 0 ? "there is no group of readers yet"
			   : arena_printf(mem, "which group? Give one of " STR_FMT, STR_ARG(names))
				     .ptr);
}

static void take_positional(struct cli *cli, const char **field)
{
	if (cli->parsed->positional_count > 0 && !*field)
		*field = cli->parsed->positionals[0];
}

static int tell(const struct job *job, const char *outcome, const char *topic)
{
	if (job->console.fields->general.json)
		printf("{\"topic\":\"%s\",\"outcome\":\"%s\"}\n", topic, outcome);
	else
		printf("topic '%s' was %s\n", topic, outcome);
	return 0;
}

static int run_create(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct kafka_fields *f = fields;

	take_positional(cli, &f->topic);
	if (!f->topic)
		f->topic = "logging-traffic-topic";
	if (open_job(&job, cli, f, err) < 0 ||
	    job.access->ops->create(job.access, f->topic, err) < 0)
		return -(int)err->kind;
	return tell(&job, "created", f->topic);
}

static int run_delete(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct kafka_fields *f = fields;

	take_positional(cli, &f->topic);
	if (!f->topic)
		return err_set(err, ERR_USAGE, "which topic? Give its name");
	if (open_job(&job, cli, f, err) < 0 ||
	    (!f->acknowledged && console_confirm("the topic and all captured traffic in it will go",
						 f->topic, "--acknowledge-risk", err) < 0) ||
	    job.access->ops->remove(job.access, f->topic, err) < 0)
		return -(int)err->kind;
	return tell(&job, "deleted", f->topic);
}

static int run_list_topics(struct cli *cli, void *fields, struct err *err)
{
	static const struct table_column columns[] = {
		{"topic", TABLE_LEFT}, {"partitions", TABLE_RIGHT}, {"first", TABLE_RIGHT},
		{"end", TABLE_RIGHT},  {"records", TABLE_RIGHT},    {"size", TABLE_RIGHT}};
	cleanup(job_close) struct job job = {0};
	struct json *rows = json_new(cli->mem, JSON_ARRAY);
	struct kafka_fields *f = fields;
	struct kafka_topic *list;
	struct table table;
	size_t count;

	if (open_job(&job, cli, f, err) < 0 ||
	    job.access->ops->topics(job.access, cli->mem, &list, &count, err) < 0)
		return -(int)err->kind;
	table_init(&table, cli->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++) {
		struct json *row = json_new(cli->mem, JSON_OBJECT);
		char size[NUMBER_TEXT_MAX];

		table_cell(&table, list[i].name);
		table_cell_printf(&table, "%" PRId64, list[i].partitions);
		table_cell_printf(&table, "%" PRIu64, list[i].first);
		table_cell_printf(&table, "%" PRIu64, list[i].end);
		table_cell_printf(&table, "%" PRIu64, list[i].end - list[i].first);
		table_cell(&table, list[i].bytes == KAFKA_BYTES_UNKNOWN
					   ? STR("-")
					   : str_from(bytes_text(list[i].bytes, size)));
		json_set(row, STR("topic"), json_new_string(cli->mem, list[i].name));
		json_set(row, STR("partitions"), json_new_i64(cli->mem, list[i].partitions));
		json_set(row, STR("first"), json_new_i64(cli->mem, (int64_t)list[i].first));
		json_set(row, STR("end"), json_new_i64(cli->mem, (int64_t)list[i].end));
		json_set(row, STR("bytes"),
			 list[i].bytes == KAFKA_BYTES_UNKNOWN
				 ? json_new(cli->mem, JSON_NULL)
				 : json_new_i64(cli->mem, (int64_t)list[i].bytes));
		json_append(rows, row);
	}
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the topics", err);
	return f->console.general.json ? console_print_json(rows, err)
				       : table_print(&table, stdout, err);
}

static int run_list_groups(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct json *rows = json_new(cli->mem, JSON_ARRAY);
	struct kafka_fields *f = fields;
	struct str *list;
	size_t count;

	if (open_job(&job, cli, f, err) < 0 ||
	    job.access->ops->groups(job.access, cli->mem, &list, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		json_append(rows, json_new_string(cli->mem, list[i]));
		if (!f->console.general.json)
			printf(STR_FMT "\n", STR_ARG(list[i]));
	}
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the groups", err);
	return f->console.general.json ? console_print_json(rows, err) : 0;
}

static int run_describe_group(struct cli *cli, void *fields, struct err *err)
{
	static const struct table_column columns[] = {
		{"topic", TABLE_LEFT}, {"partition", TABLE_RIGHT}, {"committed", TABLE_RIGHT},
		{"end", TABLE_RIGHT},  {"lag", TABLE_RIGHT},       {"time lag", TABLE_RIGHT}};
	cleanup(job_close) struct job job = {0};
	struct json *rows = json_new(cli->mem, JSON_ARRAY);
	struct kafka_fields *f = fields;
	struct kafka_lag *list;
	struct table table;
	const char *group;
	size_t count;

	take_positional(cli, &f->group);
	if (open_job(&job, cli, f, err) < 0 || infer_group(&job, &group, err) < 0 ||
	    job.access->ops->lags(job.access, group, cli->mem, &list, &count, err) < 0)
		return -(int)err->kind;
	table_init(&table, cli->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++) {
		const struct kafka_lag *lag = &list[i];
		struct json *row = json_new(cli->mem, JSON_OBJECT);
		char text[NUMBER_TEXT_MAX] = "-";

		if (lag->lag_ms >= 0)
			duration_text((uint64_t)lag->lag_ms / 1000, text);
		table_cell(&table, lag->topic);
		table_cell_printf(&table, "%" PRId64, lag->partition);
		table_cell_printf(&table, "%" PRIu64, lag->committed);
		table_cell_printf(&table, "%" PRIu64, lag->end);
		table_cell_printf(&table, "%" PRIu64, lag->end - lag->committed);
		table_cell(&table, str_from(text));
		json_set(row, STR("topic"), json_new_string(cli->mem, lag->topic));
		json_set(row, STR("partition"), json_new_i64(cli->mem, lag->partition));
		json_set(row, STR("committed"), json_new_i64(cli->mem, (int64_t)lag->committed));
		json_set(row, STR("end"), json_new_i64(cli->mem, (int64_t)lag->end));
		json_set(row, STR("lag"),
			 json_new_i64(cli->mem, (int64_t)(lag->end - lag->committed)));
		json_set(row, STR("time_lag_ms"),
			 lag->lag_ms >= 0 ? json_new_i64(cli->mem, lag->lag_ms)
					  : json_new(cli->mem, JSON_NULL));
		json_append(rows, row);
	}
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the group", err);
	return f->console.general.json ? console_print_json(rows, err)
				       : table_print(&table, stdout, err);
}

static int show(struct cli *cli, struct kafka_fields *f, const char *mode, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct console_command command = {.mem = cli->mem};
	const char *topic;

	take_positional(cli, &f->topic);
	if (open_job(&job, cli, f, err) < 0 || infer_topic(&job, &topic, err) < 0 ||
	    job.access->ops->show(job.access, topic, &command, err) < 0)
		return -(int)err->kind;
	console_add_option(&command, "--mode", mode);
	if (f->start_offset > 0)
		console_add_option(&command, "--start-offset",
				   arena_printf(cli->mem, "%" PRId64, f->start_offset).ptr);
	if (f->end_offset > 0)
		console_add_option(&command, "--end-offset",
				   arena_printf(cli->mem, "%" PRId64, f->end_offset).ptr);
	console_add_option(&command, "--start-time", f->start_time);
	console_add_option(&command, "--end-time", f->end_time);
	return console_delegate(&job.console, &command_traffic_show, &command, err);
}

static int run_describe_records(struct cli *cli, void *fields, struct err *err)
{
	static const struct table_column columns[] = {{"partition", TABLE_RIGHT},
						      {"first", TABLE_RIGHT},
						      {"end", TABLE_RIGHT},
						      {"records", TABLE_RIGHT}};
	cleanup(job_close) struct job job = {0};
	struct json *rows = json_new(cli->mem, JSON_ARRAY);
	struct kafka_fields *f = fields;
	struct kafka_part *list;
	struct table table;
	const char *topic;
	size_t count;

	take_positional(cli, &f->topic);
	if (open_job(&job, cli, f, err) < 0 || infer_topic(&job, &topic, err) < 0 ||
	    job.access->ops->partitions(job.access, topic, cli->mem, &list, &count, err) < 0)
		return -(int)err->kind;
	table_init(&table, cli->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++) {
		struct json *row = json_new(cli->mem, JSON_OBJECT);
		uint64_t records = list[i].end - list[i].first;

		table_cell_printf(&table, "%" PRId64, list[i].number);
		table_cell_printf(&table, "%" PRIu64, list[i].first);
		table_cell_printf(&table, "%" PRIu64, list[i].end);
		table_cell_printf(&table, "%" PRIu64, records);
		json_set(row, STR("topic"), json_new_string(cli->mem, str_from(topic)));
		json_set(row, STR("partition"), json_new_i64(cli->mem, list[i].number));
		json_set(row, STR("first"), json_new_i64(cli->mem, (int64_t)list[i].first));
		json_set(row, STR("end"), json_new_i64(cli->mem, (int64_t)list[i].end));
		json_set(row, STR("records"), json_new_i64(cli->mem, (int64_t)records));
		json_append(rows, row);
	}
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the topic", err);
	return f->console.general.json ? console_print_json(rows, err)
				       : table_print(&table, stdout, err);
}

static int run_dump(struct cli *cli, void *fields, struct err *err)
{
	struct kafka_fields *f = fields;

	return show(cli, f, f->mode + strlen("dump-"), err);
}

#define FIELD(member) OPT_FIELD(struct kafka_fields, member)
#define KAFKA_ROW            \
	{.name = "kafka",    \
	 .type = OPT_STRING, \
	 FIELD(kafka),       \
	 .metavar = "NAME",  \
	 .help = "Which Kafka, where a workflow has several; as --name."}
#define TOPIC_ROW            \
	{.name = "topic",    \
	 .type = OPT_STRING, \
	 FIELD(topic),       \
	 .metavar = "NAME",  \
	 .help = "The topic; the only one without it."}

static const struct opt kafka_options[] = {KAFKA_ROW, {0}};
static const struct opt topic_options[] = {KAFKA_ROW, TOPIC_ROW, {0}};
static const struct opt delete_options[] = {KAFKA_ROW,
					    TOPIC_ROW,
					    {.name = "acknowledge-risk",
					     .type = OPT_BOOL,
					     FIELD(acknowledged),
					     .help = "Do not ask for the name to be typed."},
					    {0}};
static const struct opt group_options[] = {KAFKA_ROW,
					   {.name = "group-name",
					    .type = OPT_STRING,
					    FIELD(group),
					    .metavar = "NAME",
					    .help = "The group; the only one without it."},
					   {0}};
static const struct opt dump_options[] = {KAFKA_ROW,
					  TOPIC_ROW,
					  {.name = "mode",
					   .type = OPT_CHOICE,
					   FIELD(mode),
					   .choices = "dump-both|dump-http|dump-raw",
					   .fallback = "dump-raw",
					   .help = "Records, requests and responses, or both."},
					  {.name = "start-offset",
					   .type = OPT_INT,
					   FIELD(start_offset),
					   .metavar = "N",
					   .min = 0,
					   .max = INT64_MAX,
					   .help = "The first record."},
					  {.name = "end-offset",
					   .type = OPT_INT,
					   FIELD(end_offset),
					   .metavar = "N",
					   .min = 0,
					   .max = INT64_MAX,
					   .help = "The record to end in front of; 0: none."},
					  {.name = "start-time",
					   .type = OPT_STRING,
					   FIELD(start_time),
					   .metavar = "TIME",
					   .help = "Only records from this time on."},
					  {.name = "end-time",
					   .type = OPT_STRING,
					   FIELD(end_time),
					   .metavar = "TIME",
					   .help = "Only records before it."},
					  {.name = "namespace",
					   .type = OPT_STRING,
					   FIELD(namespace),
					   .metavar = "NAME",
					   .help = "Of Kubernetes; without effect on one machine."},
					  {.name = "pod-timeout",
					   .type = OPT_INT,
					   FIELD(pod_timeout),
					   .metavar = "SECONDS",
					   .fallback = "600",
					   .min = 1,
					   .max = INT32_MAX,
					   .help = "Of Kubernetes; without effect on one machine."},
					  {0}};

static const struct opt_part kafka_parts[] = {{kafka_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part topic_parts[] = {{topic_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part delete_parts[] = {{delete_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part group_parts[] = {{group_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part dump_parts[] = {{dump_options, 0}, CONSOLE_PARTS, {0}};

#define KAFKA_COMMAND(symbol, verb, text, its_parts, function, ...) \
	const struct command symbol = {                             \
		.options = {.name = "console kafka " verb,          \
			    .summary = text,                        \
			    .parts = its_parts,                     \
			    ##__VA_ARGS__},                         \
		.fields_size = sizeof(struct kafka_fields),         \
		.run = function,                                    \
	}
#define TOPIC_ARGUMENT .arguments = "[TOPIC]", .max_positionals = 1
#define GROUP_ARGUMENT .arguments = "[GROUP]", .max_positionals = 1
KAFKA_COMMAND(command_console_kafka_create_topic, "create-topic", "Make a topic", topic_parts,
	      run_create, TOPIC_ARGUMENT);
KAFKA_COMMAND(command_console_kafka_delete_topic, "delete-topic", "Remove a topic", delete_parts,
	      run_delete, TOPIC_ARGUMENT);
KAFKA_COMMAND(command_console_kafka_list_topics, "list-topics", "Topics, with offsets and sizes",
	      kafka_parts, run_list_topics);
KAFKA_COMMAND(command_console_kafka_list_groups, "list-consumer-groups", "Groups of readers",
	      kafka_parts, run_list_groups);
KAFKA_COMMAND(command_console_kafka_describe_group, "describe-consumer-group",
	      "How far a group is behind, in records and time", group_parts, run_describe_group,
	      GROUP_ARGUMENT);
KAFKA_COMMAND(command_console_kafka_describe_records, "describe-topic-records",
	      "How many records a topic has, by partition", topic_parts, run_describe_records,
	      TOPIC_ARGUMENT);
KAFKA_COMMAND(command_console_kafka_dump_records, "dump-topic-records",
	      "Records, or the requests and responses in them", dump_parts, run_dump,
	      TOPIC_ARGUMENT);
