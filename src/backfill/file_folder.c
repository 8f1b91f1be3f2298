#include "backfill/file_folder.h"

#include "backfill/bulk_sink.h"
#include "backfill/file_name.h"
#include "base/small_file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARK ".shardlift-export"
#define MARK_MAX KIB(64)

static void directory_closep(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Whether it holds anything but its mark: who empties a folder easily overlooks that one. */
static bool holds_files(const char *path)
{
	cleanup(directory_closep) DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, MARK) != 0)
			return true;
	return false;
}

static int read_mark(const char *file, const char *path, const char *mark, bool *marked,
		     struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MARK_MAX);
	int rc = small_file_read(file, &text, err);

	*marked = rc > 0;
	if (rc <= 0 || !holds_files(path) || str_is(str_trim(buf_str(&text)), mark))
		return MIN(rc, 0);
	return err_set(err, ERR_USAGE,
		       "the folder '%s' holds another export (" STR_FMT "), and this is %s; name a "
		       "new or an empty one",
		       path, STR_ARG(str_trim(buf_str(&text))), mark);
}

int file_folder_take(const char *path, const char *mark, bool *begun, struct err *err)
{
	cleanup(buf_release) struct buf file = BUF_INIT(LIMIT_PATH);
	bool marked;

	buf_printf(&file, "%s/" MARK, path);
	if (buf_check(&file, "the name of a folder", err) < 0 ||
	    read_mark(buf_cstr(&file), path, mark, &marked, err) < 0)
		return -(int)err->kind;
	*begun = marked && holds_files(path);
	return marked ? 0 : file_sink_prepare(path, err);
}

int file_folder_mark(const char *path, const char *mark, struct err *err)
{
	cleanup(buf_release) struct buf file = BUF_INIT(LIMIT_PATH);

	buf_printf(&file, "%s/" MARK, path);
	if (buf_check(&file, "the name of a folder", err) < 0)
		return -(int)err->kind;
	return small_file_replace(buf_cstr(&file), str_from(mark), err);
}

static bool is_in(int64_t doc, struct doc_range range)
{
	return doc >= range.first && doc < range.end;
}

/* SHARD-FIRST-N.ndjson…, as sinks that keep places name them. */
static bool is_to_go(const char *name, int32_t shard, struct doc_range range,
		     const struct doc_range *kept, size_t kept_count)
{
	int32_t of_shard;
	int64_t first;
	int length = 0;

	if (sscanf(name, "%" SCNd32 "-%" SCNd64 "-%n", &of_shard, &first, &length) < 2 ||
	    length == 0 || of_shard != shard || !is_in(first, range))
		return false;
	/* One without its final name was never whole. */
	if (str_ends(str_from(name), STR(".tmp")))
		return true;
	for (size_t i = 0; i < kept_count; i++)
		if (is_in(first, kept[i]))
			return false;
	return true;
}

int file_folder_forget(const char *path, struct str index, int32_t shard, struct doc_range range,
		       const struct doc_range *kept, size_t kept_count, struct err *err)
{
	cleanup(buf_release) struct buf folder = BUF_INIT(LIMIT_PATH);
	cleanup(directory_closep) DIR *directory = NULL;
	struct dirent *entry;

	buf_printf(&folder, "%s/", path);
	file_name_append(&folder, index);
	if (buf_check(&folder, "the name of a folder", err) < 0)
		return -(int)err->kind;
	directory = opendir(buf_cstr(&folder));
	if (!directory && errno == ENOENT)
		return 0;
	if (!directory)
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", buf_cstr(&folder));
	while ((entry = readdir(directory)))
		if (is_to_go(entry->d_name, shard, range, kept, kept_count) &&
		    unlinkat(dirfd(directory), entry->d_name, 0) < 0 && errno != ENOENT)
			return err_set_errno(err, ERR_IO, errno, "cannot remove '%s/%s'",
					     buf_cstr(&folder), entry->d_name);
	return fsync(dirfd(directory)) < 0
		       ? err_set_errno(err, ERR_IO, errno, "cannot write '%s'", buf_cstr(&folder))
		       : 0;
}
