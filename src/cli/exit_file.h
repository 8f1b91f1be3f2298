/* What a process says of its end to one that may look for it later: the engine, or the next one. */
#ifndef CLI_EXIT_FILE_H
#define CLI_EXIT_FILE_H

#include "base/err.h"

/* Writes {"code":N,"reason":"…","time":"…"} to the file that $SHARDLIFT_EXIT_FILE names, if it is
 * set. What cannot be written is told in the log. */
void exit_file_write(int code, const char *reason);

#endif
