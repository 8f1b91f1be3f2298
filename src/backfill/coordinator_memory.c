#include "backfill/coordinator_memory.h"

#include "base/clock.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define LEASE_MS 3600000 /* nobody else could take it */
#define WAIT_MS 1000
#define STATE_MAX MIB(1)

struct entry {
	struct arena mem; /* names, state and reason */
	struct work_item item;
	struct work_progress progress;
	enum work_state state;
	uint64_t holder; /* WORK_LEASED: which lease */
	int32_t failures;
	bool divided;
	char reason[1000];
};

struct memory {
	struct coordinator base;
	pthread_mutex_t lock;
	struct entry **entries;
	size_t count, capacity;
	char *fingerprint;
	uint64_t leases; /* given so far */
	int32_t max_failures;
};

static struct memory *of(struct coordinator *c)
{
	return (struct memory *)c;
}

static struct entry *add(struct memory *m, const struct work_item *item, bool divided)
{
	struct entry *entry = mem_zalloc(sizeof(*entry));

	if (m->count == m->capacity) {
		m->capacity = MAX(m->capacity * 2, (size_t)64);
		m->entries = mem_realloc(m->entries, m->capacity * sizeof(struct entry *));
	}
	entry->mem = ARENA_INIT(2 * STATE_MAX);
	entry->item = *item;
	entry->item.index = arena_str(&entry->mem, item->index);
	entry->progress.next_doc = item->first_doc;
	entry->divided = divided;
	m->entries[m->count++] = entry;
	return entry;
}

static int create(struct coordinator *c, struct str fingerprint, const struct work_item *items,
		  size_t count, bool *created, struct err *err)
{
	struct memory *m = of(c);
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	*created = !m->fingerprint;
	if (!m->fingerprint) {
		m->fingerprint = str_dup(fingerprint);
		for (size_t i = 0; i < count; i++)
			add(m, &items[i], false);
	} else if (!str_is(fingerprint, m->fingerprint)) {
		rc = err_set(err, ERR_USAGE, "the session was made for %s, not for " STR_FMT,
			     m->fingerprint, STR_ARG(fingerprint));
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}

/* Larger ones first; of equals the earlier. */
static struct entry *largest_waiting(const struct memory *m)
{
	struct entry *best = NULL;

	for (size_t i = 0; i < m->count; i++)
		if (m->entries[i]->state == WORK_WAITING &&
		    (!best || m->entries[i]->item.bytes > best->item.bytes))
			best = m->entries[i];
	return best;
}

static bool any_leased(const struct memory *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->entries[i]->state == WORK_LEASED)
			return true;
	return false;
}

static void copy_progress(struct work_progress *to, const struct work_progress *from,
			  struct arena *mem)
{
	*to = *from;
	if (from->state.ptr)
		to->state = arena_str(mem, from->state);
}

static void lease(struct memory *m, struct entry *entry, struct work_claim *out)
{
	entry->state = WORK_LEASED;
	entry->holder = ++m->leases;
	out->id = arena_printf(&out->mem, "%llu", (unsigned long long)entry->holder);
	out->item = entry->item;
	out->item.index = arena_str(&out->mem, entry->item.index);
	copy_progress(&out->progress, &entry->progress, &out->mem);
	out->divided = entry->divided;
	out->lease_ms = LEASE_MS;
	out->lease_until_ms = clock_monotonic_ms() + LEASE_MS;
	out->failures = entry->failures;
}

static int claim(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
		 int64_t *wait_ms, struct err *err)
{
	struct memory *m = of(c);
	struct entry *entry;

	(void)err;
	*wait_ms = WAIT_MS;
	pthread_mutex_lock(&m->lock);
	entry = largest_waiting(m);
	*outcome = entry ? CLAIM_TAKEN : any_leased(m) ? CLAIM_LATER : CLAIM_ALL_DONE;
	if (entry)
		lease(m, entry, out);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

/* With the lock held. */
static struct entry *held(struct memory *m, const struct work_claim *claim, struct err *err)
{
	uint64_t holder;

	if (!str_to_u64(claim->id, &holder))
		BUG("a claim of another coordinator");
	for (size_t i = 0; i < m->count; i++)
		if (m->entries[i]->state == WORK_LEASED && m->entries[i]->holder == holder)
			return m->entries[i];
	err_set(err, ERR_LEASE_LOST, "another worker has " STR_FMT "[%d] now",
		STR_ARG(claim->item.index), claim->item.shard);
	return NULL;
}

static int store(struct coordinator *c, struct work_claim *claim,
		 const struct work_progress *progress, enum work_state state, struct err *err)
{
	struct memory *m = of(c);
	struct entry *entry;

	pthread_mutex_lock(&m->lock);
	entry = held(m, claim, err);
	if (entry) {
		struct arena old = entry->mem;

		entry->mem = ARENA_INIT(2 * STATE_MAX);
		entry->item.index = arena_str(&entry->mem, entry->item.index);
		copy_progress(&entry->progress, progress, &entry->mem);
		arena_release(&old);
		entry->failures = 0;
		entry->state = state;
		claim->lease_until_ms = clock_monotonic_ms() + LEASE_MS;
	}
	pthread_mutex_unlock(&m->lock);
	return entry ? 0 : -ERR_LEASE_LOST;
}

static int checkpoint(struct coordinator *c, struct work_claim *claim,
		      const struct work_progress *progress, struct err *err)
{
	return store(c, claim, progress, WORK_LEASED, err);
}

static int complete(struct coordinator *c, struct work_claim *claim,
		    const struct work_progress *progress, struct err *err)
{
	return store(c, claim, progress, WORK_COMPLETED, err);
}

static int divide(struct coordinator *c, struct work_claim *claim, const struct work_item *ranges,
		  size_t count, struct err *err)
{
	struct memory *m = of(c);
	struct entry *entry;

	pthread_mutex_lock(&m->lock);
	entry = held(m, claim, err);
	if (entry) {
		struct str index = entry->item.index;

		for (size_t i = 1; i < count; i++)
			add(m, &ranges[i], true);
		entry->item = ranges[0];
		entry->item.index = index;
		entry->divided = true;
		index = claim->item.index;
		claim->item = ranges[0];
		claim->item.index = index;
		claim->divided = true;
	}
	pthread_mutex_unlock(&m->lock);
	return entry ? 0 : -ERR_LEASE_LOST;
}

static int release(struct coordinator *c, struct work_claim *claim, struct err *err)
{
	struct memory *m = of(c);
	struct entry *entry;

	pthread_mutex_lock(&m->lock);
	entry = held(m, claim, err);
	if (entry)
		entry->state = WORK_WAITING;
	pthread_mutex_unlock(&m->lock);
	return entry ? 0 : -ERR_LEASE_LOST;
}

static int fail(struct coordinator *c, struct work_claim *claim, const char *reason, bool final,
		struct err *err)
{
	struct memory *m = of(c);
	struct entry *entry;

	pthread_mutex_lock(&m->lock);
	entry = held(m, claim, err);
	if (entry) {
		snprintf(entry->reason, sizeof(entry->reason), "%s", reason);
		entry->failures++;
		entry->state =
			final || entry->failures >= m->max_failures ? WORK_PARKED : WORK_WAITING;
	}
	pthread_mutex_unlock(&m->lock);
	return entry ? 0 : -ERR_LEASE_LOST;
}

static int by_place(const void *a, const void *b)
{
	const struct work_item *x = &((const struct work_status *)a)->item;
	const struct work_item *y = &((const struct work_status *)b)->item;
	int order = str_cmp(x->index, y->index);

	if (order)
		return order;
	if (x->shard != y->shard)
		return x->shard < y->shard ? -1 : 1;
	return (x->first_doc > y->first_doc) - (x->first_doc < y->first_doc);
}

static int list(struct coordinator *c, struct arena *mem, struct work_status **out, size_t *count,
		struct err *err)
{
	struct memory *m = of(c);
	struct work_status *rows;

	pthread_mutex_lock(&m->lock);
	rows = arena_zalloc(mem, m->count, sizeof(*rows));
	for (size_t i = 0; rows && i < m->count; i++) {
		const struct entry *entry = m->entries[i];

		rows[i] = (struct work_status){
			.item = entry->item, .state = entry->state, .failures = entry->failures};
		rows[i].item.index = arena_str(mem, entry->item.index);
		copy_progress(&rows[i].progress, &entry->progress, mem);
		if (entry->reason[0])
			rows[i].reason = arena_str(mem, str_from(entry->reason));
	}
	*count = m->count;
	pthread_mutex_unlock(&m->lock);
	if (mem->failed)
		return arena_fail(mem, "the list of work items", err);
	qsort(rows, *count, sizeof(*rows), by_place);
	*out = rows;
	return 0;
}

static int unpark(struct coordinator *c, size_t *count, struct err *err)
{
	struct memory *m = of(c);

	(void)err;
	*count = 0;
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->count; i++) {
		if (m->entries[i]->state != WORK_PARKED)
			continue;
		m->entries[i]->state = WORK_WAITING;
		m->entries[i]->failures = 0;
		*count += 1;
	}
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static void close_memory(struct coordinator *c)
{
	struct memory *m = of(c);

	for (size_t i = 0; i < m->count; i++) {
		arena_release(&m->entries[i]->mem);
		free(m->entries[i]);
	}
	free(m->entries);
	free(m->fingerprint);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void coordinator_memory_expire(struct coordinator *c)
{
	struct memory *m = of(c);

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->count; i++)
		if (m->entries[i]->state == WORK_LEASED)
			m->entries[i]->state = WORK_WAITING;
	pthread_mutex_unlock(&m->lock);
}

struct coordinator *coordinator_memory_new(int32_t max_failures)
{
	static const struct coordinator_ops ops = {create,   claim,       checkpoint, divide,
						   complete, release,     fail,       list,
						   unpark,   close_memory};
	struct memory *m = mem_zalloc(sizeof(*m));

	m->base.ops = &ops;
	m->max_failures = max_failures;
	pthread_mutex_init(&m->lock, NULL);
	return &m->base;
}
