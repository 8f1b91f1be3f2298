#include "traffic/record_wire.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
	BLOCK_FIRST = 2048,
	BLOCK_MOST = 256 * 1024,
	BLOCK_MORE = 128, /* behind what is known to come: an end of message, a number */
	FIRST_IOVECS = 4, /* most records have no more */
	NANOS = 1000000000,
};

static int64_t nanos_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NANOS + now.tv_nsec;
}

struct record_time record_time_now(void)
{
	static _Atomic int64_t furthest = INT64_MIN;
	/* In this order: a wait in between makes it less, never more. */
	int64_t wall = nanos_of(CLOCK_REALTIME), steady = nanos_of(CLOCK_MONOTONIC);
	int64_t ahead = wall - steady, most = atomic_load_explicit(&furthest, memory_order_relaxed);

	while (ahead > most &&
	       !atomic_compare_exchange_weak_explicit(&furthest, &most, ahead, memory_order_relaxed,
						      memory_order_relaxed))
		continue;
	steady += MAX(ahead, most);
	return (struct record_time){.seconds = steady / NANOS, .nanos = (int32_t)(steady % NANOS)};
}

int64_t record_time_ms(struct record_time time)
{
	int64_t ms;

	if (__builtin_mul_overflow(time.seconds, (int64_t)1000, &ms) ||
	    __builtin_add_overflow(ms, (int64_t)time.nanos / 1000000, &ms))
		return time.seconds < 0 ? INT64_MIN : INT64_MAX;
	return ms;
}

int64_t record_time_us(struct record_time time)
{
	const int64_t most = INT64_MAX / 4;
	int64_t us;

	if (__builtin_mul_overflow(time.seconds, (int64_t)1000000, &us) ||
	    __builtin_add_overflow(us, (int64_t)time.nanos / 1000, &us))
		return time.seconds < 0 ? -most : most;
	return MIN(MAX(us, -most), most);
}

/* What a record holds beyond what others see of it. */
struct record_memory {
	struct record record;
	size_t room; /* of the last block, bytes not used */
	size_t iov_capacity;
	struct iovec first[FIRST_IOVECS]; /* where iov is until there are more */
	char key[];
};

struct record *record_new(struct str connection_id)
{
	struct record_memory *memory = mem_zalloc(sizeof(*memory) + connection_id.len);

	if (connection_id.len > 0)
		memcpy(memory->key, connection_id.ptr, connection_id.len);
	memory->record.iov = memory->first;
	memory->iov_capacity = FIRST_IOVECS;
	memory->record.connection_id = str_of(memory->key, connection_id.len);
	return &memory->record;
}

void record_free(struct record *record)
{
	if (!record)
		return;
	for (size_t i = 0; i < record->iov_count; i++)
		free(record->iov[i].iov_base);
	if (record->iov != ((struct record_memory *)record)->first)
		free(record->iov);
	free(record);
}

static void grow_iov(struct record_memory *memory)
{
	struct record *record = &memory->record;
	struct iovec *old = record->iov == memory->first ? NULL : record->iov;

	memory->iov_capacity *= 2;
	record->iov = mem_realloc(old, memory->iov_capacity * sizeof(*record->iov));
	if (!old)
		memcpy(record->iov, memory->first, sizeof(memory->first));
}

/* Each block as large as all before it, within bounds, or what is to come. */
static void add_block(struct record_memory *memory, size_t wanted)
{
	struct record *record = &memory->record;
	size_t size = MAX(wanted + BLOCK_MORE, MIN(MAX(record->bytes, BLOCK_FIRST), BLOCK_MOST));

	if (record->iov_count == memory->iov_capacity)
		grow_iov(memory);
	record->iov[record->iov_count++] = (struct iovec){.iov_base = mem_alloc(size)};
	memory->room = size;
}

static void append_to_block(struct record_memory *memory, const char *bytes, size_t len)
{
	struct iovec *block = &memory->record.iov[memory->record.iov_count - 1];

	memcpy((char *)block->iov_base + block->iov_len, bytes, len);
	block->iov_len += len;
	memory->room -= len;
	memory->record.bytes += len;
}

void record_append(struct record *record, const void *bytes, size_t len)
{
	struct record_memory *memory = (struct record_memory *)record;
	size_t fits = MIN(len, memory->room);

	if (fits > 0)
		append_to_block(memory, bytes, fits);
	if (len > fits) {
		add_block(memory, len - fits);
		append_to_block(memory, (const char *)bytes + fits, len - fits);
	}
}

void record_copy(const struct record *record, void *to)
{
	char *at = to;

	for (size_t i = 0; i < record->iov_count; i++) {
		memcpy(at, record->iov[i].iov_base, record->iov[i].iov_len);
		at += record->iov[i].iov_len;
	}
}

struct record *record_from_bytes(struct str key, struct str bytes)
{
	struct record *record = record_new(key);

	record_append(record, bytes.ptr, bytes.len);
	return record;
}
