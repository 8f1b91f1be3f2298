/* .si: what one segment says of itself. Lucene40, 46, 50, 62, 70, 86, 90 and 99 (which calls itself
 * 90). */
#ifndef LUCENE_SEGMENT_INFO_H
#define LUCENE_SEGMENT_INFO_H

#include "lucene/directory.h"

struct lucene_version {
	int32_t major, minor, bugfix;
};

struct segment_info {
	struct str format; /* the header's codec string, "Lucene90SegmentInfo" */
	struct lucene_version version;
	int32_t max_doc; /* documents, deleted and nested included */
	bool compound;
};

/* Reads <segment>.si. `id` (or NULL) is the segment's id in segments_N: another id is ERR_FORMAT.
 */
int segment_info_read(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		      struct arena *mem, struct segment_info *out, struct err *err);

#endif
