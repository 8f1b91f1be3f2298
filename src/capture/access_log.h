/* Lines of JSON about requests, written by a thread of its own, so that a slow disk or pipe holds
 * no request up. Any thread. */
#ifndef CAPTURE_ACCESS_LOG_H
#define CAPTURE_ACCESS_LOG_H

#include "base/err.h"
#include "base/str.h"

#define ACCESS_LOG_WAITING_MAX MIB(4) /* bytes of lines that wait to be written */

struct access_log;

/* `path` is appended to, made 0600; "-": the standard output. Borrowed. `warn` has one line for the
 * operator when writing begins to fail, on the log's thread; NULL: not told. ERR_IO. */
int access_log_open(const char *path, void (*warn)(void *user, const char *message), void *user,
		    struct access_log **out, struct err *err);
/* Takes a copy of a whole line, with its line end. One that does not fit, because too much waits
 * already or `line` is none, is lost. */
void access_log_put(struct access_log *log, struct str line);
/* Lines that did not fit, or could not be written: a full disk, a pipe without a reader. */
uint64_t access_log_lost(struct access_log *log);
/* The file was moved away: writes what waits to a new one from now on. On failure (ERR_IO) it goes
 * on with the old one. */
int access_log_reopen(struct access_log *log, struct err *err);
/* Writes what waits. Accepts NULL. */
void access_log_close(struct access_log *log);

#endif
