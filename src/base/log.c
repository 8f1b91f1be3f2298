#include "base/log.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define LONGEST_MESSAGE 4096

static atomic_int most_level = LOG_INFO;
static atomic_int line_format = LOG_TEXT;

/* Held while a line is written, so that lines and progress bars do not mix. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	void (*before)(void *);
	void (*after)(void *);
	void *user;
} hooks;

void log_configure(enum log_level most, enum log_format format)
{
	atomic_store(&most_level, (int)most);
	atomic_store(&line_format, (int)format);
}

enum log_format log_format_now(void)
{
	return (enum log_format)atomic_load(&line_format);
}

void log_set_hooks(void (*before)(void *), void (*after)(void *), void *user)
{
	pthread_mutex_lock(&lock);
	hooks.before = before;
	hooks.after = after;
	hooks.user = user;
	pthread_mutex_unlock(&lock);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load(&most_level);
}

static void format_json(struct buf *line, const char *time, const char *level, const char *module,
			const char *message)
{
	buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":", time, level);
	json_write_string(line, str_from(module));
	buf_append_str(line, STR(",\"message\":"));
	json_write_string(line, str_from(message));
	buf_append_str(line, STR("}\n"));
}

static void write_all(struct str s)
{
	ssize_t written;

	while (s.len && (written = write(STDERR_FILENO, s.ptr, s.len)) > 0)
		s = str_from_offset(s, (size_t)written);
}

void log_line(enum log_level level, const char *module, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	cleanup(buf_release) struct buf line = BUF_INIT(8 * LONGEST_MESSAGE);
	char message[LONGEST_MESSAGE], time[25];
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	utf8_clean(message);
	clock_format_utc(clock_wall_ms(), time);
	pthread_mutex_lock(&lock);
	if (log_format_now() == LOG_JSON)
		format_json(&line, time, names[level], module, message);
	else
		buf_printf(&line, "%s %s %s %s\n", time, names[level], module, message);
	if (hooks.before)
		hooks.before(hooks.user);
	write_all(buf_str(&line));
	if (hooks.after)
		hooks.after(hooks.user);
	pthread_mutex_unlock(&lock);
}
