#include "documents/input_files.h"

#include "base/json_hash.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILES_MAX 262144
#define DEPTH_MAX 16

struct listing {
	struct input_files *out;
	size_t capacity, root; /* length of the folder's path, with its slash */
};

static void directory_closep(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static struct str last_name(struct str path, struct str *parent)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
	size_t at = slash ? (size_t)(slash - path.ptr) : 0;

	*parent = slash ? str_of(path.ptr, at) : STR_NONE;
	return slash ? str_from_offset(path, at + 1) : path;
}

/* "3-14", as a backfill calls the files of a shard. */
static bool is_of_shard(struct str name)
{
	struct str shard, number;
	uint64_t value;

	return str_split(name, '-', &shard, &number) && str_to_u64(shard, &value) &&
	       str_to_u64(number, &value);
}

/* "logs.ndjson.gz" is of logs; in a folder that a backfill filled, the folder is the index. */
static struct str index_of(const char *path)
{
	static const char *const endings[] = {".gz", ".zst", ".zstd", ".ndjson", ".jsonl", ".json"};
	struct str folder, above, base = last_name(str_from(path), &folder);

	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (str_ends(base, str_from(endings[i])) && base.len > strlen(endings[i]))
			base.len -= strlen(endings[i]);
	if (is_of_shard(base) && last_name(folder, &above).len > 0)
		return last_name(folder, &above);
	return base;
}

static int add(struct listing *listing, const char *path, const struct stat *status,
	       struct err *err)
{
	struct input_files *out = listing->out;
	struct input_file *file;
	struct str identity;

	if (out->count == FILES_MAX)
		return err_set(err, ERR_LIMIT, "'%s' holds more than %d files; read it in parts",
			       out->files[0].path, FILES_MAX);
	if (out->count == listing->capacity) {
		listing->capacity = MAX(listing->capacity * 2, (size_t)16);
		out->files = mem_realloc(out->files, listing->capacity * sizeof(*out->files));
	}
	file = &out->files[out->count++];
	*file = (struct input_file){.path = arena_str(&out->mem, str_from(path)).ptr,
				    .size = (uint64_t)status->st_size};
	identity = arena_printf(&out->mem, "%s %lld %lld.%ld", path + listing->root,
				(long long)status->st_size, (long long)status->st_mtim.tv_sec,
				status->st_mtim.tv_nsec);
	if (out->mem.failed)
		return arena_fail(&out->mem, "the names of files", err);
	file->name = str_from(file->path + listing->root);
	file->index = index_of(file->path);
	file->identity = bytes_hash(identity).low;
	out->bytes += file->size;
	return 0;
}

static int add_folder(struct listing *listing, const char *path, int depth, struct err *err);

static int add_entry(struct listing *listing, const char *path, int depth, struct err *err)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNREADABLE, errno,
				     "cannot read '%s'", path);
	if (S_ISDIR(status.st_mode))
		return add_folder(listing, path, depth + 1, err);
	if (!S_ISREG(status.st_mode) && depth >= 0)
		return 0;
	listing->out->once = !S_ISREG(status.st_mode); /* a pipe */
	return add(listing, path, &status, err);
}

static int add_folder(struct listing *listing, const char *path, int depth, struct err *err)
{
	cleanup(directory_closep) DIR *directory = opendir(path);
	struct dirent *entry;
	int rc = 0;

	if (!directory)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot read the folder '%s'",
				     path);
	if (depth > DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "'%s' is more than %d folders deep", path,
			       DEPTH_MAX);
	while (rc == 0 && (entry = readdir(directory))) {
		struct str name = str_from(entry->d_name), below;

		if (str_starts(name, STR(".")) || str_ends(name, STR(".tmp")))
			continue;
		below = arena_printf(&listing->out->mem, "%s/%s", path, entry->d_name);
		if (!below.ptr)
			return arena_fail(&listing->out->mem, "the names of files", err);
		rc = add_entry(listing, below.ptr, depth, err);
	}
	return rc;
}

/* Numbers in names by their value: 2 stands before 10, as their writer wrote them. */
static int by_path(const void *a, const void *b)
{
	return strverscmp(((const struct input_file *)a)->path,
			  ((const struct input_file *)b)->path);
}

int input_files_open(const char *path, struct input_files *out, struct err *err)
{
	struct listing listing = {.out = out};
	const char *slash = strrchr(path, '/');
	struct stat status;
	int rc;

	*out = (struct input_files){.mem = ARENA_INIT(MIB(256))};
	if (strcmp(path, "-") == 0) {
		out->once = true;
		out->files = mem_zalloc(sizeof(*out->files));
		out->files[out->count++] =
			(struct input_file){.path = "-", .name = STR("standard input")};
		return 0;
	}
	out->folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
	if (out->folder)
		listing.root = strlen(path) + 1;
	else
		listing.root = slash ? (size_t)(slash - path) + 1 : 0;
	rc = add_entry(&listing, path, -1, err);
	if (rc == 0 && out->count == 0)
		rc = err_set(err, ERR_NOT_FOUND, "the folder '%s' holds no files", path);
	if (rc == 0)
		qsort(out->files, out->count, sizeof(*out->files), by_path);
	return rc;
}

void input_files_release(struct input_files *files)
{
	free(files->files);
	arena_release(&files->mem);
	*files = (struct input_files){0};
}
