/* What the generations of stored fields share. One generation is one table of functions. */
#ifndef LUCENE_STORED_FIELDS_INTERNAL_H
#define LUCENE_STORED_FIELDS_INTERNAL_H

#include "lucene/stored_fields.h"
#include "lucene/stored_window.h"

struct libdeflate_decompressor;
struct ZSTD_DCtx_s;

struct stored_format {
	const char *codec; /* of the .fdt's header */
	int32_t min_version, max_version;
	bool little_endian;
	/* From these versions on; a number above max_version means never. */
	int32_t index_version;      /* there is a .fdm, with maxDoc and the end of the chunks */
	int32_t meta_version;       /* chunk size and statistics lie in the .fdm, not in the .fdt */
	int32_t dirty_version;      /* a chunk's token has a bit for "dirty" */
	int32_t statistics_version; /* the .fdt says behind the chunks how many there were */
	int32_t chunk_size_version; /* there is a chunk size; before it chunks are never sliced */
	bool plain_header;          /* of Lucene 4: no id */
	bool slices_unmarked;    /* twice the chunk size is sliced; no bit in the token says so */
	bool counts_inline;      /* a document starts with the number of its fields */
	bool packed_ints;        /* has a version of packed ints beside the chunk size */
	const char *index_codec; /* of the .fdm's header */
	/* The most bytes that one compressed byte can become. */
	uint32_t expansion;
	/* Reads one array of `count` lengths or counts in a chunk's header. */
	void (*read_ints)(struct rd *rd, uint32_t *out, uint32_t count);
	/* Reads one compressed unit at the window, which decodes to exactly `length` bytes.
	 * dst has LZ4_BLOCK_SLACK bytes more. dst NULL: passes over it. */
	int (*decode)(struct stored_fields *fields, uint8_t *dst, size_t length, struct err *err);
	/* Where a generation has its own; else NULL. */
	int (*open_index)(struct stored_fields *fields, struct lucene_directory *dir,
			  struct str segment, struct err *err);
	int (*read_chunk)(struct stored_fields *fields, const struct live_docs *live,
			  struct stored_chunk *out, struct err *err);
	int (*next_field)(struct stored_field_cursor *cursor, struct stored_field *out,
			  struct err *err);
};

struct stored_index_40;

struct stored_fields {
	const struct stored_format *format;
	struct bytes_source *source;
	bool ahead; /* the source is one that reads ahead */
	struct stored_window window;
	struct str codec; /* format->codec */
	int32_t version, max_doc, next_doc;
	int32_t first_wanted, end_wanted; /* documents: chunks without any are passed over */
	bool seeked;                      /* the chunks before were not counted */
	bool end_seen;                    /* the end was looked at; end_error says how it is */
	struct err end_error;             /* comes out behind the documents; kind 0: none */
	uint32_t chunk_size;              /* bytes: where sliced chunks are cut */
	uint64_t chunks;                  /* seen so far */
	uint64_t chunk_count;             /* as the file says; UINT64_MAX: it does not */
	uint64_t chunks_end;              /* as the file says; UINT64_MAX: it does not */
	uint8_t *bytes;                   /* the chunk, decompressed */
	size_t capacity;                  /* of bytes, slack not counted */
	uint32_t *starts;                 /* and field_counts behind it */
	uint32_t starts_room;             /* documents that fit */
	uint8_t *scratch;                 /* of the decoder */
	size_t scratch_capacity;          /* bytes */
	struct libdeflate_decompressor *inflate; /* made when first needed */
	struct ZSTD_DCtx_s *zstd;                /* made when first needed */
	struct stored_index_40 *index_40;        /* of format 40 only */
};

extern const struct stored_format stored_format_40, stored_format_41, stored_format_50_fast,
	stored_format_50_high, stored_format_87_fast, stored_format_87_high, stored_format_90_fast,
	stored_format_90_high, stored_format_zstd814, stored_format_zstd_opensearch,
	stored_format_zstd_no_dict_opensearch, stored_format_lz4_opensearch;

/* Accepts NULL. */
void stored_index_close_40(struct stored_index_40 *index);
/* Is the chunk to be decompressed? */
bool stored_chunk_wanted(const struct stored_fields *fields, const struct live_docs *live,
			 int32_t first, uint32_t count);
/* Room for the starts and field counts of so many documents, content lost. */
void stored_reserve_docs(struct stored_fields *fields, uint32_t count);
/* The value of a field whose type is set, its numbers not compressed (40, 41). */
void stored_field_read_plain(struct rd *rd, struct stored_field *out);
/* One bare LZ4 block (41, 50). */
int stored_decode_lz4(struct stored_fields *fields, uint8_t *dst, size_t length, struct err *err);
/* Reads the chunk size, wherever it lies. */
int stored_read_chunk_size(struct stored_fields *fields, struct rd *rd, struct err *err);
/* Reads <segment>.fdm. */
int stored_read_meta(struct stored_fields *fields, struct lucene_directory *dir, struct str segment,
		     const uint8_t *id, struct err *err);
/* Lengths as packed ints, most significant bit first (50, 87). */
void stored_read_packed_ints(struct rd *rd, uint32_t *out, uint32_t count);
/* Lengths in blocks of 128 (90, zstd). */
void stored_read_block_ints(struct rd *rd, uint32_t *out, uint32_t count);
/* Units of sub-blocks that share a dictionary (87, 90). */
int stored_decode_lz4_preset(struct stored_fields *fields, uint8_t *dst, size_t length,
			     struct err *err);
int stored_decode_deflate_preset(struct stored_fields *fields, uint8_t *dst, size_t length,
				 struct err *err);
/* Raw DEFLATE of known lengths. */
int stored_inflate(struct stored_fields *fields, const uint8_t *src, size_t src_len, uint8_t *dst,
		   size_t dst_len, struct err *err);
/* One zstd frame of known length; the dictionary is raw content, may be empty, and may lie right
 * before dst. */
int stored_unzstd(struct stored_fields *fields, struct str frame, struct str dictionary,
		  uint8_t *dst, size_t length, struct err *err);
/* A compressed length is refused when no compressor would have made it of `length` bytes. */
int stored_check_compressed_length(uint32_t compressed, size_t length, struct err *err);
int stored_read_compressed_length(struct stored_fields *fields, size_t length, uint32_t *out,
				  struct err *err);
/* Room for `size` bytes, content lost. */
uint8_t *stored_scratch(struct stored_fields *fields, size_t size);

#endif
