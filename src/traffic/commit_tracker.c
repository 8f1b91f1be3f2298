#include "traffic/commit_tracker.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 64, CAPACITY_FIRST = 1024 };

void commit_tracker_release(struct commit_tracker *t)
{
	free(t->words);
	*t = COMMIT_TRACKER_INIT(t->first);
}

static bool is_open(const struct commit_tracker *t, uint64_t position)
{
	uint64_t bit = position & (t->capacity - 1);

	return t->words[bit / WORD] >> bit % WORD & 1;
}

static void set_open(struct commit_tracker *t, uint64_t position, bool open)
{
	uint64_t bit = position & (t->capacity - 1), mask = UINT64_C(1) << bit % WORD;

	t->words[bit / WORD] = open ? t->words[bit / WORD] | mask : t->words[bit / WORD] & ~mask;
}

static void grow(struct commit_tracker *t, uint64_t needed)
{
	struct commit_tracker larger = *t;

	larger.capacity = MAX(t->capacity, CAPACITY_FIRST);
	while (larger.capacity < needed)
		larger.capacity *= 2;
	if (larger.capacity == t->capacity)
		return;
	larger.words = mem_zalloc(larger.capacity / WORD * sizeof(*larger.words));
	for (uint64_t at = t->first; at < t->end; at++)
		if (is_open(t, at))
			set_open(&larger, at, true);
	free(t->words);
	*t = larger;
}

void commit_tracker_begin(struct commit_tracker *t, uint64_t position)
{
	if (position < t->end)
		BUG("a position begun twice, or backwards");
	if (t->outstanding == 0)
		t->first = position;
	grow(t, position + 1 - t->first);
	set_open(t, position, true);
	t->end = position + 1;
	t->outstanding++;
}

bool commit_tracker_finish(struct commit_tracker *t, uint64_t position)
{
	if (position < t->first || position >= t->end || !is_open(t, position))
		return false;
	set_open(t, position, false);
	t->outstanding--;
	while (t->first < t->end && !is_open(t, t->first))
		t->first++;
	return true;
}
