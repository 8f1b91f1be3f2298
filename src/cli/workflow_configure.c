#include "cli/workflow_common.h"

#include "base/small_file.h"
#include "base/state_dir.h"
#include "workflow/config_check.h"
#include "workflow/schema.h"
#include "workflow/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIGURATION_MAX MIB(16)

struct configure_fields {
	struct workflow_fields common;
	bool from_stdin, confirm, load, minimal;
	const char *scenario;
};

/* --- view, clear --- */

static int run_view(struct cli *cli, void *fields, struct err *err)
{
	const struct configure_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct str text;
	int rc = 0;

	if (workflow_session_open(&session, cli, &f->common, false, err) < 0)
		return -(int)err->kind;
	if (session.state)
		rc = workflow_config_read(session.state, f->common.session, cli->mem, &text, err);
	if (rc < 0)
		return rc;
	if (rc == 0 && strcmp(f->common.session, WORKFLOW_SESSION_DEFAULT) != 0)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no session '%s'; `workflow configure edit --session %s` "
			       "makes one",
			       f->common.session, f->common.session);
	if (rc > 0)
		fwrite(text.ptr, 1, text.len, stdout);
	else
		puts("No configuration found.\n\nHint: `workflow configure sample --load` makes "
		     "one to start from");
	return 0;
}

static bool says_yes(const char *question)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	printf("%s [y/N] ", question);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int run_clear(struct cli *cli, void *fields, struct err *err)
{
	const struct configure_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};

	if (!f->confirm && !says_yes("Forget the configuration?"))
		return err_set(err, ERR_BLOCKED,
			       "the configuration stays; --confirm forgets it without asking");
	if (workflow_session_open(&session, cli, &f->common, true, err) < 0 ||
	    workflow_config_clear(session.state, f->common.session, err) < 0)
		return -(int)err->kind;
	puts("The configuration is cleared.");
	return 0;
}

/* --- edit --- */

static int read_stream(int fd, struct buf *out, struct err *err)
{
	for (;;) {
		char *to = buf_reserve(out, KIB(64));
		ssize_t got = to ? read(fd, to, KIB(64)) : 0;

		if (got < 0)
			return err_set_errno(err, ERR_IO, errno, "cannot read standard input");
		if (got == 0)
			return buf_check(out, "the configuration", err);
		out->len += (size_t)got;
	}
}

/* What is wrong is printed; the number of errors, or negative. */
static int print_problems(struct str text, struct arena *mem, struct config_value **root,
			  struct err *err)
{
	cleanup(buf_release) struct buf report = BUF_INIT(MIB(1));
	struct config_problems problems;
	struct err why = {0};

	if (config_parse(text, mem, root, &why) < 0) {
		fprintf(stderr, "%s\n", why.message);
		return 1;
	}
	if (config_check(*root, mem, &problems, err) < 0)
		return -(int)err->kind;
	config_problems_write(&report, &problems);
	fputs(buf_cstr(&report), stderr);
	return (int)problems.errors;
}

static int save(struct workflow_session *session, struct str text, struct err *err)
{
	return workflow_config_write(session->state, session->fields->session, text, err);
}

/* Secrets that are mentioned and not there: a warning with the way to make them. */
static int tell_missing_secrets(struct workflow_session *session, const struct config_value *root,
				struct err *err)
{
	struct str *names, value;
	size_t count;

	if (workflow_secret_names(root, session->mem, &names, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		int rc = workflow_secret_read(session->state_dir, names[i], session->mem, &value,
					      err);

		if (rc < 0)
			return rc;
		if (rc == 0)
			fprintf(stderr,
				"secret '" STR_FMT "' is not there yet: `workflow configure "
				"credentials create " STR_FMT "`\n",
				STR_ARG(names[i]), STR_ARG(names[i]));
	}
	return 0;
}

static int edit_from_stdin(struct workflow_session *session, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(CONFIGURATION_MAX);
	struct config_value *root;
	int errors;

	if (read_stream(STDIN_FILENO, &text, err) < 0)
		return -(int)err->kind;
	if (str_trim(buf_str(&text)).len == 0)
		return err_set(err, ERR_USAGE, "standard input is empty; nothing was saved");
	if (save(session, buf_str(&text), err) < 0)
		return -(int)err->kind;
	errors = print_problems(buf_str(&text), session->mem, &root, err);
	if (errors < 0)
		return errors;
	if (errors > 0) {
		fprintf(stderr, "saved, with %d problems; submit refuses it\n", errors);
		return EXIT_CODE_COMPLETED_WITH_ERRORS;
	}
	puts("Configuration saved.");
	if (tell_missing_secrets(session, root, err) < 0)
		return -(int)err->kind;
	workflow_hint("`workflow plan` tells what it would do, `workflow submit` does it");
	return 0;
}

static int run_editor(const char *path, struct err *err)
{
	const char *editor = getenv("EDITOR");
	pid_t pid = fork();
	int status;

	if (!editor || !*editor)
		editor = "vi";
	if (pid < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot start '%s'", editor);
	if (pid == 0) {
		/* By a shell, since EDITOR may hold flags. */
		execl("/bin/sh", "sh", "-c", "exec $0 \"$1\"", editor, path, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set_errno(err, ERR_IO, errno, "waiting for '%s'", editor);
	if (status == 0)
		return 0;
	return err_set(err, ERR_IO, "'%s' failed; nothing was saved (give $EDITOR or --stdin)",
		       editor);
}

static char ask_what_now(void)
{
	char answer[16];

	printf("Save anyway (s), edit again (e), or discard (d)? ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) ? answer[0] : 'd';
}

static int edit_until_right(struct workflow_session *session, const char *path, struct err *err)
{
	for (;;) {
		cleanup(buf_release) struct buf text = BUF_INIT(CONFIGURATION_MAX);
		struct config_value *root;
		int errors;
		char next;

		if (run_editor(path, err) < 0 || small_file_read(path, &text, err) < 0)
			return -(int)err->kind;
		errors = print_problems(buf_str(&text), session->mem, &root, err);
		if (errors < 0)
			return errors;
		if (errors == 0) {
			puts("Configuration saved.");
			return save(session, buf_str(&text), err) < 0
				       ? -(int)err->kind
				       : tell_missing_secrets(session, root, err);
		}
		next = ask_what_now();
		if (next == 's')
			return save(session, buf_str(&text), err) < 0
				       ? -(int)err->kind
				       : EXIT_CODE_COMPLETED_WITH_ERRORS;
		if (next != 'e')
			return err_set(err, ERR_BLOCKED,
				       "discarded; the configuration is as it "
				       "was");
	}
}

static int edit_in_editor(struct workflow_session *session, struct err *err)
{
	struct str path = arena_printf(session->mem, "%s/configuration-%d.yaml", session->state_dir,
				       (int)getpid());
	struct str text = STR("");
	int rc = workflow_config_read(session->state, session->fields->session, session->mem, &text,
				      err);

	if (rc < 0)
		return rc;
	if (!path.ptr)
		return arena_fail(session->mem, "the file to edit", err);
	if (small_file_replace(path.ptr, text, err) < 0)
		return -(int)err->kind;
	rc = edit_until_right(session, path.ptr, err);
	unlink(path.ptr);
	return rc;
}

static int run_edit(struct cli *cli, void *fields, struct err *err)
{
	const struct configure_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};

	if (workflow_session_open(&session, cli, &f->common, true, err) < 0)
		return -(int)err->kind;
	return f->from_stdin ? edit_from_stdin(&session, err) : edit_in_editor(&session, err);
}

/* --- sample, schema, reference --- */

#define SAMPLE_CLUSTERS                                         \
	"sourceClusters:\n"                                     \
	"  source:\n"                                           \
	"    endpoint: https://source.example:9200\n"           \
	"    version: ES 7.10.2\n"                              \
	"    authConfig: {basic: {secretName: source-login}}\n" \
	"%s"                                                    \
	"targetClusters:\n"                                     \
	"  target:\n"                                           \
	"    endpoint: https://target.example:9200\n"           \
	"    authConfig: {basic: {secretName: target-login}}\n"
#define SAMPLE_SNAPSHOT                                                              \
	"    snapshotInfo:\n"                                                        \
	"      repos:\n"                                                             \
	"        backups: {repoPathUri: \"s3://my-bucket\", awsRegion: eu-west-1}\n" \
	"      snapshots:\n"                                                         \
	"        first: {repoName: backups, config: {createSnapshotConfig: {}}}\n"
#define SAMPLE_MIGRATION                          \
	"snapshotMigrationConfigs:\n"             \
	"  - fromSource: source\n"                \
	"    toTarget: target\n"                  \
	"    perSnapshotConfig:\n"                \
	"      first:\n"                          \
	"        - metadataMigrationConfig: {}\n" \
	"          documentBackfillConfig: {}\n"  \
	"          verifyConfig: {}\n"
#define SAMPLE_TRAFFIC                                                   \
	"traffic:\n"                                                     \
	"  proxies:\n"                                                   \
	"    front: {source: source, proxyConfig: {listenPort: 9201}}\n" \
	"  replayers:\n"                                                 \
	"    mirror:\n"                                                  \
	"      fromCapturedTraffic: front\n"                             \
	"      toTarget: target\n"

static void write_minimal(struct buf *out, const char *scenario)
{
	bool backfill = strcmp(scenario, "replay") != 0, replay = strcmp(scenario, "backfill") != 0;

	buf_printf(out, SAMPLE_CLUSTERS, backfill ? SAMPLE_SNAPSHOT : "");
	buf_append_str(out,
		       backfill ? STR(SAMPLE_MIGRATION) : STR("snapshotMigrationConfigs: []\n"));
	if (replay)
		buf_append_str(out, STR(SAMPLE_TRAFFIC));
	if (replay && backfill)
		buf_append_str(out, STR("      dependsOnSnapshotMigrations:\n"
					"        - {source: source, snapshot: first}\n"));
}

static int run_sample(struct cli *cli, void *fields, struct err *err)
{
	const struct configure_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	cleanup(buf_release) struct buf text = BUF_INIT(CONFIGURATION_MAX);

	if (f->scenario || f->minimal)
		write_minimal(&text, f->scenario ? f->scenario : "both");
	else
		schema_write_sample(&text);
	if (buf_check(&text, "the sample", err) < 0)
		return -(int)err->kind;
	if (!f->load) {
		fwrite(text.ptr, 1, text.len, stdout);
		return 0;
	}
	if (workflow_session_open(&session, cli, &f->common, true, err) < 0 ||
	    save(&session, buf_str(&text), err) < 0)
		return -(int)err->kind;
	puts("The sample is the configuration now.");
	workflow_hint("`workflow configure edit` fills it in");
	return 0;
}

static int print_written(void (*write)(struct buf *out), struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(CONFIGURATION_MAX);

	write(&text);
	if (buf_check(&text, "the text", err) < 0)
		return -(int)err->kind;
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

static int run_schema(struct cli *cli, void *fields, struct err *err)
{
	(void)cli, (void)fields;
	return print_written(schema_write_json_schema, err);
}

static int run_reference(struct cli *cli, void *fields, struct err *err)
{
	(void)cli, (void)fields;
	return print_written(schema_write_reference, err);
}

#define FIELD(member) OPT_FIELD(struct configure_fields, member), .category = "Configuration"

static const struct opt edit_options[] = {{.name = "stdin",
					   .type = OPT_BOOL,
					   FIELD(from_stdin),
					   .help = "Take the text from standard input."},
					  {0}};
static const struct opt clear_options[] = {
	{.name = "confirm", .type = OPT_BOOL, FIELD(confirm), .help = "Do not ask."}, {0}};
static const struct opt sample_options[] = {
	{.name = "load",
	 .type = OPT_BOOL,
	 FIELD(load),
	 .help = "Make it the configuration instead of printing it."},
	{.name = "scenario",
	 .type = OPT_CHOICE,
	 FIELD(scenario),
	 .choices = "backfill|replay|both",
	 .help = "A short one: documents that are there, traffic that comes, or both."},
	{.name = "minimal", .type = OPT_BOOL, FIELD(minimal), .help = "Only what is needed."},
	{0}};

static const struct opt_part plain_parts[] = {WORKFLOW_PARTS, {0}};
static const struct opt_part edit_parts[] = {{edit_options, 0}, WORKFLOW_PARTS, {0}};
static const struct opt_part clear_parts[] = {{clear_options, 0}, WORKFLOW_PARTS, {0}};
static const struct opt_part sample_parts[] = {{sample_options, 0}, WORKFLOW_PARTS, {0}};

#define COMMAND(id, function, option_parts, words, text)         \
	const struct command command_workflow_configure_##id = { \
		.options = {.name = "workflow configure " words, \
			    .summary = text,                     \
			    .parts = option_parts},              \
		.fields_size = sizeof(struct configure_fields),  \
		.run = function}

COMMAND(view, run_view, plain_parts, "view", "Print the configuration, as it was written");
COMMAND(edit, run_edit, edit_parts, "edit", "Edit the configuration, in $EDITOR or --stdin");
COMMAND(clear, run_clear, clear_parts, "clear", "Forget the configuration");
COMMAND(sample, run_sample, sample_parts, "sample", "Print a configuration to start from");
COMMAND(schema, run_schema, plain_parts, "schema", "Print the JSON schema for editors");
COMMAND(reference, run_reference, plain_parts, "reference", "Print the reference of all fields");
