/* The parts of .fdt files that a source reads, as they become known. Private to the Lucene
 * documents; what they are for: lucene_documents_parts. */
#ifndef DOCUMENTS_CHECKSUM_PARTS_H
#define DOCUMENTS_CHECKSUM_PARTS_H

#include "documents/lucene_documents.h"
#include "lucene/stored_fields.h"

struct part_recorder {
	struct checksum_part *parts;  /* owned */
	size_t closed, room;          /* closed ones; there is room for two more behind them */
	struct stored_fields *fields; /* borrowed until the last chunk of a file was closed */
	struct str segment;
	uint64_t file_length;             /* 0: no parts of this file */
	uint64_t begin;                   /* where the CRC in the marks begins */
	struct stored_mark before, after; /* the chunk at hand */
	uint32_t expected;
};

/* A file is read from `begin` on; the first chunk comes next. */
void part_recorder_open(struct part_recorder *recorder, struct str segment,
			struct stored_fields *fields, uint64_t begin);
/* One more chunk has been read; it is at hand now. */
void part_recorder_add(struct part_recorder *recorder);
/* What was read up to now becomes a part, `apart`: all but the chunk at hand, and that chunk. The
 * CRC begins anew. */
void part_recorder_close(struct part_recorder *recorder, bool apart);
/* Forgets what was read of the file since it was opened or closed. The CRC begins anew. */
void part_recorder_drop(struct part_recorder *recorder);
/* What is closed, all but the chunk at hand, and that chunk. */
size_t part_recorder_list(struct part_recorder *recorder, const struct checksum_part **parts);
void part_recorder_release(struct part_recorder *recorder);

#endif
