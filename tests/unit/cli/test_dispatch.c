/* The program as a user meets it first, without any command's work. */
#include "base/json.h"
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct ran {
	int code;
	char *out, *err;
};

/* Runs the program with these words, its streams caught. */
static struct ran run_words(int count, const char **words)
{
	FILE *real_out = stdout, *real_err = stderr;
	size_t out_size, err_size;
	char *argv[8] = {(char[]){"shardlift"}};
	struct ran ran = {0};

	for (int i = 0; i < count; i++)
		argv[i + 1] = mem_strdup(words[i]);
	stdout = open_memstream(&ran.out, &out_size);
	stderr = open_memstream(&ran.err, &err_size);
	ran.code = cli_main(count + 1, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = real_out;
	stderr = real_err;
	for (int i = 0; i < count; i++)
		free(argv[i + 1]);
	return ran;
}

#define RUN(...) \
	run_words((int)COUNT_OF(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

static void ran_release(struct ran *ran)
{
	free(ran->out);
	free(ran->err);
}

static void without_a_command_it_tells_which_there_are(void **state)
{
	static const char name[] = "\n  snapshot list ";
	cleanup(ran_release) struct ran ran = run_words(0, NULL);
	const char *line = strstr(ran.out, name);

	(void)state;
	assert_int_equal(ran.code, EXIT_CODE_OK);
	assert_non_null(line);
	/* As far behind it as the longest name is. */
	line += strlen(name);
	assert_ptr_equal(strstr(line, "List the snapshots"), line + strspn(line, " "));
	assert_string_equal(ran.err, "");
}

static void every_command_tells_its_options(void **state)
{
	static const struct command *const commands[] = {
		&command_migrate,
		&command_backfill,
		&command_backfill_status,
		&command_failed_documents_list,
		&command_failed_documents_count,
		&command_failed_documents_retry,
		&command_snapshot_list,
		&command_snapshot_show,
		&command_inspect_lucene,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		const char *words[3] = {"help", commands[i]->options.name};
		char name[64], *space;
		int count = 2;

		snprintf(name, sizeof(name), "%s", commands[i]->options.name);
		space = strchr(name, ' ');
		words[1] = name;
		if (space) {
			*space = '\0';
			words[count++] = space + 1;
		}
		cleanup(ran_release) struct ran ran = run_words(count, words);
		assert_int_equal(ran.code, EXIT_CODE_OK);
		assert_non_null(strstr(ran.out, commands[i]->options.name));
		assert_non_null(strstr(ran.out, "--json"));
		for (char *line = ran.out; line; line = strchr(line + 1, '\n'))
			assert_true(strcspn(line + 1, "\n") <= 130);
	}
}

static void an_unknown_command_is_a_usage_error_that_names_the_nearest(void **state)
{
	cleanup(ran_release) struct ran near = RUN("snapshot", "lst");
	cleanup(ran_release) struct ran half = RUN("snapshot");
	cleanup(ran_release) struct ran far = RUN("xyzzy");
	cleanup(ran_release) struct ran flag = RUN("--xyzzy-xyzzy", "backfill");

	(void)state;
	assert_non_null(strstr(flag.err, "there is no command '--xyzzy-xyzzy backfill'"));
	assert_int_equal(near.code, EXIT_CODE_USAGE);
	assert_string_equal(near.err,
			    "shardlift: there is no command 'snapshot lst'; do you mean 'snapshot "
			    "list'? `shardlift --help` lists them all\n");
	assert_string_equal(near.out, "");
	assert_non_null(strstr(half.err, "do you mean 'snapshot list'?"));
	assert_string_equal(far.err, "shardlift: there is no command 'xyzzy'; `shardlift --help` "
				     "lists those there are\n");
}

static void an_error_is_told_once_and_gives_its_exit_code(void **state)
{
	cleanup(ran_release) struct ran flag = RUN("migrate", "--repo-url", "/x");
	cleanup(ran_release) struct ran gone =
		RUN("snapshot", "list", "--repo-uri", "/nowhere/at/all");

	(void)state;
	assert_int_equal(flag.code, EXIT_CODE_USAGE);
	assert_non_null(strstr(flag.err, "--repo-uri"));
	assert_int_equal(gone.code, EXIT_CODE_SOURCE_UNREADABLE);
	assert_non_null(strstr(gone.err, "/nowhere/at/all"));
	assert_ptr_equal(strchr(gone.err, '\n'), gone.err + strlen(gone.err) - 1);
}

static void the_version_is_told(void **state)
{
	cleanup(ran_release) struct ran ran = RUN("--version");

	(void)state;
	assert_int_equal(ran.code, EXIT_CODE_OK);
	assert_string_equal(ran.out, "shardlift " SHARDLIFT_VERSION "\n");
}

static void wrong_options_are_an_object_too_where_logs_are(void **state)
{
	cleanup(ran_release) struct ran ran = {0};
	FILE *file = tmpfile();
	int before = dup(STDERR_FILENO);
	char line[500] = "";

	(void)state;
	dup2(fileno(file), STDERR_FILENO);
	ran = RUN("backfill", "status", "--nonsense", "--log-format", "json");
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_int_equal(ran.code, EXIT_CODE_USAGE);
	assert_string_equal(ran.err, "");
	assert_int_equal(json_validate(str_from(line), NULL), 0);
	assert_non_null(strstr(line, "\"level\":\"error\""));
	assert_non_null(strstr(line, "--nonsense"));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_command_it_tells_which_there_are),
		cmocka_unit_test(every_command_tells_its_options),
		cmocka_unit_test(wrong_options_are_an_object_too_where_logs_are),
		cmocka_unit_test(an_unknown_command_is_a_usage_error_that_names_the_nearest),
		cmocka_unit_test(an_error_is_told_once_and_gives_its_exit_code),
		cmocka_unit_test(the_version_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
