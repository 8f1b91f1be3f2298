/* Failed document streams read back: their files, and the lines of one. */
#ifndef BACKFILL_FAILED_DOCUMENTS_READ_H
#define BACKFILL_FAILED_DOCUMENTS_READ_H

#include "base/arena.h"
#include "base/buf.h"

/* A file of a stream. Strings end with NUL. */
struct failed_documents_file {
	struct str path;
	struct str home; /* its folder session=…; the folder that was asked for where it has none */
};

struct failed_documents_files {
	struct arena mem;
	struct failed_documents_file *files;
	size_t count;
};

/* All files *.ndjson.gz below `folder`, in the order of their paths; none when it is not there.
 * `session` NULL: of all sessions. Symbolic links are not followed. */
int failed_documents_find(const char *folder, const char *session,
			  struct failed_documents_files *out, struct err *err);
void failed_documents_files_release(struct failed_documents_files *files);

struct failed_documents_reader;

/* `path` is opened; from a descriptor (owned from here on) it is for messages. */
int failed_documents_reader_open(const char *path, struct failed_documents_reader **out,
				 struct err *err);
struct failed_documents_reader *failed_documents_reader_over(int fd, const char *path);
/* 1: the next line, without its line break, borrowed until the next call; 0: the end. A file that
 * ends in the middle of a member (its writer was killed, or is still at work) ends with its last
 * whole line. ERR_FORMAT names file and reason where it is damaged otherwise; ERR_LIMIT for a line
 * that is longer than any record. */
int failed_documents_reader_next(struct failed_documents_reader *reader, struct str *line,
				 struct err *err);
/* At the end: whether the file ends in the middle of a member or line. */
bool failed_documents_reader_is_cut(const struct failed_documents_reader *reader);
/* Accepts NULL. */
void failed_documents_reader_close(struct failed_documents_reader *reader);

#endif
