#include "memory_directory.h"

#include "base/crc32.h"
#include "lucene/lucene_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define UNPACKED_MOST 48

static int memory_list(struct lucene_directory *dir, struct arena *mem, struct str **names,
		       size_t *count, struct err *err)
{
	struct memory_directory *memory = (struct memory_directory *)dir;

	(void)err;
	*names = arena_zalloc(mem, memory->count, sizeof(**names));
	for (size_t i = 0; i < memory->count; i++)
		(*names)[i] = str_from(memory->files[i].name);
	*count = memory->count;
	return 0;
}

static int memory_open(struct lucene_directory *dir, struct str name, struct bytes_source **out,
		       struct err *err)
{
	struct memory_directory *memory = (struct memory_directory *)dir;

	for (size_t i = 0; i < memory->count; i++) {
		struct memory_file *file = &memory->files[i];

		if (str_is(name, file->name)) {
			*out = memory_source_new(buf_str(&file->bytes), name);
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "no file '" STR_FMT "' in '%s'", STR_ARG(name),
		       dir->name);
}

static void memory_close(struct lucene_directory *dir)
{
	memory_directory_free((struct memory_directory *)dir);
}

static const struct lucene_directory_ops memory_ops = {
	.list = memory_list, .open = memory_open, .close = memory_close};

static void load(struct memory_directory *memory, const char *fixture)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct lucene_directory *folder;
	struct err err = {0};
	struct str *names;
	size_t count;
	char path[LIMIT_PATH];

	snprintf(path, sizeof(path), "%s/%s", LUCENE_FIXTURES, fixture);
	if (lucene_folder_open(path, &folder, &err) < 0 ||
	    lucene_directory_list(folder, &mem, &names, &count, &err) < 0)
		BUG(err.message);
	for (size_t i = 0; i < count; i++) {
		cleanup(bytes_source_closep) struct bytes_source *source = NULL;
		struct str bytes;

		if (lucene_directory_open(folder, names[i], &source, &err) < 0 ||
		    bytes_source_read_all(source, &mem, MIB(16), &bytes, &err) < 0)
			BUG(err.message);
		memory_directory_add(memory, names[i].ptr, bytes);
	}
	lucene_directory_close(folder);
}

struct memory_directory *memory_directory_new(const char *fixture)
{
	struct memory_directory *memory = mem_zalloc(sizeof(*memory));

	memory->directory = (struct lucene_directory){&memory_ops, mem_strdup("memory")};
	if (fixture)
		load(memory, fixture);
	return memory;
}

static void unpack_file(struct memory_directory *memory, struct rd *rd, bool footer)
{
	static const char footer_start[CODEC_FOOTER_LENGTH] = {(char)0xc0, 0x28, (char)0x93,
							       (char)0xe8};
	size_t name_length = rd_u8(rd);
	const uint8_t *name = rd_bytes(rd, name_length);
	size_t want = rd_be32(rd), length = MIN(want, rd_left(rd));
	const uint8_t *bytes = rd_bytes(rd, length);
	char text[UINT8_MAX + 1] = {0};
	struct memory_file *file;

	if (rd->failed || memchr(name, 0, name_length) || memory->count == UNPACKED_MOST)
		return;
	memcpy(text, name, name_length);
	if (memory_directory_find(memory, text))
		return;
	file = memory_directory_add(memory, text, str_of(bytes, length));
	if (!footer)
		return;
	buf_append(&file->bytes, footer_start, sizeof(footer_start));
	memory_file_reseal(file);
}

void memory_directory_unpack(struct memory_directory *memory, struct str packed)
{
	struct rd rd = rd_over(packed);
	bool footers = rd_u8(&rd) & 1;

	while (rd_left(&rd) > 0)
		unpack_file(memory, &rd, footers);
}

void memory_directory_free(struct memory_directory *memory)
{
	while (memory->count > 0)
		memory_directory_remove(memory, memory->files[0].name);
	free(memory->directory.name);
	free(memory);
}

struct memory_file *memory_directory_add(struct memory_directory *memory, const char *name,
					 struct str bytes)
{
	struct memory_file *file = &memory->files[memory->count++];

	if (memory->count > COUNT_OF(memory->files))
		BUG("too many files for a test directory");
	*file = (struct memory_file){mem_strdup(name), BUF_INIT(MIB(16))};
	buf_append_str(&file->bytes, bytes);
	return file;
}

struct memory_file *memory_directory_find(struct memory_directory *memory, const char *name)
{
	for (size_t i = 0; i < memory->count; i++)
		if (strcmp(memory->files[i].name, name) == 0)
			return &memory->files[i];
	return NULL;
}

void memory_directory_remove(struct memory_directory *memory, const char *name)
{
	struct memory_file *file = memory_directory_find(memory, name);

	free(file->name);
	buf_release(&file->bytes);
	*file = memory->files[--memory->count];
}

void memory_file_reseal(struct memory_file *file)
{
	uint64_t crc;

	if (file->bytes.len < 16)
		return;
	crc = __builtin_bswap64(crc32_update(0, file->bytes.ptr, file->bytes.len - 8));
	memcpy(file->bytes.ptr + file->bytes.len - 8, &crc, 8);
}
