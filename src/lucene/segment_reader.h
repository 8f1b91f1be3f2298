/* One segment, opened: its info, fields, live documents and stored fields. */
#ifndef LUCENE_SEGMENT_READER_H
#define LUCENE_SEGMENT_READER_H

#include "lucene/doc_values_files.h"
#include "lucene/live_docs.h"
#include "lucene/segment_info.h"
#include "lucene/segment_infos.h"
#include "lucene/stored_fields.h"

struct segment_reader {
	struct arena mem; /* holds what the fields below point to */
	struct segment_commit commit;
	struct segment_info info;
	struct field_infos base_infos;     /* as the segment was written */
	struct field_infos field_infos;    /* of the newest generation */
	struct segment_files files;        /* where all of it is; the outer directory is borrowed */
	struct live_docs live;             /* hard and soft deletes applied */
	struct lucene_directory *compound; /* NULL when the segment has files of its own */
	struct stored_fields *stored;
	struct proven_files *proven; /* doc values files whose checksum is right */
};

/* Opens a segment of `dir` (borrowed). Checks ids, footers and counts against one another, the
 * soft-delete count included. Errors name the segment and the file. */
int segment_reader_open(struct lucene_directory *dir, const struct segment_commit *commit,
			struct segment_reader **out, struct err *err);
/* Accepts NULL. */
void segment_reader_close(struct segment_reader *segment);

#endif
