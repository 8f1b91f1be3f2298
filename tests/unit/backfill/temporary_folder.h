/* A folder for one test, and reading back what was written there. */
#ifndef TESTS_TEMPORARY_FOLDER_H
#define TESTS_TEMPORARY_FOLDER_H

#include "base/arena.h"
#include "base/limits.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void temporary_folder_remove(char **path)
{
	nftw(*path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(*path);
}

static inline char *temporary_folder(void)
{
	char pattern[] = "/tmp/shardlift-test-XXXXXX";

	return mem_strdup(mkdtemp(pattern) ? pattern : "/nonexistent");
}

/* A file's content, gzip or plain. */
static inline struct str read_text(const char *path, struct arena *mem)
{
	gzFile file = gzopen(path, "rb");
	char *text = arena_alloc(mem, MIB(1));
	int length = file ? gzread(file, text, MIB(1)) : -1;

	if (file)
		gzclose(file);
	return length < 0 ? STR_NONE : str_of(text, (size_t)length);
}

#endif
