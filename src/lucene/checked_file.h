/* A large file of a segment, opened for reading by ranges: its header is the one expected, and its
 * checksum was compared, once for each segment that is open. */
#ifndef LUCENE_CHECKED_FILE_H
#define LUCENE_CHECKED_FILE_H

#include "lucene/segment_reader.h"

struct checked_file {
	struct bytes_source *source; /* owned; NULL: not open */
	struct str name;
	struct str codec; /* of its header: one of those that were asked for */
	int32_t version;
	uint64_t start, end; /* of its content: behind the header, before the footer */
};

/* `name` outlives the file. `codecs`: space-separated, one of which its header must have; any other
 * is ERR_UNSUPPORTED and named. `suffix` as the header has it (Lucene 5 on). Where the segment has
 * no such file: ERR_NOT_FOUND. */
int checked_file_open(const struct segment_reader *segment, struct str name, struct str suffix,
		      const char *codecs, struct checked_file *out, struct err *err);
/* Does nothing to a zeroed one. */
void checked_file_close(struct checked_file *file);

#endif
