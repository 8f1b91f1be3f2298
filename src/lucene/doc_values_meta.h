/* .dvm: where the doc values of each field lie in the .dvd. One file a generation (70, 80, 90);
 * here is what they share. Only the set of documents with a value is taken out, of one numeric
 * field; the entries of all other fields are walked over. */
#ifndef LUCENE_DOC_VALUES_META_H
#define LUCENE_DOC_VALUES_META_H

#include "base/rd.h"
#include "lucene/field_infos.h"

struct docs_with_field {
	int64_t offset;             /* in the .dvd; -1: every document, -2: none */
	int64_t length;             /* bytes, jump table included */
	int16_t jump_table_entries; /* of 8 bytes; -1 or 0: none */
	int8_t dense_rank_power;    /* -1: dense blocks have no rank table */
};

/* A generation of the format. `skip_entry` passes over what follows the type byte of an entry. */
struct doc_values_format {
	const char *meta_codec, *data_codec;
	int32_t newest_version;
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

/* What a .dvm said: the format and version that its .dvd must have too, and the set. */
struct doc_values_meta {
	const struct doc_values_format *format;
	int32_t version;
	bool found;
	struct docs_with_field docs;
};

/* Walks `body` (a .dvm without footer) to its end. `infos` are the fields as the .fnm of the same
 * generation describes them, `number` the numeric field to find. */
int doc_values_meta_decode(struct str body, const uint8_t *id, struct str suffix,
			   const struct field_infos *infos, int32_t number,
			   struct doc_values_meta *out, struct err *err);

/* Pieces of entries, for the generations. Damage makes the cursor fail. */
struct docs_with_field rd_docs_with_field(struct rd *rd, bool jump_tables);
/* A numeric entry from the number of values on; returns that number. */
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
