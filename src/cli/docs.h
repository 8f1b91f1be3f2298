/* Manual pages, completions and the reference of commands, made of the tables that parse them. */
#ifndef CLI_DOCS_H
#define CLI_DOCS_H

#include "cli/command.h"

#include "base/buf.h"

/* The script for "bash", "zsh" or "fish"; ERR_USAGE for another shell. */
int docs_completion(const char *shell, struct buf *out, struct err *err);

#endif
