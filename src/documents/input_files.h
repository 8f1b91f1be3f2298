/* Files to read documents from: one, all of a folder, or standard input. */
#ifndef DOCUMENTS_INPUT_FILES_H
#define DOCUMENTS_INPUT_FILES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct input_file {
	const char *path;  /* "-": standard input */
	struct str name;   /* below the folder, or the file's own */
	struct str index;  /* the name without its endings; ptr NULL: standard input */
	uint64_t size;     /* as it lies there */
	uint64_t identity; /* of path, size and time of change: another one, another file */
};

struct input_files {
	struct arena mem;
	struct input_file *files; /* sorted by path */
	size_t count;
	uint64_t bytes;
	bool once;   /* standard input: cannot be read again */
	bool folder; /* not named one by one */
};

/* A folder's subfolders are read too; what begins with a dot or ends in .tmp is not. */
int input_files_open(const char *path, struct input_files *out, struct err *err);
void input_files_release(struct input_files *files);

#endif
