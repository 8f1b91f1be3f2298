#include "cli/names_in_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#define NAMES_FIRST 1000

static void directory_closep(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

int names_in_folder(const char *folder, size_t most, struct arena *mem, struct str **out,
		    size_t *count, struct err *err)
{
	cleanup(directory_closep) DIR *directory = opendir(folder);
	int failed_errno = errno;
	struct dirent *entry;

	*count = 0;
	*out = arena_zalloc(mem, most, sizeof(struct str));
	if (!*out)
		return arena_fail(mem, "a list of names", err);
	if (!directory)
		return failed_errno == ENOENT ? 0
					      : err_set_errno(err, ERR_IO, failed_errno,
							      "cannot read '%s'", folder);
	while ((entry = readdir(directory)) && *count < most)
		if (entry->d_name[0] != '.' && !str_ends(str_from(entry->d_name), STR(".tmp")))
			(*out)[(*count)++] = arena_str(mem, str_from(entry->d_name));
	qsort(*out, *count, sizeof(struct str), str_cmp_qsort);
	return mem->failed ? arena_fail(mem, "a list of names", err) : 0;
}

int all_names_in_folder(const char *folder, struct arena *mem, struct str **out, size_t *count,
			struct err *err)
{
	size_t most = NAMES_FIRST;
	int got;

	while ((got = names_in_folder(folder, most, mem, out, count, err)) == 0 && *count == most)
		most *= 2;
	return got;
}
