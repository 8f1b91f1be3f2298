/* Preloaded into a program, remembers what a power cut would leave of its files: LD_PRELOAD.
 *
 * POWER_CUT_FOLDER   only files below it count
 * POWER_CUT_MEMORY   a folder to remember in, outside of it:
 *                    content/<inode>   what the file held when it was last synced
 *                    names/-<folder>   "inode name" of all it held when it was last synced;
 *                                      <folder> from POWER_CUT_FOLDER on, with % for /
 *
 * tests/faults/power_cut.py kills the program and makes the folder of that again. */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int real(const char *name, int fd)
{
	union {
		void *symbol;
		int (*call)(int);
	} next = {.symbol = dlsym(RTLD_NEXT, name)};

	return next.call(fd);
}

/* The path from the folder on ("" for itself); NULL when fd is not below it. */
static const char *path_below(int fd, char path[PATH_MAX])
{
	const char *folder = getenv("POWER_CUT_FOLDER");
	size_t folder_length = folder ? strlen(folder) : 0;
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, PATH_MAX - 1);
	if (!folder || length < 0)
		return NULL;
	path[length] = '\0';
	if (strncmp(path, folder, folder_length) != 0 ||
	    (path[folder_length] && path[folder_length] != '/'))
		return NULL;
	return path + folder_length;
}

static int begin_file(char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/unfinished-%d-%p", getenv("POWER_CUT_MEMORY"), getpid(),
		 (void *)path);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* Whoever is killed in between leaves the old one. */
static void end_file(int fd, const char *unfinished, const char *path)
{
	close(fd);
	if (rename(unfinished, path) < 0)
		abort();
}

static void remember_content(int fd, ino_t inode)
{
	char unfinished[PATH_MAX], path[PATH_MAX], bytes[65536];
	char source_path[64];
	int out = begin_file(unfinished), in;
	ssize_t length;

	snprintf(source_path, sizeof(source_path), "/proc/self/fd/%d", fd);
	in = open(source_path, O_RDONLY | O_CLOEXEC);
	if (in < 0 || out < 0)
		abort();
	while ((length = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)length) != length)
			abort();
	close(in);
	snprintf(path, sizeof(path), "%s/content/%ju", getenv("POWER_CUT_MEMORY"),
		 (uintmax_t)inode);
	end_file(out, unfinished, path);
}

static void remember_names(int fd, const char *below)
{
	char path[PATH_MAX], unfinished[PATH_MAX];
	int listed = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *entry;

	if (!folder)
		abort();
	/* One file a folder: its names, and what they stand for, a line each. */
	int out = begin_file(unfinished);
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			dprintf(out, "%ju %s\n", (uintmax_t)entry->d_ino, entry->d_name);
	closedir(folder);
	snprintf(path, sizeof(path), "%s/names/-%s", getenv("POWER_CUT_MEMORY"), below);
	for (char *at = path + strlen(path) - strlen(below); *at; at++)
		if (*at == '/')
			*at = '%';
	end_file(out, unfinished, path);
}

static int synced(int result, int fd)
{
	char path[PATH_MAX];
	const char *below = result == 0 ? path_below(fd, path) : NULL;
	struct stat status;

	if (!below || fstat(fd, &status) < 0)
		return result;
	if (S_ISDIR(status.st_mode))
		remember_names(fd, below);
	else
		remember_content(fd, status.st_ino);
	return result;
}

int fsync(int fd);
int fsync(int fd)
{
	return synced(real("fsync", fd), fd);
}

int fdatasync(int fd);
int fdatasync(int fd)
{
	return synced(real("fdatasync", fd), fd);
}
