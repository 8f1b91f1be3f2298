/* A Lucene directory whose files are in memory and can be damaged, for tests. */
#ifndef TESTS_MEMORY_DIRECTORY_H
#define TESTS_MEMORY_DIRECTORY_H

#include "base/buf.h"
#include "lucene/directory.h"

struct memory_file {
	char *name;
	struct buf bytes;
};

struct memory_directory {
	struct lucene_directory directory;
	struct memory_file files[64];
	size_t count;
};

/* Loads all files of a folder below the fixtures of Lucene ("10.5.0"), or none for NULL. */
struct memory_directory *memory_directory_new(const char *fixture);
/* Adds files packed into one: u8, whose lowest bit says that they end with a footer; then of each
 * u8 length of its name, the name, u32 (big-endian) length, its bytes without that footer, which
 * they are given here. What makes no file is passed over. */
void memory_directory_unpack(struct memory_directory *memory, struct str packed);
void memory_directory_free(struct memory_directory *memory);
struct memory_file *memory_directory_add(struct memory_directory *memory, const char *name,
					 struct str bytes);
/* NULL when there is none. */
struct memory_file *memory_directory_find(struct memory_directory *memory, const char *name);
void memory_directory_remove(struct memory_directory *memory, const char *name);
/* Makes the footer's checksum right again after the bytes were changed. */
void memory_file_reseal(struct memory_file *file);

#endif
