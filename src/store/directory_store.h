/* A blob store in a directory of this machine's file system: blobs are files. Thread-safe. */
#ifndef STORE_DIRECTORY_STORE_H
#define STORE_DIRECTORY_STORE_H

#include "store/blob_store.h"

/* `path` must be a directory: ERR_NOT_FOUND when it is missing or none, ERR_UNREADABLE when it may
 * not be entered. `uri` is what messages call the store. Both are copied. */
int directory_store_open(const char *path, const char *uri, struct blob_store **out,
			 struct err *err);

#endif
