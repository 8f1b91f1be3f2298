/* Runs a fuzz target over files, and over every file of the folders named, without libFuzzer. */
#include "base/buf.h"
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int replay_file(const char *path)
{
	struct stat status;
	FILE *file = fopen(path, "rb");
	/* At its exact size on the heap, so that a sanitizer sees a byte read past it. */
	cleanup(mem_freep) uint8_t *bytes = NULL;
	size_t size;

	if (!file || fstat(fileno(file), &status) < 0) {
		perror(path);
		return -1;
	}
	size = (size_t)status.st_size;
	bytes = mem_alloc(size);
	if (fread(bytes, 1, size, file) != size)
		BUG("a file shrank while it was read");
	fclose(file);
	/* The last line before a crash names its input. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, size);
	return 1;
}

/* The number of files replayed, or -1. */
static int replay(const char *path)
{
	cleanup(buf_release) struct buf name = BUF_INIT(LIMIT_PATH);
	DIR *folder = opendir(path);
	struct dirent *entry;
	int count = 0, result = 0;

	if (!folder && errno == ENOTDIR)
		return replay_file(path);
	if (!folder) {
		perror(path);
		return -1;
	}
	while (result >= 0 && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		buf_reset(&name);
		buf_printf(&name, "%s/%s", path, entry->d_name);
		result = replay(buf_cstr(&name));
		count += result;
	}
	closedir(folder);
	return result < 0 ? -1 : count;
}

int main(int argc, char **argv)
{
	int count = 0, result;

	for (int i = 1; i < argc; i++) {
		result = replay(argv[i]);
		if (result < 0)
			return EXIT_FAILURE;
		count += result;
	}
	printf("%d inputs\n", count);
	return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
