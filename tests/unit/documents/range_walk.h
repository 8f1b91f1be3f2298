/* Reads a shard as workers do: in ranges, each by several of them that stop anywhere and go on from
 * the last checkpoint. What they read and the parts of its checksums are gathered. By rand(). */
#ifndef TESTS_RANGE_WALK_H
#define TESTS_RANGE_WALK_H

#include "documents/lucene_documents.h"

struct walked_document {
	int64_t doc;
	uint64_t hash; /* of all that it has */
};

struct range_walk {
	struct lucene_directory *dir;
	bool include_deleted;
	struct arena names;
	struct walked_document *documents;
	size_t count, room;
	struct checksum_part *parts;
	size_t part_count, part_room;
	int stops; /* counted */
};

void range_walk_init(struct range_walk *walk, struct lucene_directory *dir, bool include_deleted);
void range_walk_release(struct range_walk *walk);
/* Reads [first, end). `stops`: a worker stops after each bulk with a chance of one to that many; 0:
 * never. */
int range_walk_piece(struct range_walk *walk, int64_t first, int64_t end, int stops,
		     struct err *err);
/* Joins all parts: each segment that has some must be complete. */
int range_walk_prove(struct range_walk *walk, struct err *err);
/* `rounds` times: pieces, up to 7 at random boundaries or as lucene_documents_divide has it, give
 * what one pass gives, and prove it. *stops: how often a worker stopped in all. */
int range_walk_all(struct lucene_directory *dir, bool include_deleted, int rounds, int *stops,
		   struct err *err);

#endif
