/* A gzip file that is whole after each sync: every sync ends a member, and members that follow one
 * another read as one text. */
#ifndef BACKFILL_GZIP_FILE_H
#define BACKFILL_GZIP_FILE_H

#include "base/err.h"
#include "base/str.h"

struct gzip_file;

/* Creates `name` in the folder `at` (borrowed); it must not be there yet. `path` is for messages.
 */
int gzip_file_create(int at, const char *name, const char *path, struct gzip_file **out,
		     struct err *err);
int gzip_file_append(struct gzip_file *file, struct str text, struct err *err);
/* All that was appended is on the disk, and readable. */
int gzip_file_sync(struct gzip_file *file, struct err *err);
/* Bytes appended, before compression. */
uint64_t gzip_file_length(const struct gzip_file *file);
/* Without a sync; accepts NULL. */
void gzip_file_close(struct gzip_file *file);

#endif
