/* The pair of files (.dvm, .dvd) that holds the newest values of a field.
 *
 * A field that was updated has its values in files of a generation, complete for the segment,
 * always outside of the compound file; else they are in the segment's own files. Such an update may
 * rewrite the attributes of fields whose values stay where they are, so each generation is read by
 * the field infos of its own. */
#ifndef LUCENE_DOC_VALUES_FILES_H
#define LUCENE_DOC_VALUES_FILES_H

#include "lucene/doc_values_meta.h"
#include "lucene/segment_infos.h"

/* Where a segment's files are. */
struct segment_files {
	struct lucene_directory *outer, *inner; /* inner: the compound, or the same as outer */
	const struct segment_commit *commit;
	const struct field_infos *base, *newest; /* of the base .fnm and of the newest one */
	int32_t max_doc;
};

struct doc_values_files {
	struct lucene_directory *dir;
	const struct field_infos *infos;
	const struct field_info *field;
	const uint8_t *id;
	int32_t max_doc;
	struct str suffix; /* in the headers: "[<generation>_]<format>_<n>" */
	struct str meta, data;
};

/* `field` is one of segment->newest. Names are allocated in `mem`. */
int doc_values_files_find(const struct segment_files *segment, const struct field_info *field,
			  struct arena *mem, struct doc_values_files *out, struct err *err);
/* Reads the .dvm. The addresses of the field are allocated in `mem`. An entry of another type than
 * the field has is not found. */
int doc_values_files_meta(const struct doc_values_files *files, struct arena *mem,
			  struct doc_values_meta *out, struct err *err);
/* Where the content of the .dvd ends. ERR_FORMAT when it is too short to have any. */
int doc_values_files_end(const struct bytes_source *data, const struct doc_values_meta *meta,
			 uint64_t *end, struct err *err);
/* Checks header of the .dvd; `first_bytes`: what it starts with. */
int doc_values_files_check(const struct doc_values_files *files, const struct doc_values_meta *meta,
			   struct str first_bytes, struct err *err);
/* Checks header and checksum of the .dvd in one pass over all of it, and keeps a range of it in
 * `range` (which is as long as that range, and may be NULL for none). */
int doc_values_files_prove(const struct doc_values_files *files, const struct doc_values_meta *meta,
			   struct bytes_source *data, uint64_t range_at, uint64_t range_length,
			   char *range, struct err *err);

#endif
