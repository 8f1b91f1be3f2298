/* .dvm: where the doc values of each field lie in the .dvd. One file a generation (45 to 54, 70,
 * 80, 90); here is what they share. One field is taken out; the entries of all others are read and
 * forgotten. */
#ifndef LUCENE_DOC_VALUES_META_H
#define LUCENE_DOC_VALUES_META_H

#include "base/rd.h"
#include "lucene/codec_file.h"
#include "lucene/field_infos.h"

struct docs_with_field {
	int64_t offset;             /* in the .dvd; -1: every document, -2: none */
	int64_t length;             /* bytes, jump table included */
	int16_t jump_table_entries; /* of 8 bytes; -1 or 0: none */
	int8_t dense_rank_power;    /* -1: dense blocks have no rank table */
	bool bitset;                /* a bit a document, the lowest of a byte first; before 7 */
	bool list;                  /* their ids, ascending, for few of them; 5.4 to 6 */
};

/* A block of values that lie near a line: min + (int64_t)(average * (float)i) + packed i. */
struct monotonic_block {
	int64_t min;
	uint64_t data; /* of the packed values, from the section on */
	float average;
	uint8_t bits; /* of a packed value */
};

/* Integers that hardly ever fall. DirectMonotonic of Lucene 5.4 on has its blocks in the metadata;
 * MonotonicBlockPacked of Lucene 4 and 5 before the values of each. */
struct monotonic_meta {
	uint64_t count;
	unsigned shift;     /* a block has 2^shift values */
	int64_t offset;     /* of the section in the .dvd */
	int64_t length;     /* -1: not said */
	bool in_data;       /* MonotonicBlockPacked */
	bool zigzag;        /* packed values have a sign: packed version 1 of Lucene 4.5 */
	bool zero_left_out; /* value 0 is 0 and not stored: Lucene 4.5 */
	struct monotonic_block *blocks; /* NULL where in the data, or where nobody wants them */
};

enum numeric_layout {
	NUMERIC_WHOLE,     /* one stream of packed values */
	NUMERIC_BLOCKS_70, /* blocks: u8 bits | i64 min | bits > 0: i32 length | packed values */
	NUMERIC_BLOCKS_45, /* blocks: u8 bits << 1 | min is 0 | vLong min | packed values */
};

#define NUMERIC_TABLE_MAX 256
/* More numbers than a field can have. */
#define NUMBERS_MOST (INT64_MAX / 64)

/* The values of a numeric field: min + gcd * packed, or table[packed]; block's min + gcd * packed
 * (70), min + gcd * (block's min + packed) (45). */
struct numeric_values {
	int64_t count;
	int64_t offset, length; /* in the .dvd; length -1: not said */
	int64_t min, gcd;
	uint32_t block_size; /* values; a power of two */
	enum numeric_layout layout;
	uint8_t bits; /* of a packed value; 0: all are min */
	int32_t table_size;
	int64_t table[NUMERIC_TABLE_MAX];
};

enum bytes_layout {
	BYTES_FIXED,     /* max_length bytes each */
	BYTES_VARIABLE,  /* value i in [address i, address i + 1) */
	BYTES_CHUNKS_80, /* compressed together, 2^block_shift of them */
	TERMS_70,        /* blocks: the first whole, then what differs from the one before */
	TERMS_LZ4,       /* the same, all but the first compressed */
	TERMS_410,       /* blocks: the first whole, lengths, then what differs from the first */
	TERMS_45,        /* prefix and suffix length before each */
};

/* Byte strings by index: a binary field's values, or the terms of sorted ones, in order. */
struct bytes_meta {
	enum bytes_layout layout;
	int64_t count;
	int64_t offset, length; /* in the .dvd; length -1: not said */
	int64_t min_length, max_length;
	uint32_t block_shift;
	int64_t block_most;              /* bytes of a block, decompressed */
	struct monotonic_meta addresses; /* of values or blocks, from offset on; chunks: absolute */
};

/* Different sets of values, where documents have few of them: set i is values
 * [starts[i], starts[i + 1]). */
struct set_table {
	int32_t count; /* 0: none */
	int32_t starts[NUMERIC_TABLE_MAX + 1];
	int64_t values[NUMERIC_TABLE_MAX];
};

struct doc_values_meta;

/* A generation of the format. `read_entry` reads what follows the type byte of an entry. */
struct doc_values_format {
	const char *meta_codec, *data_codec;
	int32_t newest_version;
	bool plain; /* of Lucene 4: headers without an id */
	bool little;
	bool jump_tables;
	void (*read_entry)(struct rd *rd, struct arena *mem, const struct field_info *field,
			   uint8_t type, struct doc_values_meta *out);
};

extern const struct doc_values_format doc_values_format_70, doc_values_format_80,
	doc_values_format_90;

enum doc_values_entry {
	ENTRY_NUMERIC = 0,
	ENTRY_BINARY = 1,
	ENTRY_SORTED = 2,
	ENTRY_SORTED_SET = 3,
	ENTRY_SORTED_NUMERIC = 4,
};

/* What a .dvm said: the format and version that its .dvd must have too, and of the field:
 *
 *   numeric          docs, values
 *   binary           docs, bytes
 *   sorted           docs, values (ordinals), bytes (terms)
 *   sorted numeric   as numeric; `several`: the k-th document has values [address k, k + 1);
 *                    sets.count > 0: values are numbers of sets
 *   sorted set       the same over ordinals, and bytes */
struct doc_values_meta {
	const struct doc_values_format *format;
	int32_t version;
	bool footer; /* the files end in one */
	bool found;
	bool several;
	struct docs_with_field docs;
	struct monotonic_meta list; /* docs.list: their ids */
	struct numeric_values values;
	struct monotonic_meta addresses;
	struct bytes_meta bytes;
	struct set_table sets;
};

struct doc_values_wanted {
	int32_t number; /* of the field */
	enum doc_values_entry type;
	struct arena *mem; /* for blocks of addresses; NULL: they are passed over */
};

/* Walks `body` (a .dvm without footer) to its end. `infos` are the fields as the .fnm of the same
 * generation describes them, max_doc the documents of the segment. An entry of another type is not
 * found. ERR_UNSUPPORTED names a format that is not read. */
int doc_values_meta_decode_entry(struct str body, const uint8_t *id, struct str suffix,
				 const struct field_infos *infos,
				 const struct doc_values_wanted *wanted, int32_t max_doc,
				 struct doc_values_meta *out, struct err *err);
/* The same for the numeric field `number`, without the blocks of a list of documents. */
int doc_values_meta_decode(struct str body, const uint8_t *id, struct str suffix,
			   const struct field_infos *infos, int32_t number, int32_t max_doc,
			   struct doc_values_meta *out, struct err *err);

/* The format of a header of Lucene 4.5 to 6; NULL when it is of none of these. */
const struct doc_values_format *doc_values_format_find_45(const struct codec_header *header);
/* Entries of these formats, from behind the header on. */
int doc_values_entries_read_45(struct rd *rd, const struct field_infos *infos,
			       const struct doc_values_wanted *wanted, int32_t max_doc,
			       struct doc_values_meta *out, struct err *err);

/* Pieces of entries, for the generations. Damage makes the cursor fail; so does a full arena. */
struct docs_with_field rd_docs_with_field(struct rd *rd, bool jump_tables);
/* A numeric entry from the number of values on. */
void rd_numeric_values(struct rd *rd, bool jump_tables, struct numeric_values *out);
/* Ordinals of Lucene 7 and 8: u8 bits | i64 offset | i64 length. `count` may be NUMBERS_MOST. */
void rd_ordinals(struct rd *rd, int64_t count, struct numeric_values *out);
/* The metadata of DirectMonotonic for `count` values in blocks of 2^shift: 21 bytes each. */
void rd_direct_monotonic_meta(struct rd *rd, struct arena *mem, int64_t count, uint32_t shift,
			      struct monotonic_meta *out);
/* i64 offset, vInt shift, DirectMonotonic metadata of `count` values, i64 length. */
void rd_addresses(struct rd *rd, struct arena *mem, int64_t count, struct monotonic_meta *out);
/* A numeric entry, then addresses if some document has several values. */
void rd_sorted_numeric(struct rd *rd, struct arena *mem, bool jump_tables,
		       struct doc_values_meta *out);
/* A binary entry up to its addresses, and those of one whose values are not compressed. */
void rd_binary_head(struct rd *rd, bool jump_tables, struct doc_values_meta *out);
void rd_binary_addresses(struct rd *rd, struct arena *mem, struct bytes_meta *out);
/* The number of terms that a terms dictionary starts with. */
int64_t rd_term_count(struct rd *rd);
/* A terms dictionary from the shift of its addresses on; layout, count and block shift are set. */
void rd_terms(struct rd *rd, struct arena *mem, struct bytes_meta *out);

#endif
