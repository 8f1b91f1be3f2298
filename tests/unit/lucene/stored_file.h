/* Writes stored fields as Lucene does, every generation of them, for tests: <segment>.fdt, .fdx
 * and, where the generation has one, .fdm. */
#ifndef TESTS_STORED_FILE_H
#define TESTS_STORED_FILE_H

#include "memory_directory.h"

enum stored_file_compression {
	STORED_FILE_LZ4,            /* bare blocks */
	STORED_FILE_DEFLATE,        /* vInt length, DEFLATE */
	STORED_FILE_LZ4_PRESET,     /* sub-blocks with a dictionary */
	STORED_FILE_DEFLATE_PRESET, /* the same */
	STORED_FILE_ZSTD,           /* vInt length, frame */
	STORED_FILE_ZSTD_PRESET,    /* sub-blocks with a dictionary */
	STORED_FILE_ZSTD_BLOCKS,    /* sub-blocks without one */
	STORED_FILE_LZ4_BLOCKS,     /* the same */
};

struct stored_file_format {
	const char *codec;
	int32_t version;
	enum stored_file_compression compression;
};

extern const struct stored_file_format stored_file_formats[];
extern const size_t stored_file_format_count;

struct stored_file_document {
	struct str bytes; /* serialised fields */
	uint32_t fields;
};

struct stored_file {
	const struct stored_file_format *format;
	const struct stored_file_document *documents;
	int32_t count;
	int32_t per_chunk;   /* documents */
	uint32_t chunk_size; /* bytes; a chunk of twice as many is sliced */
	const char *segment; /* NULL: "_0" */
	const char *id;      /* 16 bytes; NULL: STORED_FILE_ID */
};

#define STORED_FILE_ID "0123456789abcdef"

/* Adds "_0.fdt", "_0.fdx" (and "_0.fdm") to the directory, in place of those there; returns the
 * .fdt. */
struct memory_file *stored_file_write(struct memory_directory *dir, const struct stored_file *file);
/* As stored_file_write, around these bytes of chunks, whatever they are, and without .fdx. */
struct memory_file *stored_file_wrap(struct memory_directory *dir, const struct stored_file *file,
				     struct str chunks, uint64_t chunk_count);
/* Primitives of Lucene's files. */
void stored_file_vint(struct buf *out, uint64_t value);
void stored_file_header(struct buf *out, const char *codec, int32_t version);
void stored_file_footer(struct buf *out);

#endif
