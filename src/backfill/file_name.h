/* Names from a snapshot as names of files. */
#ifndef BACKFILL_FILE_NAME_H
#define BACKFILL_FILE_NAME_H

#include "base/buf.h"

/* Appends `name` as one path component that can mean nothing else: '/', '\', '%', control bytes
 * and a leading '.' are percent-encoded, an empty name is "%". Different names stay different. */
void file_name_append(struct buf *out, struct str name);

#endif
