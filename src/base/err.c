#include "base/err.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define FILES_ENOUGH 1024ULL

static void PRINTF_LIKE(3, 0)
	fill(struct err *err, enum err_kind kind, const char *fmt, va_list args)
{
	*err = (struct err){.kind = kind};
	vsnprintf(err->message, sizeof(err->message), fmt, args);
	utf8_clean(err->message);
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		fill(err, kind, fmt, args);
		va_end(args);
	}
	return -(int)kind;
}

static void add_file_limit(struct err *err)
{
	size_t used = strlen(err->message);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		snprintf(err->message + used, sizeof(err->message) - used,
			 "; this process may have %llu at a time and needs more: raise the limit "
			 "(ulimit -n) to %llu",
			 (unsigned long long)limit.rlim_cur,
			 MAX(FILES_ENOUGH, 2 * (unsigned long long)limit.rlim_cur));
}

int err_set_errno(struct err *err, enum err_kind kind, int errno_value, const char *fmt, ...)
{
	char reason[128];
	va_list args;
	size_t used;

	if (!err)
		return -(int)kind;
	va_start(args, fmt);
	fill(err, kind, fmt, args);
	va_end(args);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s",
		 strerror_r(errno_value, reason, sizeof(reason)));
	if (errno_value == EMFILE)
		add_file_limit(err);
	return -(int)kind;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char noun[sizeof(err->message)];
	size_t inner, outer;
	va_list args;

	if (!err)
		return -(int)ERR_IO;
	va_start(args, fmt);
	vsnprintf(noun, sizeof(noun), fmt, args);
	va_end(args);
	utf8_clean(noun);
	inner = strlen(err->message);
	outer = strlen(noun);
	/* Where both do not fit, the innermost reason is the part worth keeping. */
	if (outer + 2 + inner < sizeof(err->message)) {
		memmove(err->message + outer + 2, err->message, inner + 1);
		memcpy(err->message, noun, outer);
		memcpy(err->message + outer, ": ", 2);
	}
	return -(int)err->kind;
}

enum exit_code err_exit_code(const struct err *err)
{
	switch (err->kind) {
	case ERR_NONE:
		return EXIT_CODE_OK;
	case ERR_USAGE:
		return EXIT_CODE_USAGE;
	case ERR_UNREACHABLE:
	case ERR_HTTP:
	case ERR_AUTH:
		return EXIT_CODE_UNREACHABLE;
	case ERR_BLOCKED:
		return EXIT_CODE_BLOCKED;
	case ERR_FORMAT:
	case ERR_UNSUPPORTED:
	case ERR_UNREADABLE:
	case ERR_NOT_FOUND:
		return EXIT_CODE_SOURCE_UNREADABLE;
	case ERR_IO:
		return EXIT_CODE_LOCAL_IO;
	case ERR_TIMEOUT:
		return EXIT_CODE_TIMEOUT;
	case ERR_CANCELLED:
	case ERR_LEASE_LOST:
		return EXIT_CODE_INTERRUPTED;
	case ERR_CONFLICT:
	case ERR_LIMIT:
	case ERR_NOMEM:
		return EXIT_CODE_COMPLETED_WITH_ERRORS;
	}
	BUG("unknown error kind");
}
