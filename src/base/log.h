/* Log lines on standard error: `2026-11-21T10:24:00.123Z warn backfill message key=value`, or JSON.
 *
 * Only cli, the workflow and the worker loops log; other rooms return errors. Thread-safe. While a
 * progress bar is drawn, log_set_before is called before each line so that it can be wiped. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/compiler.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

void log_configure(enum log_level most, enum log_format format);
void log_set_hooks(void (*before)(void *), void (*after)(void *), void *user);
/* Safe in signal handlers. */
enum log_format log_format_now(void);
bool log_enabled(enum log_level level);
void log_line(enum log_level level, const char *module, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_error(module, ...) log_line(LOG_ERROR, module, __VA_ARGS__)
#define log_warn(module, ...) log_line(LOG_WARN, module, __VA_ARGS__)
#define log_info(module, ...) log_line(LOG_INFO, module, __VA_ARGS__)
#define log_debug(module, ...) log_line(LOG_DEBUG, module, __VA_ARGS__)

#endif
