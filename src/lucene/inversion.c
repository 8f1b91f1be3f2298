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

static int too_little(const struct inversion *v, uint64_t need, struct err *err)
{
	return err_set(err, ERR_LIMIT,
		       "the values of the field in this segment take %llu MiB of memory or more to "
		       "be put in the order of documents, and %zu MiB are allowed",
		       (unsigned long long)(need >> 20) + 1, v->most >> 20);
}

int inversion_new(int32_t max_doc, int64_t pairs, size_t most, struct inversion **out,
		  struct err *err)
{
	struct inversion *v = mem_zalloc(sizeof(*v));
	uint64_t docs = (uint64_t)max_doc + 2; /* two numbers of each while they are put in order */

	v->max_doc = max_doc;
	v->most = most;
	v->text = BUF_INIT(most);
	if (pairs < 0 || (uint64_t)pairs > UINT32_MAX / 2 ||
	    (uint64_t)pairs * sizeof(struct pair) + docs * 2 * sizeof(uint32_t) > most) {
		too_little(v, (uint64_t)MAX(pairs, 0) * sizeof(struct pair), err);
		inversion_free(v);
		return -(int)err->kind;
	}
	v->capacity = (size_t)pairs;
	v->pairs = mem_alloc((v->capacity + 1) * sizeof(*v->pairs));
	v->starts = mem_zalloc((size_t)docs * sizeof(*v->starts));
	*out = v;
	return 0;
}

size_t inversion_memory(const struct inversion *v)
{
	return sizeof(*v) + v->capacity * sizeof(*v->pairs) +
	       ((size_t)v->max_doc + 2) * sizeof(*v->starts) + v->text.capacity +
	       v->ends_capacity * sizeof(*v->ends) + v->at_hand_capacity * sizeof(*v->at_hand);
}

int inversion_value(struct inversion *v, struct str bytes, struct err *err)
{
	if (v->values == v->ends_capacity) {
		v->ends_capacity = MAX(v->ends_capacity * 2, (size_t)64);
		v->ends = mem_realloc(v->ends, v->ends_capacity * sizeof(*v->ends));
	}
	buf_append(&v->text, bytes.len ? bytes.ptr : "", bytes.len);
	if (v->text.failed || v->values >= UINT32_MAX || inversion_memory(v) > v->most)
		return too_little(v, inversion_memory(v), err);
	v->ends[v->values++] = v->text.len;
	return 0;
}

int inversion_add(struct inversion *v, int32_t doc, int32_t position, struct err *err)
{
	if (doc < 0 || doc >= v->max_doc)
		return err_set(err, ERR_FORMAT, "has a value of document %d of %d", doc,
			       v->max_doc);
	if (v->count == v->capacity || v->values == 0)
		return err_set(err, ERR_FORMAT,
			       "has more values of documents than the %zu it speaks of",
			       v->capacity);
	v->has_positions |= position >= 0;
	v->pairs[v->count++] = (struct pair){doc, (uint32_t)(v->values - 1), position};
	v->starts[doc + 1]++;
	return 0;
}

/* Terms that were left out had been counted. */
static void give_back(struct inversion *v)
{
	if (v->count == v->capacity)
		return;
	v->capacity = v->count;
	v->pairs = mem_realloc(v->pairs, (v->capacity + 1) * sizeof(*v->pairs));
}

/* Puts the pairs of documents [from, to), which lie side by side, in the order of groups of 2^shift
 * documents: each pair goes to the next free place of its group, and what was there goes on, until
 * one is at home. `next`: room for a number of each group. */
static void order(struct inversion *v, int32_t from, int32_t to, unsigned shift, uint32_t *next)
{
	int32_t groups = (int32_t)(((uint32_t)(to - from) + (1U << shift) - 1) >> shift);

	for (int32_t g = 0; g < groups; g++)
		next[g] = v->starts[from + (int32_t)((uint32_t)g << shift)];
	for (int32_t g = 0; g < groups; g++) {
		int64_t last = from + ((int64_t)(g + 1) << shift);
		uint32_t end = v->starts[MIN(last, (int64_t)to)];

		while (next[g] < end) {
			struct pair *here = &v->pairs[next[g]], *home, moved;
			int32_t of = (here->doc - from) >> shift;

			if (of == g) {
				next[g]++;
				continue;
			}
			home = &v->pairs[next[of]++];
			moved = *home;
			*home = *here;
			*here = moved;
		}
	}
}

/* First in large groups, so few that the places where each goes on stay in the processor's cache,
 * then each group in itself: else every pair of a large segment would be a jump through all its
 * memory. */
void inversion_finish(struct inversion *v)
{
	cleanup(mem_freep) uint32_t *next = NULL;
	unsigned shift = 0;

	give_back(v);
	for (int32_t doc = 0; doc < v->max_doc; doc++)
		v->starts[doc + 1] += v->starts[doc];
	while (v->max_doc >> shift > GROUPS_MOST)
		shift++;
	next = mem_alloc(((size_t)MAX(1 << shift, GROUPS_MOST) + 1) * sizeof(*next));
	order(v, 0, v->max_doc, shift, next);
	for (int64_t doc = 0; shift > 0 && doc < v->max_doc; doc += 1 << shift)
		order(v, (int32_t)doc, (int32_t)MIN(doc + (1 << shift), (int64_t)v->max_doc), 0,
		      next);
}

static int by_place(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	if (left->position != right->position)
		return left->position < right->position ? -1 : 1;
	return (left->value > right->value) - (left->value < right->value);
}

void inversion_get(struct inversion *v, int32_t doc, struct inverted_values *out)
{
	struct pair *pairs;

	*out = (struct inverted_values){0};
	if (doc < 0 || doc >= v->max_doc)
		return;
	pairs = v->pairs + v->starts[doc];
	out->count = v->starts[doc + 1] - v->starts[doc];
	if (out->count > v->at_hand_capacity) {
		free(v->at_hand);
		v->at_hand_capacity = MAX(out->count, v->at_hand_capacity * 2);
		v->at_hand = mem_alloc(v->at_hand_capacity * sizeof(*v->at_hand));
	}
	qsort(pairs, out->count, sizeof(*pairs), by_place);
	for (size_t i = 0; i < out->count; i++) {
		size_t end = v->ends[pairs[i].value];
		size_t start = pairs[i].value ? v->ends[pairs[i].value - 1] : 0;

		v->at_hand[i] = (struct inverted_value){
			.bytes = {v->text.ptr ? v->text.ptr + start : "", end - start},
			.position = pairs[i].position};
	}
	out->list = v->at_hand;
}

void inversion_free(struct inversion *v)
{
	if (!v)
		return;
	free(v->pairs);
	free(v->starts);
	free(v->ends);
	free(v->at_hand);
	buf_release(&v->text);
	free(v);
}
