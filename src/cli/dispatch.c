#include "cli/command.h"
#include "cli/exit_file.h"
#include "cli/common_options.h"
#include "cli/console_words.h"
#include "cli/first_process.h"
#include "cli/java_names.h"
#include "cli/pod_output.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/version.h"

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&command_check,
	&command_migrate,
	&command_backfill,
	&command_copy,
	&command_index_move,
	&command_snapshot_list,
	&command_snapshot_show,
	&command_snapshot_repos,
	&command_snapshot_register,
	&command_snapshot_create,
	&command_snapshot_status,
	&command_snapshot_restore,
	&command_snapshot_delete,
	&command_snapshot_unregister,
	&command_inspect_lucene,
	&command_verify,
	&command_metadata_evaluate,
	&command_metadata_migrate,
	&command_metadata_dashboards,
	&command_lifecycle_attach,
	&command_assess,
	&command_backfill_pause,
	&command_backfill_resume,
	&command_backfill_rate,
	&command_restore_settings,
	&command_transform_try,
	&command_backfill_status,
	&command_failed_documents_list,
	&command_failed_documents_count,
	&command_failed_documents_retry,
	&command_compare,
	&command_compare_queries,
	&command_replay,
	&command_traffic_show,
	&command_traffic_export,
	&command_traffic_import,
	&command_traffic_groups,
	&command_capture,
	&command_capture_control,
	&command_engine,
	&command_pods_run,
	&command_workflow_configure_view,
	&command_workflow_configure_edit,
	&command_workflow_configure_clear,
	&command_workflow_configure_sample,
	&command_workflow_configure_schema,
	&command_workflow_configure_reference,
	&command_workflow_configure_credentials,
	&command_workflow_submit,
	&command_workflow_status,
	&command_workflow_approve,
	&command_workflow_plan,
	&command_workflow_export,
	&command_workflow_show,
	&command_workflow_log,
	&command_workflow_reset,
	&command_workflow_manage,
	&command_workflow_util_completions,
	&command_console_completion,
	&command_docs_man,
	&command_docs_reference,
	&command_docs_completion,
	&command_console_clusters_connection_check,
	&command_console_clusters_cat_indices,
	&command_console_clusters_curl,
	&command_console_clusters_clear_indices,
	&command_console_clusters_generate_data,
	&command_console_clusters_run_test_benchmarks,
	&command_console_snapshot_create,
	&command_console_snapshot_status,
	&command_console_snapshot_delete,
	&command_console_snapshot_unregister_repo,
	&command_console_metadata_evaluate,
	&command_console_metadata_migrate,
	&command_console_backfill_describe,
	&command_console_backfill_start,
	&command_console_backfill_pause,
	&command_console_backfill_stop,
	&command_console_backfill_scale,
	&command_console_backfill_status,
	&command_console_backfill_reset,
	&command_console_replay_describe,
	&command_console_replay_start,
	&command_console_replay_stop,
	&command_console_replay_scale,
	&command_console_replay_status,
	&command_console_failed_documents_location,
	&command_console_failed_documents_count,
	&command_console_failed_documents_list,
	&command_console_failed_documents_retry,
	&command_console_metrics_list,
	&command_console_metrics_get_data,
	&command_console_kafka_create_topic,
	&command_console_kafka_delete_topic,
	&command_console_kafka_list_topics,
	&command_console_kafka_list_groups,
	&command_console_kafka_describe_group,
	&command_console_kafka_describe_records,
	&command_console_kafka_dump_records,
	&command_console_tuples_show,
};

const struct command *const *command_all(size_t *count)
{
	*count = COUNT_OF(commands);
	return commands;
}

#define NAME_MAX_LENGTH 64

static size_t screen_width(void)
{
	size_t columns = terminal_columns(stdout);

	return columns < 40 ? 80 : MIN(columns, (size_t)100);
}

static void print_overview(FILE *out)
{
	size_t width = 0;

	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (!commands[i]->hidden)
			width = MAX(width, strlen(commands[i]->options.name) + 2);
	fputs("shardlift moves Elasticsearch and OpenSearch clusters to OpenSearch.\n\n"
	      "Usage: shardlift COMMAND [OPTIONS]\n\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (!commands[i]->hidden)
			fprintf(out, "  %-*s%s\n", (int)width, commands[i]->options.name,
				commands[i]->options.summary);
	fputs("\n`shardlift COMMAND --help` tells the options of one; `shardlift --version` the "
	      "version.\n",
	      out);
}

/* How many of argv's words are the command's name; 0: it is another command. */
static int words_of_name(const char *name, int argc, char **argv)
{
	struct str rest = str_from(name), word;
	int words = 0;
	bool more = true;

	while (more) {
		struct str whole = rest;

		more = str_split(whole, ' ', &word, &rest);
		if (words == argc || !str_is(word, argv[words]))
			return 0;
		words++;
	}
	return words;
}

/* `backfill pause` is another command than `backfill`: the longest name counts. */
static const struct command *find_command(int argc, char **argv, int *words)
{
	const struct command *found = NULL;

	*words = 0;
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		int taken = words_of_name(commands[i]->options.name, argc, argv);

		if (taken > *words && !console_is_disabled(commands[i]->options.name)) {
			*words = taken;
			found = commands[i];
		}
	}
	return found;
}

/* The words of a command that is not there; the first may be a flag, which is none. */
static void words_given(int argc, char **argv, int most, char out[static NAME_MAX_LENGTH])
{
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < argc && i < most && len < NAME_MAX_LENGTH; i++) {
		if (i > 0 && argv[i][0] == '-')
			return;
		len += (size_t)MAX(
			snprintf(out + len, NAME_MAX_LENGTH - len, "%s%s", i ? " " : "", argv[i]),
			0);
	}
}

static int unknown_command(int argc, char **argv, struct err *err)
{
	const char *nearest = NULL;
	char given[NAME_MAX_LENGTH];
	size_t best = SIZE_MAX;
	bool console = strcmp(argv[0], "console") == 0;

	words_given(argc, argv, console ? 3 : 2, given);
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		const char *name = commands[i]->options.name;
		size_t apart = MIN(str_distance(str_from(given), str_from(name)),
				   str_distance(str_from(argv[0]), str_from(name)));

		/* Half of a name of two words is a good beginning. */
		if (!console && strchr(name, ' ') &&
		    strncmp(name, argv[0], strcspn(name, " ")) == 0 &&
		    argv[0][strcspn(name, " ")] == '\0')
			apart = MIN(apart, (size_t)1);
		if (apart < best) {
			best = apart;
			nearest = name;
		}
	}
	if (best <= strlen(given) / 2 + 1)
		return err_set(err, ERR_USAGE,
			       "there is no command '%s'; do you mean '%s'? `shardlift --help` "
			       "lists them all",
			       given, nearest);
	return err_set(err, ERR_USAGE,
		       "there is no command '%s'; `shardlift --help` lists those "
		       "there are",
		       given);
}

/* `console` and its groups: the commands whose names begin with the words given. */
static bool print_group(int argc, char **argv)
{
	size_t found = 0;

	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		struct str word, rest = str_from(commands[i]->options.name);
		bool more = true, same = !console_is_disabled(commands[i]->options.name);

		for (int k = 0; k < argc && argv[k][0] != '-' && same; k++) {
			more = more && str_split(rest, ' ', &word, &rest);
			same = more && str_is(word, argv[k]);
		}
		if (same)
			printf("%s  %-40s %s\n", found++ == 0 ? "Commands:\n" : "",
			       commands[i]->options.name, commands[i]->options.summary);
	}
	if (found > 0)
		puts("\n`console GROUP COMMAND --help` tells the options of one.");
	return found > 0;
}

static bool is_console(int argc, char **argv)
{
	return argc > 0 && strcmp(argv[0], "console") == 0;
}

static int print_help(const struct command *command, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

	opt_help(&command->options, &text, screen_width());
	if (buf_check(&text, "help", err) < 0)
		return -(int)err->kind;
	fputs(buf_cstr(&text), stdout);
	return 0;
}

/* What outlives a command: its memory, and how its error is told. */
struct program {
	struct arena mem;
	bool json_errors;
	bool console;  /* its exit codes are 0, 1 and 2 */
	bool one_item; /* codes of errors would be read as those of --one-item */
};

/* Before the options are read, so that what is wrong with them is an object, too. */
static bool asks_for_json(int argc, char **argv)
{
	const char *variable = getenv("SHARDLIFT_LOG_FORMAT");

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--log-format=json") == 0)
			return true;
		if (strcmp(argv[i], "--log-format") == 0 && i + 1 < argc)
			return strcmp(argv[i + 1], "json") == 0;
	}
	return variable && strcmp(variable, "json") == 0;
}

/* What starts workers reads the code also when it gave them a flag that there is not. */
static bool asks_for_one_item(int argc, char **argv)
{
	const char *variable = getenv("SHARDLIFT_ONE_ITEM");

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--one-item") == 0 || strcmp(argv[i], "--oneItem") == 0 ||
		    strcmp(argv[i], "--one-item=true") == 0)
			return true;
	return variable && strcmp(variable, "true") == 0;
}

static void configure_log(struct program *program, const struct general_fields *general)
{
	program->json_errors = strcmp(general->log_format, "json") == 0;
	log_configure(general->verbose ? LOG_DEBUG : LOG_INFO,
		      program->json_errors ? LOG_JSON : LOG_TEXT);
}

static int run_command(struct program *program, const struct command *command, int argc,
		       char **argv, struct err *err)
{
	struct arena *mem = &program->mem;
	struct opt_result parsed = {0};
	struct cli cli = {.mem = mem, .parsed = &parsed};
	void *fields = arena_zalloc(mem, 1, command->fields_size);

	if (!fields)
		return arena_fail(mem, "the options", err);
	if (opt_parse(&command->options, argc, argv, fields, mem, &parsed, err) < 0)
		return -(int)err->kind;
	if (parsed.help)
		return print_help(command, err);
	configure_log(program, fields);
	return command->run(&cli, fields, err);
}

static int run_found(struct program *program, int argc, char **argv, bool wants_help,
		     struct err *err)
{
	int words;
	const struct command *command = find_command(argc, argv, &words);

	if (!command)
		return unknown_command(argc, argv, err);
	if (wants_help)
		return print_help(command, err);
	return run_command(program, command, argc - words, argv + words, err);
}

/* Options may stand before the command, and a group by itself is its help. */
static int run_console(struct program *program, int argc, char **argv, bool wants_help,
		       struct err *err)
{
	int words;

	program->console = true;
	if (console_arguments(&argc, &argv, &program->mem, err) < 0)
		return -(int)err->kind;
	if (console_asks_for_version(argc, argv))
		return console_print_version();
	if (!find_command(argc, argv, &words) && print_group(argc, argv))
		return 0;
	return run_found(program, argc, argv, wants_help, err);
}

/* `help`, `help COMMAND`, `--help`, `--version`, and what follows none of these. */
static int run_words(struct program *program, int argc, char **argv, struct err *err)
{
	bool wants_help =
		argc > 0 && (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 ||
			     strcmp(argv[0], "-h") == 0);

	if (argc == 0 || (wants_help && argc == 1)) {
		print_overview(stdout);
		return 0;
	}
	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "version") == 0) {
		printf("shardlift %s\n", shardlift_version);
		return 0;
	}
	if (wants_help) {
		argc--;
		argv++;
	}
	return is_console(argc, argv) ? run_console(program, argc, argv, wants_help, err)
				      : run_found(program, argc, argv, wants_help, err);
}

static bool reader_has_gone(void)
{
	struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&output, 1, 0) > 0 && (output.revents & POLLERR);
}

/* A full disk behind standard output is an error; a reader that has seen enough is none. */
static int close_output(int code, struct err *err)
{
	int flushed = fflush(stdout);

	if ((flushed == 0 && !ferror(stdout)) || reader_has_gone())
		return code;
	return err_set_errno(err, ERR_IO, flushed ? errno : EIO, "writing to standard output");
}

static void print_error(struct program *program, const struct err *err)
{
	struct str message = text_printable(str_from(err->message), &program->mem);
	const char *text = message.ptr ? message.ptr : err->message;

	if (program->json_errors)
		log_error("shardlift", "%s", text);
	else
		fprintf(stderr, "shardlift: %s\n", text);
}

static void program_release(struct program *program)
{
	arena_release(&program->mem);
}

static bool called_as(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, name) == 0;
}

/* Links of these names are the command lines of Migration Assistant. */
static char *name_of_link(const char *path)
{
	static char workflow[] = "workflow", console[] = "console";

	return called_as(path, workflow) ? workflow : called_as(path, console) ? console : NULL;
}

/* The Java tool's containers, which links of their names replace. */
static int run_java_name(struct program *program, const struct java_name *name, int argc,
			 char **argv, struct err *err)
{
	if (java_name_only_waits(name, argc)) {
		first_process_wait();
		return EXIT_CODE_OK;
	}
	java_name_set_defaults(name);
	argv[0] = name->command;
	return run_words(program, argc, argv, err);
}

/* The exit code, told wherever somebody waits for it. */
static int end(struct program *program, int code, struct err *err)
{
	if (code >= 0)
		code = close_output(code, err);
	else
		fflush(stdout);
	if (code < 0)
		print_error(program, err);
	pod_output_end();
	exit_file_write(code < 0 ? (int)err_exit_code(err) : code, code < 0 ? err->message : "");
	if (program->console)
		return console_exit_code(code < 0 ? (int)err_exit_code(err) : code);
	if (code >= 0)
		return code;
	return program->one_item ? EXIT_CODE_COMPLETED_WITH_ERRORS : (int)err_exit_code(err);
}

int cli_main(int argc, char **argv)
{
	cleanup(program_release) struct program program = {.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
	const struct java_name *java = argc > 0 ? java_name_find(argv[0]) : NULL;
	char *link = argc > 0 ? name_of_link(argv[0]) : NULL;
	struct err err = {0};
	int code;

	signal(SIGPIPE, SIG_IGN);
	first_process_init();
	pod_output_begin();
	program.json_errors = asks_for_json(argc, argv);
	program.one_item = asks_for_one_item(argc, argv);
	log_configure(LOG_INFO, program.json_errors ? LOG_JSON : LOG_TEXT);
	if (link)
		argv[0] = link;
	if (java)
		code = run_java_name(&program, java, argc, argv, &err);
	else if (link)
		code = run_words(&program, argc, argv, &err);
	else
		code = run_words(&program, argc > 0 ? argc - 1 : 0, argv + 1, &err);
	return end(&program, code, &err);
}
