/* What the commands of `console` share: the environment, and running other commands in it. */
#ifndef CLI_CONSOLE_COMMON_H
#define CLI_CONSOLE_COMMON_H

#include "cli/command.h"
#include "cli/common_options.h"
#include "cluster/cluster.h"
#include "workflow/services.h"
#include "workflow/state.h"

/* Each command's struct starts with these. */
struct console_fields {
	struct general_fields general;
	const char *config_file, *workflow, *session, *name;
	bool force;
};
extern const struct opt console_options[];
#define CONSOLE_PARTS {console_options, 0}, {general_options, 0}

struct console {
	const struct console_fields *fields;
	struct arena *mem;
	const char *state_dir;
	struct services services;
	struct workflow_state *state; /* NULL: of a file */
};
/* Reads services.yaml, or the workflow's configuration where there is no such file. ERR_USAGE:
 * neither is there, or something is wrong with it. */
int console_open(struct console *console, struct cli *cli, const struct console_fields *fields,
		 struct err *err);
/* For cleanup(). */
void console_close(struct console *console);
/* Connects as services say. */
int console_connect(const struct services_cluster *cluster, struct cluster **out, struct err *err);
/* The text typed is to be `word`. ERR_USAGE where nobody can be asked; ERR_BLOCKED: not typed. */
int console_confirm(const char *what, const char *word, const char *flag, struct err *err);
/* Where failed documents of a section backfill (NULL: any) are kept: a folder, or
 * s3://BUCKET/PREFIX.
 */
struct str console_failed_place(const struct console *console, const struct config_value *section);
/* Prints it with a line end. */
int console_print_json(const struct json *value, struct err *err);
/* "clusters" of the command line: --cluster, --source, --target, --proxy. */
struct console_cluster_fields {
	const char *cluster, *source, *target, *proxy;
};
extern const struct opt console_cluster_options[];
#define CONSOLE_CLUSTERS_MAX 32
struct console_clusters {
	struct services_cluster list[CONSOLE_CLUSTERS_MAX];
	size_t count;
};
/* Those that were named, else all of source and target. */
int console_pick_clusters(const struct console *console,
			  const struct console_cluster_fields *fields, struct console_clusters *out,
			  struct err *err);

/* --- console_run.c: other commands of this program --- */

#define CONSOLE_ARGUMENTS_MAX 512
#define CONSOLE_SECRETS_MAX 8

struct console_command {
	struct arena *mem;
	const char *argv[CONSOLE_ARGUMENTS_MAX];
	size_t count;
	const char *secrets[CONSOLE_SECRETS_MAX][2]; /* "source-password" and its value */
	size_t secret_count;
	const char *refused; /* of services.yaml, that no other command knows; NULL: nothing */
	bool failed;         /* too many, or the arena is full */
};
/* Whether all of it could be said: ERR_UNSUPPORTED, ERR_LIMIT. */
int console_command_check(const struct console_command *command, struct err *err);
void console_add(struct console_command *command, const char *argument);
/* Nothing where the value is NULL or empty. */
void console_add_option(struct console_command *command, const char *flag, const char *value);
void console_add_text(struct console_command *command, const char *flag, struct str value);
void console_add_list(struct console_command *command, const char *flag,
		      const struct config_value *list);
/* --SIDE-NAME; not among the words until it runs. NULL: nothing. */
void console_add_secret(struct console_command *command, const char *side, const char *name,
			const char *value);
/* As "source" or "target". */
void console_add_cluster(struct console_command *command, const char *side,
			 const struct services_cluster *cluster);
/* --repo-uri and what goes with it, of a section with s3, fs or gcs. */
void console_add_repository(struct console_command *command, const struct config_value *section);
/* Runs it in this process: its exit code, or an error. */
int console_delegate(const struct console *console, const struct command *command,
		     struct console_command *arguments, struct err *err);

#endif
