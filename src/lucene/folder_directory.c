#include "lucene/directory.h"

#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void close_dirp(DIR **dirp)
{
	if (*dirp)
		closedir(*dirp);
}

static struct dirent *next_visible(DIR *dirp)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dirp);
	} while (entry && entry->d_name[0] == '.');
	return entry;
}

static int folder_list(struct lucene_directory *dir, struct arena *mem, struct str **names,
		       size_t *count, struct err *err)
{
	cleanup(close_dirp) DIR *dirp = opendir(dir->name);
	struct dirent *entry;
	size_t room = 0, used = 0;

	if (!dirp)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot open the folder '%s'",
				     dir->name);
	while (next_visible(dirp))
		room++;
	*names = arena_zalloc(mem, room, sizeof(**names));
	if (!*names)
		return arena_fail(mem, dir->name, err);
	rewinddir(dirp);
	while (used < room && (entry = next_visible(dirp))) {
		(*names)[used] = arena_str(mem, str_from(entry->d_name));
		if (!(*names)[used++].ptr)
			return arena_fail(mem, dir->name, err);
	}
	if (used < room && errno)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot list the folder '%s'",
				     dir->name);
	*count = used;
	return 0;
}

static int folder_open(struct lucene_directory *dir, struct str name, struct bytes_source **out,
		       struct err *err)
{
	char path[LIMIT_PATH];
	int length = snprintf(path, sizeof(path), "%s/" STR_FMT, dir->name, STR_ARG(name));

	if (length < 0 || (size_t)length >= sizeof(path))
		return err_set(err, ERR_LIMIT, "the path '%s/" STR_FMT "' is too long", dir->name,
			       STR_ARG(name));
	return file_source_open(path, out, err);
}

static void folder_close(struct lucene_directory *dir)
{
	free(dir->name);
	free(dir);
}

static const struct lucene_directory_ops folder_ops = {
	.list = folder_list, .open = folder_open, .close = folder_close};

int lucene_folder_open(const char *path, struct lucene_directory **out, struct err *err)
{
	cleanup(close_dirp) DIR *dirp = opendir(path);

	if (!dirp)
		return err_set_errno(
			err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_UNREADABLE,
			errno, "cannot open the folder '%s'", path);
	*out = mem_zalloc(sizeof(**out));
	**out = (struct lucene_directory){&folder_ops, mem_strdup(path)};
	return 0;
}
