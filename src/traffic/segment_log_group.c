#include "base/small_file.h"
#include "traffic/segment_file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { GROUP_NAME_MAX = 100 };

static bool is_group_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= GROUP_NAME_MAX && strspn(name, allowed) == len && name[0] != '.' &&
	       !str_ends(str_of(name, len), STR(".tmp"));
}

static int group_path(const char *folder, const char *group, char path[LIMIT_PATH], struct err *err)
{
	if (!is_group_name(group))
		return err_set(err, ERR_USAGE,
			       "'%s' cannot name a group of readers: 1 to %d of A-Z a-z 0-9 . _ -, "
			       "without '.' in front or '.tmp' at the end",
			       group, GROUP_NAME_MAX);
	if ((size_t)snprintf(path, LIMIT_PATH, "%s/groups/%s", folder, group) >= LIMIT_PATH)
		return err_set(err, ERR_LIMIT, "the path of the group '%s' is too long", group);
	return 0;
}

int segment_log_group_commit(const char *folder, const char *group, uint64_t offset,
			     struct err *err)
{
	char path[LIMIT_PATH], text[32];
	int failed = group_path(folder, group, path, err);

	if (failed < 0)
		return failed;
	snprintf(text, sizeof(text), "%" PRIu64 "\n", offset);
	return small_file_replace(path, str_from(text), err);
}

int segment_log_group_committed(const char *folder, const char *group, uint64_t *out,
				struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));
	char path[LIMIT_PATH];
	struct str line;
	int got = group_path(folder, group, path, err);

	if (got < 0 || (got = small_file_read(path, &text, err)) <= 0)
		return got;
	line = buf_str(&text);
	if (!str_ends(line, STR("\n")) || !str_to_u64(str_of(line.ptr, line.len - 1), out))
		return err_set(err, ERR_FORMAT,
			       "the offset in '%s' is damaged: put the offset to go on from into "
			       "it, or remove it",
			       path);
	return 1;
}

int segment_log_group_remove(const char *folder, const char *group, struct err *err)
{
	char path[LIMIT_PATH];
	int failed = group_path(folder, group, path, err);

	return failed < 0 ? failed : small_file_remove(path, err);
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int groups_committed(const char *folder, uint64_t *least, uint64_t *greatest, bool *any,
		     struct err *err)
{
	char path[LIMIT_PATH];
	cleanup(dir_closep) DIR *dir = NULL;
	struct dirent *entry;

	*any = false;
	*least = UINT64_MAX;
	*greatest = 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/groups", folder) >= sizeof(path))
		return err_set(err, ERR_LIMIT, "the path '%s' is too long", folder);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT
			       ? 0
			       : err_set_errno(err, ERR_IO, errno, "cannot list '%s'", path);
	while ((entry = readdir(dir))) {
		uint64_t offset;
		int got;

		if (!is_group_name(entry->d_name))
			continue;
		got = segment_log_group_committed(folder, entry->d_name, &offset, err);
		if (got < 0)
			return got;
		if (got == 0)
			continue;
		*any = true;
		*least = MIN(*least, offset);
		*greatest = MAX(*greatest, offset);
	}
	return 0;
}
