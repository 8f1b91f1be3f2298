/* What the generations of the index of stored fields share. */
#ifndef LUCENE_STORED_INDEX_INTERNAL_H
#define LUCENE_STORED_INDEX_INTERNAL_H

#include "lucene/codec_file.h"
#include "lucene/direct_monotonic.h"
#include "lucene/stored_index.h"

/* Starts that are kept; 16 bytes each. */
#define STORED_INDEX_MAX 1048576u

/* Takes the starts one after the other and holds them against one another. */
struct stored_index_builder {
	struct stored_index index;
	size_t room;
	uint64_t seen, every; /* each `every`th start is kept */
	struct stored_chunk_start last;
	int32_t max_doc;
};

/* ERR_FORMAT when it does not follow the one before, or is not within segment and file. */
int stored_index_add(struct stored_index_builder *builder, int32_t doc, uint64_t position,
		     struct err *err);
/* All starts were added; the chunks end there. */
int stored_index_finish(struct stored_index_builder *builder, uint64_t end, struct err *err);

/* What a .fdm says of the index: the data of both columns lies in the .fdx, see stored_index_90.c.
 */
struct stored_index_meta {
	uint64_t entries; /* chunks, and the end */
	uint64_t docs_begin, positions_begin, positions_end;
	uint64_t chunks_end;
	struct direct_monotonic docs, positions;
};
/* Takes it off the cursor, which stands behind the chunk size. */
int stored_index_meta_read(struct rd *rd, int32_t max_doc, struct stored_index_meta *out,
			   struct err *err);

/* A .fdx from behind its header on, without footer. `has_end`: it says where the chunks end. */
int stored_index_decode_50(struct rd *rd, bool has_end, struct stored_index_builder *builder,
			   struct err *err);
/* .fdm and .fdx, without footers. */
int stored_index_decode_90(struct str meta, struct str data, bool little,
			   struct stored_index_builder *builder, struct err *err);
/* A whole .fdx, read in pieces. */
int stored_index_read_40(struct bytes_source *source, struct stored_index_builder *builder,
			 struct err *err);

#endif
