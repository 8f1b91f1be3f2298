#include "cli/console_common.h"

#include "base/small_file.h"
#include "base/state_dir.h"
#include "cluster/cluster.h"
#include "workflow/config_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONSOLE(member) OPT_FIELD(struct console_fields, member), .category = "Environment"
#define FILE_DEFAULT "/config/migration_services.yaml"

const struct opt console_options[] = {
	{.name = "config-file",
	 .type = OPT_STRING,
	 CONSOLE(config_file),
	 .metavar = "FILE",
	 .help = "services.yaml. Else " FILE_DEFAULT ", else services.yaml in the state directory, "
		 "else the workflow's configuration."},
	{.name = "force-use-config-file",
	 .type = OPT_BOOL,
	 CONSOLE(force),
	 .help = "Never the workflow's configuration (or MIGRATION_USE_SERVICES_YAML_CONFIG)."},
	{.name = "name",
	 .type = OPT_STRING,
	 CONSOLE(name),
	 .metavar = "NAME",
	 .help = "Which snapshot, migration or replay, where the workflow has several."},
	{.name = "workflow-name",
	 .type = OPT_STRING,
	 CONSOLE(workflow),
	 .metavar = "NAME",
	 .fallback = WORKFLOW_NAME_DEFAULT,
	 .help = "Which workflow, where there are several."},
	{.name = "session",
	 .type = OPT_STRING,
	 CONSOLE(session),
	 .metavar = "NAME",
	 .fallback = WORKFLOW_SESSION_DEFAULT,
	 .help = "Which configuration, where there are several."},
	{0},
};

#define WHICH(member) OPT_FIELD(struct console_cluster_fields, member), .category = "Clusters"

const struct opt console_cluster_options[] = {
	{.name = "cluster",
	 .type = OPT_STRING,
	 WHICH(cluster),
	 .metavar = "NAME",
	 .help = "source, target, proxy, or the name of a cluster. Without it, source and target."},
	{.name = "source",
	 .type = OPT_STRING,
	 WHICH(source),
	 .metavar = "NAME",
	 .help = "The source of this name."},
	{.name = "target",
	 .type = OPT_STRING,
	 WHICH(target),
	 .metavar = "NAME",
	 .help = "The target of this name."},
	{.name = "proxy",
	 .type = OPT_STRING,
	 WHICH(proxy),
	 .metavar = "NAME",
	 .help = "The capture proxy of this name."},
	{0},
};

/* --- Where the environment is from --- */

static bool is_forced(const struct console_fields *fields)
{
	const char *variable = getenv("MIGRATION_USE_SERVICES_YAML_CONFIG");

	return fields->force ||
	       (variable && (strcmp(variable, "true") == 0 || strcmp(variable, "True") == 0 ||
			     strcmp(variable, "1") == 0));
}

/* The file to read; NULL: there is none, *looked says where. */
static const char *find_file(struct console *console, const char **looked)
{
	struct str beside = arena_printf(console->mem, "%s/services.yaml", console->state_dir);

	*looked =
		arena_printf(console->mem, "'%s', '%s'", FILE_DEFAULT, beside.ptr ? beside.ptr : "")
			.ptr;
	if (console->fields->config_file)
		return console->fields->config_file;
	if (access(FILE_DEFAULT, F_OK) == 0)
		return FILE_DEFAULT;
	return beside.ptr && access(beside.ptr, F_OK) == 0 ? beside.ptr : NULL;
}

static int derive(struct console *console, struct str text, struct err *err)
{
	struct config_problems problems;
	struct config_value *root;

	if (config_parse(text, console->mem, &root, err) < 0 ||
	    config_check(root, console->mem, &problems, err) < 0)
		return err_wrap(err, "the workflow's configuration");
	if (problems.errors > 0)
		return err_set(err, ERR_USAGE,
			       "the workflow's configuration, line %zu: " STR_FMT " (" STR_FMT
			       "); `workflow configure edit` mends it",
			       problems.list[0].line, STR_ARG(problems.list[0].message),
			       STR_ARG(problems.list[0].path));
	return services_derive(root, console->state, console->state_dir, console->mem,
			       &console->services, err);
}

static int open_workflow(struct console *console, const char *looked, struct err *err)
{
	struct err why = {0};
	struct str text;
	int rc = workflow_state_open_read(console->state_dir, &console->state, &why);

	if (rc < 0 && why.kind != ERR_NOT_FOUND) {
		*err = why;
		return rc;
	}
	rc = rc < 0 ? 0
		    : workflow_config_read(console->state, console->fields->session, console->mem,
					   &text, err);
	if (rc > 0)
		return derive(console, text, err);
	return rc < 0 ? rc
		      : err_set(err, ERR_USAGE,
				"there is no services.yaml (%s) and no workflow configuration in "
				"'%s'; write one (docs/console.md), or `workflow configure edit`",
				looked, console->state_dir);
}

int console_open(struct console *console, struct cli *cli, const struct console_fields *fields,
		 struct err *err)
{
	const char *file, *looked;

	*console = (struct console){.fields = fields, .mem = cli->mem};
	if (state_dir_path(fields->general.state_dir, cli->mem, &console->state_dir, err) < 0)
		return -(int)err->kind;
	file = find_file(console, &looked);
	if (!file && is_forced(fields))
		return err_set(err, ERR_USAGE, "there is no services.yaml: neither of %s", looked);
	if (!file)
		return open_workflow(console, looked, err);
	if (services_load(file, console->state_dir, cli->mem, &console->services, err) == 0)
		return 0;
	/* One that is not there was named wrongly. */
	if (err->kind == ERR_NOT_FOUND)
		err->kind = ERR_USAGE;
	return -(int)err->kind;
}

void console_close(struct console *console)
{
	workflow_state_close(console->state);
}

/* --- Clusters --- */

int console_connect(const struct services_cluster *cluster, struct cluster **out, struct err *err)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 500, .max_delay_ms = 5000, .max_total_ms = 20000};

	return cluster_connect(&cluster->http, &retry, out, err);
}

static int pick(const struct console *console, const char *word, int role,
		struct console_clusters *out, struct err *err)
{
	struct services_cluster *cluster = &out->list[out->count];

	if (!word)
		return 0;
	if (out->count == CONSOLE_CLUSTERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d clusters; name one by --cluster",
			       CONSOLE_CLUSTERS_MAX);
	if (services_find_cluster(&console->services, word, console->mem, cluster, err) < 0)
		return -(int)err->kind;
	if (role >= 0 && (int)cluster->role != role)
		return err_set(err, ERR_USAGE, "'%s' is no %s; there are: %s", word,
			       services_role_name((enum services_role)role),
			       services_names(console->services.clusters[role], console->mem));
	out->count++;
	return 0;
}

static int pick_all(const struct console *console, enum services_role role,
		    struct console_clusters *out, struct err *err)
{
	config_each (cluster, console->services.clusters[role])
		if (pick(console, arena_str(console->mem, cluster->key).ptr, -1, out, err) < 0)
			return -(int)err->kind;
	return 0;
}

int console_pick_clusters(const struct console *console,
			  const struct console_cluster_fields *fields, struct console_clusters *out,
			  struct err *err)
{
	out->count = 0;
	if (pick(console, fields->cluster, -1, out, err) < 0 ||
	    pick(console, fields->source, SERVICES_SOURCE, out, err) < 0 ||
	    pick(console, fields->target, SERVICES_TARGET, out, err) < 0 ||
	    pick(console, fields->proxy, SERVICES_PROXY, out, err) < 0)
		return -(int)err->kind;
	if (out->count > 0)
		return 0;
	if (pick_all(console, SERVICES_SOURCE, out, err) < 0 ||
	    pick_all(console, SERVICES_TARGET, out, err) < 0)
		return -(int)err->kind;
	if (out->count > 0)
		return 0;
	return err_set(err, ERR_USAGE, "neither source nor target cluster is set in %s",
		       console->services.origin);
}

/* --- People --- */

int console_confirm(const char *what, const char *word, const char *flag, struct err *err)
{
	char typed[256] = "";

	if (!isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE,
			       "%s: there is no terminal to ask for a confirmation on; pass %s",
			       what, flag);
	fprintf(stderr, "%s; type '%s' to go on: ", what, word);
	if (fgets(typed, sizeof(typed), stdin))
		typed[strcspn(typed, "\r\n")] = '\0';
	if (strcmp(typed, word) == 0)
		return 0;
	return err_set(err, ERR_BLOCKED, "not confirmed, nothing was done; type '%s', or pass %s",
		       word, flag);
}

int console_print_json(const struct json *value, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(64));

	json_write_pretty(&text, value);
	if (buf_check(&text, "the answer", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}
