/* Small files that hold state: read whole, and replaced so that a reader, and this machine after a
 * power cut, finds the old content or the new one. */
#ifndef BASE_SMALL_FILE_H
#define BASE_SMALL_FILE_H

#include "base/buf.h"

/* Appends what the file holds to `out`. 1; 0: there is no such file; -ERR_IO; -ERR_LIMIT: it is
 * longer than `out` may become. */
int small_file_read(const char *path, struct buf *out, struct err *err);
/* Durable when it returns. Its folder is made when it is not there. ERR_IO. */
int small_file_replace(const char *path, struct str content, struct err *err);
/* Durable when it returns. One that is not there is a success. */
int small_file_remove(const char *path, struct err *err);

#endif
