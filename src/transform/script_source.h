/* A document's source on its way through a script, as text: a tree of it is made only where its
 * numbers ask for one.
 *
 * Numbers that JavaScript would write otherwise (1.10) are noted with their place. When each of
 * them is found at its place in what came back, it gets its text back there. All else, numbers that
 * were moved or that a double cannot hold, is left to script_digits.h. */
#ifndef TRANSFORM_SCRIPT_SOURCE_H
#define TRANSFORM_SCRIPT_SOURCE_H

#include "base/arena.h"
#include "base/buf.h"

struct script_source_number {
	uint64_t place;
	struct str text; /* borrows the source */
	double value;
	bool found;
};

/* Of one source, by place. */
struct script_source_numbers {
	struct script_source_number *list; /* in the arena */
	size_t count;
};

/* Room for all numbers of one source, kept from one to the next. */
struct script_source {
	struct script_source_number *list;
	size_t count, capacity;
	bool needs_tree;
};

void script_source_release(struct script_source *room);
/* True: the source is a JSON object that may pass as text; its numbers are in *out. False: a tree
 * must be made of it (which also says what is wrong with it, if anything). */
bool script_source_note(struct script_source *room, struct str source, struct arena *mem,
			struct script_source_numbers *out);
/* Appends `returned`, JSON that the script made of the source, with the texts of its numbers.
 * False: that cannot be told from the text alone. */
bool script_source_restore(struct script_source_numbers *numbers, struct str returned,
			   struct buf *out);

#endif
