#include "lucene/inversion.h"

#include "base/buf.h"
#include "base/compiler.h"

#include <stdlib.h>

#define GROUPS_MOST 512

struct pair {
	int32_t doc;
	uint32_t value;
	int32_t position;
};

struct inversion {
	int32_t max_doc;
	size_t most;
	struct pair *pairs;
	size_t count, capacity;
	uint32_t *starts; /* of each document among the pairs, and one more */
	struct buf text;  /* all values */
	size_t *ends;     /* of each value in it */
	size_t values, ends_capacity;
	struct inverted_value *at_hand;
	size_t at_hand_capacity;
	bool has_positions;
};

static int too_little(const struct inversion *inversion, uint64_t need, struct err *err)
{
	return err_set(err, ERR_LIMIT,
		       "the values of the field in this segment take %llu MiB of memory or more to "
		       "be put in the order of documents, and %zu MiB are allowed",
		       (unsigned long long)(need >> 20) + 1, inversion->most >> 20);
}

int inversion_new(int32_t max_doc, int64_t pairs, size_t most, struct inversion **out,
		  struct err *err)
{
	struct inversion *inversion = mem_zalloc(sizeof(*inversion));
	uint64_t docs = (uint64_t)max_doc + 2; /* two numbers of each while they are put in order */

	inversion->max_doc = max_doc;
	inversion->most = most;
	inversion->text = BUF_INIT(most);
	if (pairs < 0 || (uint64_t)pairs > UINT32_MAX / 2 ||
	    (uint64_t)pairs * sizeof(struct pair) + docs * 2 * sizeof(uint32_t) > most) {
		too_little(inversion, (uint64_t)MAX(pairs, 0) * sizeof(struct pair), err);
		inversion_free(inversion);
		return -(int)err->kind;
	}
	inversion->capacity = (size_t)pairs;
	inversion->pairs = mem_alloc((inversion->capacity + 1) * sizeof(*inversion->pairs));
	inversion->starts = mem_zalloc((size_t)docs * sizeof(*inversion->starts));
	*out = inversion;
	return 0;
}

size_t inversion_memory(const struct inversion *inversion)
{
	return sizeof(*inversion) + inversion->capacity * sizeof(*inversion->pairs) +
	       ((size_t)inversion->max_doc + 2) * sizeof(*inversion->starts) +
	       inversion->text.capacity + inversion->ends_capacity * sizeof(*inversion->ends) +
	       inversion->at_hand_capacity * sizeof(*inversion->at_hand);
}

int inversion_value(struct inversion *inversion, struct str bytes, struct err *err)
{
	if (inversion->values == inversion->ends_capacity) {
		inversion->ends_capacity = MAX(inversion->ends_capacity * 2, (size_t)64);
		inversion->ends = mem_realloc(inversion->ends,
					      inversion->ends_capacity * sizeof(*inversion->ends));
	}
	buf_append(&inversion->text, bytes.len ? bytes.ptr : "", bytes.len);
	if (inversion->text.failed || inversion->values >= UINT32_MAX ||
	    inversion_memory(inversion) > inversion->most)
		return too_little(inversion, inversion_memory(inversion), err);
	inversion->ends[inversion->values++] = inversion->text.len;
	return 0;
}

int inversion_add(struct inversion *inversion, int32_t doc, int32_t position, struct err *err)
{
	if (doc < 0 || doc >= inversion->max_doc)
		return err_set(err, ERR_FORMAT, "has a value of document %d of %d", doc,
			       inversion->max_doc);
	if (inversion->count == inversion->capacity || inversion->values == 0)
		return err_set(err, ERR_FORMAT,
			       "has more values of documents than the %zu it speaks of",
			       inversion->capacity);
	inversion->has_positions |= position >= 0;
	inversion->pairs[inversion->count++] =
		(struct pair){doc, (uint32_t)(inversion->values - 1), position};
	inversion->starts[doc + 1]++;
	return 0;
}

/* Terms that were left out had been counted. */
static void give_back(struct inversion *inversion)
{
	if (inversion->count == inversion->capacity)
		return;
	inversion->capacity = inversion->count;
	inversion->pairs = mem_realloc(inversion->pairs,
				       (inversion->capacity + 1) * sizeof(*inversion->pairs));
}

/* Puts the pairs of documents [from, to), which lie side by side, in the order of groups of 2^shift
 * documents: each pair goes to the next free place of its group, and what was there goes on, until
 * one is at home. `next`: room for a number of each group. */
static void order(struct inversion *inversion, int32_t from, int32_t to, unsigned shift,
		  uint32_t *next)
{
	int32_t groups = (int32_t)(((uint32_t)(to - from) + (1U << shift) - 1) >> shift);

	for (int32_t g = 0; g < groups; g++)
		next[g] = inversion->starts[from + (int32_t)((uint32_t)g << shift)];
	for (int32_t g = 0; g < groups; g++) {
		int64_t last = from + ((int64_t)(g + 1) << shift);
		uint32_t end = inversion->starts[MIN(last, (int64_t)to)];

		while (next[g] < end) {
			struct pair *here = &inversion->pairs[next[g]], *home, moved;
			int32_t of = (here->doc - from) >> shift;

			if (of == g) {
				next[g]++;
				continue;
			}
			home = &inversion->pairs[next[of]++];
			moved = *home;
			*home = *here;
			*here = moved;
		}
	}
}

/* First in large groups, so few that the places where each goes on stay in the processor's cache,
 * then each group in itself: else every pair of a large segment would be a jump through all its
 * memory. */
void inversion_finish(struct inversion *inversion)
{
	cleanup(mem_freep) uint32_t *next = NULL;
	unsigned shift = 0;

	give_back(inversion);
	for (int32_t doc = 0; doc < inversion->max_doc; doc++)
		inversion->starts[doc + 1] += inversion->starts[doc];
	while (inversion->max_doc >> shift > GROUPS_MOST)
		shift++;
	next = mem_alloc(((size_t)MAX(1 << shift, GROUPS_MOST) + 1) * sizeof(*next));
	order(inversion, 0, inversion->max_doc, shift, next);
	for (int64_t doc = 0; shift > 0 && doc < inversion->max_doc; doc += 1 << shift)
		order(inversion, (int32_t)doc,
		      (int32_t)MIN(doc + (1 << shift), (int64_t)inversion->max_doc), 0, next);
}

static int by_place(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	if (left->position != right->position)
		return left->position < right->position ? -1 : 1;
	return (left->value > right->value) - (left->value < right->value);
}

void inversion_get(struct inversion *inversion, int32_t doc, struct inverted_values *out)
{
	struct pair *pairs;

	*out = (struct inverted_values){0};
	if (doc < 0 || doc >= inversion->max_doc)
		return;
	pairs = inversion->pairs + inversion->starts[doc];
	out->count = inversion->starts[doc + 1] - inversion->starts[doc];
	if (out->count > inversion->at_hand_capacity) {
		free(inversion->at_hand);
		inversion->at_hand_capacity = MAX(out->count, inversion->at_hand_capacity * 2);
		inversion->at_hand =
			mem_alloc(inversion->at_hand_capacity * sizeof(*inversion->at_hand));
	}
	qsort(pairs, out->count, sizeof(*pairs), by_place);
	for (size_t i = 0; i < out->count; i++) {
		size_t end = inversion->ends[pairs[i].value];
		size_t start = pairs[i].value ? inversion->ends[pairs[i].value - 1] : 0;

		inversion->at_hand[i] = (struct inverted_value){
			.bytes = {inversion->text.ptr ? inversion->text.ptr + start : "",
				  end - start},
			.position = pairs[i].position};
	}
	out->list = inversion->at_hand;
}

void inversion_free(struct inversion *inversion)
{
	if (!inversion)
		return;
	free(inversion->pairs);
	free(inversion->starts);
	free(inversion->ends);
	free(inversion->at_hand);
	buf_release(&inversion->text);
	free(inversion);
}
