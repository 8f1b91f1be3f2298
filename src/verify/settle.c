/* Documents that differ and are being written to, read again until they are equal, or rest. */
#include "base/clock.h"
#include "verify/comparing.h"

#include <stdlib.h>
#include <time.h>

#define ROUND_MS 1000
#define BATCH 100 /* documents of one request */

struct settling {
	struct comparing *c;
	struct json_hasher hasher;
	struct difference_entry **entries; /* those that still differ */
	size_t count, capacity;
	int side; /* that is being read */
	bool again;
};

static bool is_equal(const struct difference_entry *entry)
{
	return entry->counts[0] == entry->counts[1] &&
	       hash128_equal(entry->sums[0], entry->sums[1]);
}

static void collect(struct difference_entry *entry, void *user)
{
	struct settling *s = user;

	if (is_equal(entry))
		return;
	if (s->count == s->capacity) {
		s->capacity = MAX(s->capacity * 2, (size_t)64);
		s->entries =
			mem_realloc(s->entries, s->capacity * sizeof(struct difference_entry *));
	}
	s->entries[s->count++] = entry;
}

static void take_now(void *user, const struct document *document)
{
	struct settling *s = user;
	struct difference_entry *entry = difference_table_find(s->c->table, document->id);
	struct document_hash hash;

	if (!entry)
		return;
	document_hash(&s->hasher, document, &s->c->options->hash, &hash);
	entry->counts[s->side]++;
	entry->sums[s->side] = hash128_add(entry->sums[s->side], hash.hash);
	entry->versions[s->side] = document->version;
}

/* What a live side has of them now. */
static int read_batch(struct settling *s, size_t from, size_t count, struct err *err)
{
	struct verify_side *side = s->c->pass.sides[s->side];
	struct str ids[BATCH];
	int64_t before[BATCH];
	int rc;

	for (size_t i = 0; i < count; i++) {
		struct difference_entry *entry = s->entries[from + i];

		ids[i] = entry->id;
		before[i] = entry->versions[s->side];
		entry->counts[s->side] = 0;
		entry->sums[s->side] = (struct hash128){0};
		entry->versions[s->side] = -1;
	}
	rc = side->ops->fetch(side, &s->c->pass.indices[s->side], ids, count, take_now, s, err);
	for (size_t i = 0; s->again && i < count; i++)
		if (s->entries[from + i]->versions[s->side] != before[i])
			s->entries[from + i]->in_motion = true;
	return rc;
}

static int read_again(struct settling *s, struct err *err)
{
	int rc = 0;

	for (s->side = 0; s->side < 2; s->side++)
		for (size_t i = 0; rc == 0 && i < s->count; i += BATCH)
			if (s->c->pass.sides[s->side]->ops->fetch)
				rc = read_batch(s, i, MIN(s->count - i, (size_t)BATCH), err);
	return rc;
}

static void drop_equal(struct settling *s)
{
	size_t left = 0;

	for (size_t i = 0; i < s->count; i++) {
		s->entries[i]->in_motion = s->entries[i]->in_motion && !is_equal(s->entries[i]);
		if (!is_equal(s->entries[i]))
			s->entries[left++] = s->entries[i];
	}
	s->count = left;
}

static int wait_for_round(const struct settling *s, int64_t until, struct err *err)
{
	int64_t ms = MIN(until - clock_monotonic_ms(), (int64_t)ROUND_MS);

	if (ms > 0)
		nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
			  NULL);
	if (atomic_load(s->c->pass.cancel))
		return err_set(err, ERR_CANCELLED, "interrupted");
	return 0;
}

int comparing_settle(struct comparing *c, struct err *err)
{
	struct settling s = {.c = c};
	int64_t until = clock_monotonic_ms() + c->options->settle_ms;
	bool last = false;
	int rc = 0;

	json_hasher_init(&s.hasher);
	difference_table_each(c->table, collect, &s);
	while (rc == 0 && s.count > 0) {
		rc = read_again(&s, err);
		drop_equal(&s);
		s.again = true;
		if (rc < 0 || s.count == 0 || last)
			break;
		rc = wait_for_round(&s, until, err);
		last = clock_monotonic_ms() >= until;
	}
	json_hasher_release(&s.hasher);
	free(s.entries);
	return rc;
}
