/* The lines of a bulk in another form. */
#ifndef BACKFILL_FILE_LINES_H
#define BACKFILL_FILE_LINES_H

#include "backfill/bulk_sink.h"

/* FILE_LINES_BULK is the body itself, and not asked for here. ERR_UNSUPPORTED: deletes, for which
 * no other form has words. */
int file_lines_write(const struct bulk *bulk, enum file_lines lines, struct buf *out,
		     struct err *err);

#endif
