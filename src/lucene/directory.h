/* A Lucene directory: files by their Lucene names. A file system folder, the content of a compound
 * file, or a shard inside a snapshot. Opening is thread-safe. */
#ifndef LUCENE_DIRECTORY_H
#define LUCENE_DIRECTORY_H

#include "base/bytes_source.h"

struct lucene_directory;

struct lucene_directory_ops {
	int (*list)(struct lucene_directory *dir, struct arena *mem, struct str **names,
		    size_t *count, struct err *err);
	int (*open)(struct lucene_directory *dir, struct str name, struct bytes_source **out,
		    struct err *err);
	void (*close)(struct lucene_directory *dir);
};

/* Implementations embed this as their first member. */
struct lucene_directory {
	const struct lucene_directory_ops *ops;
	char *name; /* for messages; owned by the implementation */
};

/* All file names, in no order. */
int lucene_directory_list(struct lucene_directory *dir, struct arena *mem, struct str **names,
			  size_t *count, struct err *err);
/* ERR_NOT_FOUND names the file and the directory. Sources are closed before the directory. */
int lucene_directory_open(struct lucene_directory *dir, struct str name, struct bytes_source **out,
			  struct err *err);
/* Accepts NULL. */
void lucene_directory_close(struct lucene_directory *dir);

/* A folder of the file system, as a node's data path or a copy of it holds. */
int lucene_folder_open(const char *path, struct lucene_directory **out, struct err *err);

#endif
