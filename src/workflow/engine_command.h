/* What the files that make a step's command line share. */
#ifndef WORKFLOW_ENGINE_COMMAND_H
#define WORKFLOW_ENGINE_COMMAND_H

#include "workflow/engine_internal.h"

struct command_builder {
	struct engine *engine;
	struct engine_command *command;
	const struct json *spec; /* of the step's resource */
	struct arena *mem;
};

/* Of "source" or "target": "--source-" and "SHARDLIFT_SOURCE_". */
struct command_way {
	const char *member, *flags, *variables;
};
extern const struct command_way command_to_source, command_to_target;
/* Where a repository is registered is always --to. */
extern const struct command_way command_to_register;

/* --- engine_command.c: what is too much is told by engine_command_make --- */
void command_add(struct command_builder *b, const char *argument);
void command_add_words(struct command_builder *b, const char *const *words); /* NULL ends them */
/* Nothing for an empty value. */
void command_add_option(struct command_builder *b, const char *flag, struct str value);
void command_add_list(struct command_builder *b, const char *flag, const struct json *list);
/* Of the environment. */
void command_add_variable(struct command_builder *b, const char *name, struct str value);
/* A variable that takes the whole of a secret, or its user ("username") or "password".
 * ERR_USAGE: it is not there, or of another form. `of` is what it is of. */
int command_add_secret(struct command_builder *b, const char *variable, const char *of,
		       struct str name, const char *key, struct err *err);
/* The files of a secret are read from <state>/secrets/NAME. */
void command_add_folder(struct command_builder *b, struct str name);
/* ERR_USAGE: there is none. `of` is what it is of. */
int command_secret(struct command_builder *b, const char *of, struct str name, struct str *out,
		   struct err *err);
/* The transforms in a file, by the flags that name it or hold it (in base64): a pod has no such
 * file.
 */
int command_add_transforms(struct command_builder *b, const char *file_flag,
			   const char *base64_flag, struct str path, struct err *err);
int command_add_cluster(struct command_builder *b, const struct command_way *way, struct err *err);
void command_add_repository(struct command_builder *b, struct str snapshot);

/* --- engine_command_snapshot.c, _migration.c, _traffic.c --- */
int command_make_snapshot(struct command_builder *b, const struct engine_step *step,
			  struct err *err);
int command_make_migration(struct command_builder *b, const struct engine_step *step,
			   struct err *err);
/* engine_check.c */
int command_make_check(struct command_builder *b, struct err *err);
int command_make_traffic(struct command_builder *b, const struct engine_step *step,
			 struct err *err);

#endif
