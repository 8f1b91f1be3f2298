/* A folder of .protocap files, as --trace-directory and the Java proxy write them. */
#include "traffic/record_source_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct trace_file {
	char *name;
	struct str connection; /* a slice of it */
	uint64_t number;
};

struct trace_folder {
	struct record_source source;
	struct trace_file *files; /* owned, as their names are */
	size_t count, next;
	struct record_source *open; /* the file whose record was given last */
};

static bool parse_name(struct trace_file *file)
{
	struct str name = str_from(file->name), stem;
	size_t bar;

	if (!str_ends(name, STR(".protocap")))
		return false;
	stem = str_of(name.ptr, name.len - strlen(".protocap"));
	for (bar = stem.len; bar > 0 && stem.ptr[bar - 1] != '_'; bar--)
		;
	file->connection = bar > 0 ? str_of(stem.ptr, bar - 1) : stem;
	if (bar == 0 || !str_to_u64(str_from_offset(stem, bar), &file->number))
		file->number = 0;
	return true;
}

static int by_connection_and_number(const void *a, const void *b)
{
	const struct trace_file *first = a, *second = b;
	int order = str_cmp(first->connection, second->connection);

	if (order != 0)
		return order;
	return (first->number > second->number) - (first->number < second->number);
}

static int trace_next(struct record_source *source, int timeout_ms, struct record_item *out,
		      struct err *err)
{
	struct trace_folder *folder = (struct trace_folder *)source;
	char path[LIMIT_PATH];
	int got;

	record_source_close(take(folder->open));
	if (folder->next == folder->count)
		return RECORD_SOURCE_END;
	out->position.offset = folder->next;
	snprintf(path, sizeof(path), "%s/%s", source->name, folder->files[folder->next++].name);
	if ((got = file_source_records_open(path, &folder->open, err)) < 0)
		return got;
	got = record_source_next(folder->open, timeout_ms, out, err);
	out->position.offset = folder->next - 1;
	return got;
}

static void trace_close(struct record_source *source)
{
	struct trace_folder *folder = (struct trace_folder *)source;

	record_source_close(folder->open);
	for (size_t i = 0; i < folder->count; i++)
		free(folder->files[i].name);
	free(folder->files);
	free(source->name);
	free(folder);
}

static const struct record_source_ops trace_ops = {.next = trace_next, .close = trace_close};

static void list_files(struct trace_folder *folder, DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		struct trace_file file = {.name = mem_strdup(entry->d_name)};

		if (!parse_name(&file)) {
			free(file.name);
			continue;
		}
		folder->files =
			mem_realloc(folder->files, (folder->count + 1) * sizeof(*folder->files));
		folder->files[folder->count++] = file;
	}
	if (folder->count > 0)
		qsort(folder->files, folder->count, sizeof(*folder->files),
		      by_connection_and_number);
}

int trace_folder_open(const char *path, struct record_source **out, struct err *err)
{
	DIR *dir = opendir(path);
	struct trace_folder *folder;

	if (!dir)
		return err_set_errno(err, ERR_IO, errno, "cannot list '%s'", path);
	folder = mem_zalloc(sizeof(*folder));
	folder->source.ops = &trace_ops;
	folder->source.name = mem_strdup(path);
	list_files(folder, dir);
	closedir(dir);
	if (folder->count == 0) {
		trace_close(&folder->source);
		return err_set(err, ERR_NOT_FOUND, "there is no .protocap file in '%s'", path);
	}
	*out = &folder->source;
	return 0;
}
