/* .dvm: where the doc values of each field lie in the .dvd. One file a generation (45 to 54, 70,
 * 80, 90); here is what they share. Only one numeric field is taken out; the entries of all other
 * fields are walked over. */
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
};

enum numeric_layout {
	NUMERIC_WHOLE,     /* one stream of packed values */
	NUMERIC_BLOCKS_70, /* blocks: u8 bits | i64 min | bits > 0: i32 length | packed values */
	NUMERIC_BLOCKS_45, /* blocks: u8 bits << 1 | min is 0 | vLong min | packed values */
};

#define NUMERIC_TABLE_MAX 256

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

/* A generation of the format. `skip_entry` passes over what follows the type byte of an entry. */
struct doc_values_format {
	const char *meta_codec, *data_codec;
	int32_t newest_version;
	bool plain; /* of Lucene 4: headers without an id */
	bool little;
	bool jump_tables;
	void (*skip_entry)(struct rd *rd, int32_t version, const struct field_info *field,
			   uint8_t type);
	/* Passes over what stands between the type byte and the numeric entry; NULL: nothing. */
	void (*skip_skipper)(struct rd *rd, int32_t version, const struct field_info *field);
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

/* What a .dvm said: the format and version that its .dvd must have too, the set and the values. */
struct doc_values_meta {
	const struct doc_values_format *format;
	int32_t version;
	bool footer; /* the files end in one */
	bool found;
	bool sparse; /* a list of few documents, of Lucene 5.4 to 6: not read */
	struct docs_with_field docs;
	struct numeric_values values;
};

/* Walks `body` (a .dvm without footer) to its end. `infos` are the fields as the .fnm of the same
 * generation describes them, `number` the numeric field to find, max_doc the documents of the
 * segment. ERR_UNSUPPORTED names a format that is not read. */
int doc_values_meta_decode(struct str body, const uint8_t *id, struct str suffix,
			   const struct field_infos *infos, int32_t number, int32_t max_doc,
			   struct doc_values_meta *out, struct err *err);

/* The format of a header of Lucene 4.5 to 6; NULL when it is of none of these. */
const struct doc_values_format *doc_values_format_find_45(const struct codec_header *header);
/* Entries of these formats, from behind the header on. */
int doc_values_entries_read_45(struct rd *rd, const struct field_infos *infos, int32_t number,
			       int32_t max_doc, struct doc_values_meta *out, struct err *err);

/* Pieces of entries, for the generations. Damage makes the cursor fail. */
struct docs_with_field rd_docs_with_field(struct rd *rd, bool jump_tables);
/* A numeric entry from the number of values on. */
void rd_numeric_values(struct rd *rd, bool jump_tables, struct numeric_values *out);
/* The same, where only that number is of use. */
int64_t rd_skip_numeric_values(struct rd *rd, bool jump_tables);
/* The metadata of DirectMonotonic for `count` values in blocks of 2^shift: 21 bytes each. */
void rd_skip_direct_monotonic(struct rd *rd, int64_t count, uint32_t shift);
/* A numeric entry, then addresses if some document has several values. */
void rd_skip_sorted_numeric(struct rd *rd, bool jump_tables);
/* i64 offset, vInt shift, DirectMonotonic metadata of `count` values, i64 length. */
void rd_skip_addresses(struct rd *rd, int64_t count);
/* A binary entry whose values are not compressed. */
void rd_skip_binary(struct rd *rd, bool jump_tables);
/* The number of terms that a terms dictionary starts with. */
int64_t rd_term_count(struct rd *rd);
/* A terms dictionary from the shift of its addresses on. */
void rd_skip_terms(struct rd *rd, int64_t count, uint32_t block_shift, bool compressed);

#endif
