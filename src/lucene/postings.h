/* The postings of one term after another: documents, and positions where they are kept.
 *
 * Lucene41, 50, 84, 90, 99, 912, 101, 103, 104PostingsFormat, es090 of Elasticsearch 1, which is as
 * 41, and ES812PostingsFormat, which is as 90; docs/formats/indexed.md draws them. */
#ifndef LUCENE_POSTINGS_H
#define LUCENE_POSTINGS_H

#include "lucene/byte_stream.h"
#include "lucene/checked_file.h"
#include "lucene/inversion.h"
#include "lucene/packed_blocks.h"

struct postings_format {
	const char *name;
	const char *doc_codec, *pos_codec;
	int32_t version_most;
	bool nine;         /* of Lucene 9 on */
	bool trie;         /* of 10.3 on: the index of its terms is one */
	bool plain;        /* Lucene41, 50: blocks without lanes */
	bool skip_offset;  /* a term of more than a block says where its skip data are */
	bool inline_skips; /* 912 on: they stand before each block */
	bool patched_docs; /* 90: deltas have exceptions */
	bool groups;       /* 99 on: the last documents in groups of four */
	struct packed_lanes deltas, others;
};

/* NULL: not read. */
const struct postings_format *postings_format_find(struct str name);

/* What the terms dictionary says of a term. */
struct postings_term {
	uint32_t docs;    /* that have it */
	uint64_t total;   /* occurrences; where none are counted, docs */
	int32_t only_doc; /* the one, where docs is 1; kept from term to term */
	uint64_t doc_start, pos_start, pay_start;
};

struct postings {
	const struct postings_format *format;
	enum index_options options;
	bool payloads;
	bool with_positions;
	bool in_one_part; /* 41 of version 0: as the dictionary has a term */
	uint64_t single;  /* bits that have whole numbers in an i64, of plain blocks */
	struct checked_file doc_file, pos_file;
	struct byte_stream doc, pos;
	uint32_t docs[PACKED_BLOCK_MOST], freqs[PACKED_BLOCK_MOST], positions[PACKED_BLOCK_MOST];
	/* Of the positions of the term at hand. */
	uint64_t positions_left;
	unsigned position_next, position_count;
	uint32_t payload_length, offset_length;
};

/* `suffix`: of the files, such as "Lucene912_0". */
int postings_open(struct postings *p, const struct segment_reader *segment,
		  const struct field_info *field, const struct postings_format *format,
		  struct str suffix, struct arena *mem, bool with_positions, struct err *err);
void postings_close(struct postings *p);
/* Decodes what the dictionary has of the next term of a block. `longs`, where the format is plain;
 * `first`: of the block. */
void postings_term_read(const struct postings *p, struct rd *meta, bool first,
			struct postings_term *term);
/* Adds all documents of the term, with its positions, to the value at hand. */
int postings_invert(struct postings *p, const struct postings_term *term,
		    struct inversion *inversion, struct err *err);

#endif
