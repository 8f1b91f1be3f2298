#include "traffic/record_source.h"

#include "base/base64.h"
#include "traffic/record_source_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int record_source_next(struct record_source *source, int timeout_ms, struct record_item *out,
		       struct err *err)
{
	*out = (struct record_item){.position.offset = RECORD_NOWHERE, .time_ms = -1};
	return source->ops->next(source, timeout_ms, out, err);
}

void record_source_finish(struct record_source *source, struct record_position position)
{
	if (source->ops->finish)
		source->ops->finish(source, position);
}

int record_source_commit(struct record_source *source, struct err *err)
{
	return source->ops->commit ? source->ops->commit(source, err) : 0;
}

void record_source_leave(struct record_source *source, uint32_t partition)
{
	if (source->ops->leave)
		source->ops->leave(source, partition);
}

bool record_source_progress(struct record_source *source, struct record_progress *out)
{
	return source->ops->progress && source->ops->progress(source, out);
}

void record_source_close(struct record_source *source)
{
	if (source)
		source->ops->close(source);
}

bool record_source_has_passed(struct record_source *source, int64_t time_ms)
{
	return !source->ops->has_passed || source->ops->has_passed(source, time_ms);
}

int record_line_decode(struct str line, struct str *key, struct buf *decoded, struct err *err)
{
	struct str text;

	while (line.len > 0 && strchr(" \t\r\n", line.ptr[line.len - 1]))
		line.len--;
	if (line.len == 0)
		return 0;
	if (!str_split(line, '|', key, &text)) {
		text = line;
		*key = STR_NONE;
	}
	buf_reset(decoded);
	if (!base64_decode(decoded, text) && !decoded->failed)
		return err_set(err, ERR_FORMAT,
			       "a line is neither base64 nor key|base64: \"" STR_FMT "\"",
			       STR_ARG(str_of(line.ptr, MIN(line.len, 40))));
	return buf_check(decoded, "the record of a line", err) < 0 ? -ERR_LIMIT : 1;
}

void record_line_encode(struct buf *out, struct str key, struct str bytes)
{
	if (key.ptr) {
		buf_append_str(out, key);
		buf_append_byte(out, '|');
	}
	base64_encode(out, bytes);
	buf_append_byte(out, '\n');
}

static int no_group_of(const char *path, struct err *err)
{
	return err_set(err, ERR_USAGE,
		       "'%s' keeps no group's offset, all of it is read each time: leave --group "
		       "out, or put it into a segment log with `shardlift traffic import` and name "
		       "that",
		       path);
}

/* What is no segment log. 1; 0: `path` is a folder without .protocap files. */
static int open_files(const char *path, const struct blob_store_options *store,
		      struct record_source **out, struct err *err)
{
	struct err failed = {0};
	struct stat status;
	int got;

	if (blob_store_is_uri(path) && !str_starts(str_from(path), STR("file:")))
		got = object_source_open(path, store, out, err);
	else if (strcmp(path, "-") == 0)
		/* NOLINTNEXTLINE(bugprone-branch-clone): this one is not looked for */
		got = file_source_records_open(path, out, err);
	else if (stat(path, &status) < 0)
		got = err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
				    "cannot open '%s'", path);
	else if (!S_ISDIR(status.st_mode))
		got = file_source_records_open(path, out, err);
	else if (trace_folder_open(path, out, &failed) < 0 && failed.kind == ERR_NOT_FOUND)
		return 0;
	else if ((got = -(int)failed.kind) < 0)
		*err = failed;
	return got < 0 ? got : 1;
}

int record_source_open(const char *path, const struct log_source_options *options,
		       struct record_source **out, struct err *err)
{
	int got = open_files(path, options ? options->store : NULL, out, err);

	if (got == 0)
		return log_source_open(path, options, out, err);
	if (got > 0 && options && options->group) {
		record_source_close(take(*out));
		return no_group_of(path, err);
	}
	return MIN(got, 0);
}
