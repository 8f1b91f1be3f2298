/* What a checkpoint holds beside its counts, as JSON: which documents behind next_doc are
 * acknowledged, and the checksums of what was read.
 *
 * {"acknowledged":[[1500,2000]],"parts":[{"segment":"_3","offset":0,"length":4096,
 * "crc":1,"file_length":9000,"expected":2,"at_end":false}],"digest":{…}}; all are optional. The
 * digest is of the documents that are acknowledged (documents/digest.h). */
#ifndef BACKFILL_ITEM_STATE_H
#define BACKFILL_ITEM_STATE_H

#include "backfill/ack_tracker.h"
#include "base/json.h"
#include "documents/digest.h"
#include "documents/lucene_documents.h"

#define ITEM_STATE_MAX MIB(1)

struct item_state {
	struct doc_range *acknowledged;
	size_t acknowledged_count;
	struct checksum_part *parts;
	size_t part_count;
	const struct digest *digest;    /* to be written; NULL: none */
	const struct json *digest_json; /* as it was parsed, for digest_read; NULL: none */
};

/* Into `mem`; a text without a pointer is an empty state. ERR_FORMAT: it is none of ours. */
int item_state_parse(struct str text, struct arena *mem, struct item_state *out, struct err *err);
void item_state_write(struct buf *out, const struct item_state *state);

#endif
