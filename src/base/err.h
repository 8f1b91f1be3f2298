/* Errors: one idiom.
 *
 * A function that can fail returns 0 (iterators: 1 = item, 0 = end) or -kind, and takes a
 * `struct err *` last, which it fills on failure and leaves untouched on success. The struct is
 * the caller's, of fixed size; nothing is allocated. Each room that an error crosses wraps it once
 * with the noun it knows (which blob, shard, document). Rooms do not log: the command line does,
 * once.
 *
 * A message names the thing, the place and the next step, starts in lower case and has no full
 * stop. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/compiler.h"

enum err_kind {
	ERR_NONE = 0,
	ERR_IO,          /* this machine's files: full disk, permission */
	ERR_FORMAT,      /* bytes that are not what they should be: damaged, truncated */
	ERR_UNSUPPORTED, /* recognised, and not readable (yet) */
	ERR_UNREADABLE,  /* the source is there and cannot be read */
	ERR_NOT_FOUND,   /* blob, snapshot, index that should be there and is not */
	ERR_UNREACHABLE, /* no connection, name not resolved, TLS refused */
	ERR_HTTP,        /* an answer with a status that means failure (http_status) */
	ERR_AUTH,        /* 401 or 403 */
	ERR_TIMEOUT,
	ERR_CONFLICT,   /* something newer or other is there already */
	ERR_LEASE_LOST, /* another worker holds the work item now */
	ERR_LIMIT,      /* a ceiling was reached; the message names it */
	ERR_NOMEM,
	ERR_USAGE,     /* flags or configuration */
	ERR_BLOCKED,   /* a gate or an assessment says no */
	ERR_CANCELLED, /* the user or a signal stopped it; it can be resumed */
};

struct err {
	enum err_kind kind;
	bool retry;      /* trying the same again may succeed */
	int http_status; /* 0 if none */
	char message[1000];
};

/* Fills *err (which may be NULL) and returns -kind. Too long messages are cut, and what strangers
 * wrote is made fit to be shown (utf8_clean). */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As err_set, with ": " and strerror(errno_value) appended. */
int err_set_errno(struct err *err, enum err_kind kind, int errno_value, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* Puts "fmt: " before the message of an error already set; returns its -kind again. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The exit codes of every command. */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_COMPLETED_WITH_ERRORS = 1, /* or: different */
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_UNREACHABLE = 3, /* or refused, authentication included */
	EXIT_CODE_BLOCKED = 4,
	EXIT_CODE_SOURCE_UNREADABLE = 5, /* or unsupported */
	EXIT_CODE_LOCAL_IO = 6,
	EXIT_CODE_TIMEOUT = 7,
	EXIT_CODE_INTERRUPTED = 8, /* resumable */
};

enum exit_code err_exit_code(const struct err *err);

#endif
