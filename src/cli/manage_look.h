/* What `workflow manage` reads, again and again, with the engine up or down. */
#ifndef CLI_MANAGE_LOOK_H
#define CLI_MANAGE_LOOK_H

#include "cli/manage_model.h"
#include "cli/workflow_common.h"

/* Of the session's workflow as it is now; nothing yet is no error. All of it in `mem`. */
int manage_look_read(const struct workflow_fields *fields, const char *state_dir, struct arena *mem,
		     struct manage_look *out, struct err *err);
/* The step that is meant by a row: its own; of a group the one at work, else the one that failed,
 * else the last that began; of a gate the one before it. NULL: none has begun. */
const struct workflow_step *manage_step_of(const struct manage_look *look,
					   const struct manage_row *row);
/* Paths of its log and its report, in `mem`. NULL: there is none. */
const char *manage_log_path(const char *state_dir, const struct workflow_step *step,
			    struct arena *mem);
const char *manage_output_path(const char *state_dir, const struct manage_look *look,
			       const struct workflow_step *step, struct arena *mem);
/* The end of a file, up to 1 MiB of it, printable; "" while it is not there. */
struct str manage_file_text(const char *path, struct arena *mem);
/* `text` without control characters but line ends. ptr NULL: the arena is full. */
struct str manage_printable(struct str text, struct arena *mem);

#endif
