/* How `console` takes its words: options before the command, further arguments for tools. */
#ifndef CLI_CONSOLE_WORDS_H
#define CLI_CONSOLE_WORDS_H

#include "base/arena.h"

/* argv[0] is "console". Puts options that stand before the command behind it, and what `metadata
 * evaluate|migrate` are to pass on behind "--". The new list is in `mem`. */
int console_arguments(int *argc, char ***argv, struct arena *mem, struct err *err);
/* Whether MIGRATIONS_CLI_CONSOLE_DISABLE_LEGACY_COMMANDS hides the command of this name, such as
 * "console backfill start": what workflows took over. */
bool console_is_disabled(const char *name);
bool console_asks_for_version(int argc, char **argv);
/* Prints it; 0. */
int console_print_version(void);
/* 2 usage, or a section that is not set; 1 all else that failed. */
int console_exit_code(int code);

#endif
