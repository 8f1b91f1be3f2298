/* What `inspect lucene` prints of each segment of a directory. */
#ifndef CLI_INSPECT_SEGMENTS_H
#define CLI_INSPECT_SEGMENTS_H

#include "cli/output.h"
#include "lucene/segment_infos.h"
#include "lucene/segment_reader.h"

/* `base`: of its first document, in the directory. */
typedef int inspect_segment(const struct segment_reader *segment, const char *field, int64_t base,
			    struct output *out, struct err *err);

/* Prints one segment after the other to standard output. */
int inspect_each_segment(struct lucene_directory *dir, struct arena *mem, inspect_segment *print,
			 const char *field, struct err *err);

#endif
