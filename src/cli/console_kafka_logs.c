/* Segment logs as topics: one partition each, their groups of readers as consumer groups. */
#include "cli/console_kafka.h"
#include "cli/names_in_folder.h"

#include "base/clock.h"
#include "traffic/segment_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOGS_MAX 1000
#define GROUPS_MAX 1000

struct logs {
	struct kafka_access access;
	const struct console *console;
	const char *folder; /* holds the logs */
};

static void readerp(struct segment_log_reader **reader)
{
	segment_log_reader_close(*reader);
}

static uint64_t bytes_in(const char *folder, struct arena *mem)
{
	struct str *names;
	size_t count;
	uint64_t bytes = 0;

	if (names_in_folder(folder, LOGS_MAX * 100, mem, &names, &count, NULL) < 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct str path = arena_printf(mem, "%s/" STR_FMT, folder, STR_ARG(names[i]));
		struct stat info;

		if (str_ends(names[i], STR(".segment")) && path.ptr && stat(path.ptr, &info) == 0)
			bytes += (uint64_t)info.st_size;
	}
	return bytes;
}

static int look(const char *folder, struct kafka_topic *topic, struct err *err)
{
	cleanup(readerp) struct segment_log_reader *reader = NULL;

	if (segment_log_reader_open(folder, &reader, err) < 0)
		return -(int)err->kind;
	return segment_log_reader_range(reader, &topic->first, &topic->end, err);
}

/* The log of the section replay may be anywhere. */
static const char *named_log(const struct logs *logs)
{
	const struct config_value *map = logs->console->services.sections[SERVICES_REPLAY];
	struct str log = config_text_or(config_get(map ? map->first : NULL, "log"), STR_NONE);

	return log.len > 0 ? arena_str(logs->console->mem, log).ptr : NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static int add_log(const char *folder, struct arena *mem, struct kafka_topic *list, size_t *count,
		   struct err *err)
{
	struct kafka_topic topic = {
		.name = str_from(base_name(folder)), .partitions = 1, .place = folder};
	struct err why = {0};

	if (!folder)
		return arena_fail(mem, "the list of logs", err);
	for (size_t i = 0; i < *count; i++)
		if (strcmp(list[i].place, folder) == 0)
			return 0;
	if (look(folder, &topic, &why) == -ERR_NOT_FOUND)
		return 0;
	if (why.kind != ERR_NONE) {
		*err = why;
		return -(int)why.kind;
	}
	topic.bytes = bytes_in(folder, mem);
	list[(*count)++] = topic;
	return 0;
}

static int topics(struct kafka_access *access, struct arena *mem, struct kafka_topic **out,
		  size_t *count, struct err *err)
{
	struct logs *logs = (struct logs *)access;
	const char *named = named_log(logs);
	struct str *names;
	size_t found;

	*count = 0;
	*out = arena_zalloc(mem, LOGS_MAX + 1, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "the list of logs", err);
	if (names_in_folder(logs->folder, LOGS_MAX, mem, &names, &found, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < found; i++)
		if (add_log(arena_printf(mem, "%s/" STR_FMT, logs->folder, STR_ARG(names[i])).ptr,
			    mem, *out, count, err) < 0)
			return -(int)err->kind;
	return named ? add_log(named, mem, *out, count, err) : 0;
}

static int find(struct kafka_access *access, const char *name, struct arena *mem,
		struct kafka_topic *out, struct err *err)
{
	struct kafka_topic *list;
	size_t count;

	if (topics(access, mem, &list, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (str_is(list[i].name, name)) {
			*out = list[i];
			return 0;
		}
	return err_set(err, ERR_NOT_FOUND,
		       "there is no topic '%s'; `console kafka list-topics` "
		       "tells those there are",
		       name);
}

static int partitions(struct kafka_access *access, const char *name, struct arena *mem,
		      struct kafka_part **out, size_t *count, struct err *err)
{
	struct kafka_topic topic;

	*count = 0;
	if (find(access, name, mem, &topic, err) < 0)
		return -(int)err->kind;
	*out = arena_zalloc(mem, 1, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "the partition", err);
	**out = (struct kafka_part){0, topic.first, topic.end};
	*count = 1;
	return 0;
}

static bool is_log_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= 200;
}

static int create(struct kafka_access *access, const char *name, struct err *err)
{
	struct logs *logs = (struct logs *)access;
	const struct segment_log_options options = {0};
	struct str folder = arena_printf(logs->console->mem, "%s/%s", logs->folder, name);
	struct segment_log *log;

	if (!is_log_name(name))
		return err_set(err, ERR_USAGE, "'%s' cannot name a log", name);
	if (!folder.ptr)
		return arena_fail(logs->console->mem, "a log", err);
	if (segment_log_open(folder.ptr, &options, &log, err) < 0)
		return -(int)err->kind;
	segment_log_close(log);
	return 0;
}

/* Put aside, not unlinked: captured traffic cannot be had again. */
static int remove_log(struct kafka_access *access, const char *name, struct err *err)
{
	struct logs *logs = (struct logs *)access;
	const struct segment_log_options options = {0};
	struct arena *mem = logs->console->mem;
	struct kafka_topic topic;
	struct segment_log *log;
	struct str to;

	if (find(access, name, mem, &topic, err) < 0)
		return -(int)err->kind;
	/* Who can open it to write is alone with it. */
	if (segment_log_open(topic.place, &options, &log, err) < 0)
		return -(int)err->kind;
	segment_log_close(log);
	to = arena_printf(mem, "%s/.deleted-%s-%" PRId64, logs->folder, name, clock_wall_ms());
	if (!to.ptr)
		return arena_fail(mem, "a log", err);
	if (rename(topic.place, to.ptr) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot move '%s' to '%s'", topic.place,
				     to.ptr);
	fprintf(stderr, "its files are in '%s'; remove them when nobody needs them\n", to.ptr);
	return 0;
}

static void add_name(struct str *list, size_t *count, struct str name)
{
	for (size_t i = 0; i < *count; i++)
		if (str_eq(list[i], name))
			return;
	if (*count < GROUPS_MAX)
		list[(*count)++] = name;
}

static int groups(struct kafka_access *access, struct arena *mem, struct str **out, size_t *count,
		  struct err *err)
{
	struct kafka_topic *list;
	size_t logs, found;
	struct str *names;

	*count = 0;
	*out = arena_zalloc(mem, GROUPS_MAX, sizeof(struct str));
	if (!*out)
		return arena_fail(mem, "the list of groups", err);
	if (topics(access, mem, &list, &logs, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < logs; i++) {
		struct str folder = arena_printf(mem, "%s/groups", list[i].place);

		if (!folder.ptr)
			return arena_fail(mem, "the list of groups", err);
		if (names_in_folder(folder.ptr, GROUPS_MAX, mem, &names, &found, err) < 0)
			return -(int)err->kind;
		for (size_t k = 0; k < found; k++)
			add_name(*out, count, names[k]);
	}
	qsort(*out, *count, sizeof(struct str), str_cmp_qsort);
	return 0;
}

/* How old the record is that the group stands at; -1: it is at the end. */
static int age_at(const char *folder, uint64_t offset, int64_t *out, struct err *err)
{
	cleanup(readerp) struct segment_log_reader *reader = NULL;
	struct segment_log_entry entry;
	int got;

	*out = -1;
	if (segment_log_reader_open(folder, &reader, err) < 0 ||
	    segment_log_reader_seek(reader, offset, err) < 0)
		return -(int)err->kind;
	got = segment_log_reader_next(reader, 0, &entry, err);
	if (got > 0 && entry.time_ms >= 0)
		*out = MAX(clock_wall_ms() - entry.time_ms, (int64_t)0);
	return got < 0 ? got : 0;
}

static int lags(struct kafka_access *access, const char *group, struct arena *mem,
		struct kafka_lag **out, size_t *count, struct err *err)
{
	struct kafka_topic *list;
	size_t logs;

	*count = 0;
	*out = arena_zalloc(mem, LOGS_MAX + 1, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "the groups", err);
	if (topics(access, mem, &list, &logs, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < logs; i++) {
		struct kafka_lag lag = {.topic = list[i].name, .end = list[i].end, .lag_ms = -1};
		int got = segment_log_group_committed(list[i].place, group, &lag.committed, err);

		if (got < 0)
			return got;
		if (got == 0)
			continue;
		lag.committed = MIN(lag.committed, lag.end);
		if (lag.committed < lag.end &&
		    age_at(list[i].place, lag.committed, &lag.lag_ms, err) < 0)
			return -(int)err->kind;
		(*out)[(*count)++] = lag;
	}
	if (*count > 0)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "there is no group '%s'; `console kafka list-consumer-groups` tells those "
		       "there are",
		       group);
}

static int show(struct kafka_access *access, const char *topic, struct console_command *command,
		struct err *err)
{
	struct kafka_topic found;

	if (find(access, topic, command->mem, &found, err) < 0)
		return -(int)err->kind;
	console_add(command, found.place);
	return 0;
}

static void close_logs(struct kafka_access *access)
{
	(void)access; /* the console's arena has it */
}

int kafka_logs_open(const struct console *console, struct kafka_access **out, struct err *err)
{
	static const struct kafka_access_ops ops = {topics, partitions, create, remove_log,
						    groups, lags,       show,   close_logs};
	struct logs *logs = arena_zalloc(console->mem, 1, sizeof(*logs));
	struct str folder = arena_printf(console->mem, "%s/capture", console->state_dir);

	if (!logs || !folder.ptr)
		return arena_fail(console->mem, "the logs", err);
	*logs = (struct logs){{&ops}, console, folder.ptr};
	*out = &logs->access;
	return 0;
}
