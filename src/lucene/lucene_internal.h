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

int segment_infos_decode(struct str body, struct str generation, struct arena *mem,
			 struct segment_infos *out, struct err *err);
/* Segments of formats 6 to 10, from behind the index header on. */
int segment_infos_decode_53(struct rd *rd, struct arena *mem, struct segment_infos *out,
			    struct err *err);
int segment_info_decode(struct str body, const uint8_t *id, struct segment_info *out,
			struct err *err);
int field_infos_decode(struct str body, const uint8_t *id, struct str generation, struct arena *mem,
		       struct field_infos *out, struct err *err);
int live_docs_decode(struct str body, const struct segment_commit *commit, int32_t max_doc,
		     struct arena *mem, struct live_docs *out, struct err *err);
/* Words of 64 bits for max_doc documents, all live. NULL at the arena's ceiling. */
uint64_t *live_docs_all_set(struct arena *mem, int32_t max_doc);

struct compound_entry {
	struct str name; /* without the segment: ".fdt", "_Lucene90_0.dvd" */
	uint64_t offset, length;
};

struct compound_entries {
	const char *data_codec; /* what the .cfs must call itself */
	int32_t version;
	struct compound_entry *entries; /* sorted by name */
	size_t count;
};

int compound_entries_decode(struct str body, const uint8_t *id, struct arena *mem,
			    struct compound_entries *out, struct err *err);

#endif
