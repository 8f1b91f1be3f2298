/* What the readers of this room share, and the decoders behind them: they take a file's bytes
 * without its footer, so that the fuzz targets get past the checksum. */
#ifndef LUCENE_INTERNAL_H
#define LUCENE_INTERNAL_H

#include "lucene/codec_file.h"
#include "lucene/compound.h"
#include "lucene/field_infos.h"
#include "lucene/live_docs.h"
#include "lucene/segment_info.h"
#include "lucene/segment_infos.h"

/* A generation as file names and suffixes spell it: base 36, lower case. */
#define GENERATION_TEXT 16
struct str generation_text(int64_t generation, char text[static GENERATION_TEXT]);
/* Passes over a set of strings; over a map of strings. */
void rd_skip_string_set(struct rd *rd);
void rd_skip_string_map(struct rd *rd);

/* The same as Lucene 4 and 5.0 wrote them, their number an i32. */
void rd_skip_old_string_set(struct rd *rd);
void rd_skip_old_string_map(struct rd *rd);

int segment_infos_decode(struct str body, struct str generation, struct arena *mem,
			 struct segment_infos *out, struct err *err);
/* Segments of formats 6 to 10, from behind the index header on. */
int segment_infos_decode_53(struct rd *rd, struct arena *mem, struct segment_infos *out,
			    struct err *err);
/* Segments of formats 0 to 5, from behind the header on. */
int segment_infos_decode_40(struct rd *rd, struct arena *mem, struct segment_infos *out,
			    struct err *err);
/* Generations and counts that a segment can have. */
bool segment_commit_is_sane(const struct segment_commit *segment);
int segment_info_decode(struct str body, const uint8_t *id, struct segment_info *out,
			struct err *err);
/* True for Lucene40, 46 and 50SegmentInfo, and reads them. */
bool segment_info_is_40(const struct codec_header *header);
int segment_info_decode_40(struct str body, const uint8_t *id, struct segment_info *out,
			   struct err *err);
/* 1 is yes and -1 is no; anything else makes the cursor fail. */
bool rd_yes_no(struct rd *rd);
int field_infos_decode(struct str body, const uint8_t *id, struct str generation, struct arena *mem,
		       struct field_infos *out, struct err *err);
/* True for Lucene40, 42, 46 and 50FieldInfos, and reads them. */
bool field_infos_is_40(const struct codec_header *header);
int field_infos_decode_40(struct str body, const uint8_t *id, struct str generation,
			  struct arena *mem, struct field_infos *out, struct err *err);
/* `count` attributes of a field. */
int field_infos_read_attributes(struct rd *rd, size_t count, struct arena *mem,
				struct field_info *out, struct err *err);
/* Sorts the fields by number; two of one number are ERR_FORMAT. */
int field_infos_sort(struct field_infos *infos, struct err *err);
int live_docs_decode(struct str body, const struct segment_commit *commit, int32_t max_doc,
		     struct arena *mem, struct live_docs *out, struct err *err);
/* What a .del starts with. */
#define BIT_VECTOR_MARK 0xfffffffeu
/* A .del of Lucene 4. */
int live_docs_decode_40(struct str body, const struct segment_commit *commit, int32_t max_doc,
			struct arena *mem, struct live_docs *out, struct err *err);
/* Holds the number of dead documents against the commit's. */
int live_docs_check_count(const struct live_docs *live, const struct segment_commit *commit,
			  struct err *err);
/* Words of 64 bits for max_doc documents, all live. NULL at the arena's ceiling. */
uint64_t *live_docs_all_set(struct arena *mem, int32_t max_doc);

struct numeric_doc_values;
struct doc_values_files;
struct doc_values_meta;
struct bytes_source;
/* What `meta` says of `data` (owned from here on), the content of a .dvd without its footer, with
 * no check of either. Of `files`, directory, name and number of documents are looked at. */
int numeric_doc_values_over(const struct doc_values_files *files,
			    const struct doc_values_meta *meta, struct bytes_source *data,
			    struct numeric_doc_values **out, struct err *err);

struct column;
/* The same for a column of any type. */
int column_over(const struct doc_values_files *files, const struct doc_values_meta *meta,
		enum doc_values_type type, struct bytes_source *data, struct column **out,
		struct err *err);

/* The .dvd files of a segment whose checksums were found right, by name: each is passed over once
 * for all the columns in it. Thread-safe. */
struct proven_files;
struct proven_files *proven_files_new(void);
bool proven_files_has(struct proven_files *files, struct str name);
void proven_files_add(struct proven_files *files, struct str name);
/* Accepts NULL. */
void proven_files_free(struct proven_files *files);

struct bkd;
/* The points of a field in a .kdm without its footer. */
int points_meta_find(struct str body, const uint8_t *id, int32_t field, struct bkd *out,
		     bool *found, struct err *err);
/* Where a .dii says the points of a field are described in the .dim. */
int points_index_find_60(struct str body, const uint8_t *id, int32_t field, uint64_t *at,
			 bool *found, struct err *err);

struct compound_entry {
	struct str name; /* without the segment: ".fdt", "_Lucene90_0.dvd" */
	uint64_t offset, length;
};

struct compound_entries {
	const char *data_codec; /* what the .cfs must call itself */
	int32_t version;
	bool plain;                     /* of Lucene 4: no id in the header of the .cfs */
	struct compound_entry *entries; /* sorted by name */
	size_t count;
};

/* True for the entries of Lucene 4, and reads their header. */
bool compound_is_40(const struct codec_header *header);
int compound_header_read_40(struct rd *rd, const uint8_t *id, struct compound_entries *out,
			    struct err *err);
int compound_entries_decode(struct str body, const uint8_t *id, struct arena *mem,
			    struct compound_entries *out, struct err *err);

#endif
