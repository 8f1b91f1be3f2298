/* segments_N: the commit point, a list of segments with their delete generations.
 * Formats 0 to 10 (Lucene 4.0 to 10). Layout and sources: docs/formats. */
#ifndef LUCENE_SEGMENT_INFOS_H
#define LUCENE_SEGMENT_INFOS_H

#include "lucene/directory.h"

struct segment_commit {
	struct str name;   /* "_0" */
	struct str codec;  /* as written; never used for dispatch */
	const uint8_t *id; /* 16 bytes; NULL for segments that Lucene 4 wrote */
	int64_t del_gen;   /* -1: no .liv or .del */
	int32_t del_count;
	int64_t field_infos_gen; /* -1: the .fnm of the segment itself */
	int64_t doc_values_gen;  /* -1: none */
	int32_t soft_del_count;  /* 0 before format 9 */
};

struct segment_infos {
	struct str file_name;  /* "segments_5" */
	int32_t format;        /* 0 to 10 */
	int32_t created_major; /* Lucene major that created the index; 0 before format 7 */
	struct segment_commit *segments;
	size_t count;
};

/* Reads the newest segments_N of the directory into the arena. ERR_NOT_FOUND when there is none,
 * ERR_UNSUPPORTED names a format outside 0..10. */
int segment_infos_read(struct lucene_directory *dir, struct arena *mem, struct segment_infos *out,
		       struct err *err);

#endif
