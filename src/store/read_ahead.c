#include "store/read_ahead.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define FIRST_DEPTH 4

enum range_state {
	RANGE_FREE,
	RANGE_WANTED,
	RANGE_FETCHING,
	RANGE_FORGOTTEN, /* being fetched, and nobody wants it any more */
	RANGE_HERE,
	RANGE_LENT,
	RANGE_FAILED,
};

struct range {
	enum range_state state;
	uint64_t offset;
	size_t len;
	char *bytes; /* READ_AHEAD_RANGE of them, allocated with the first use */
};

struct read_ahead {
	struct bytes_source source;
	struct bytes_source *inner;
	atomic_bool stop;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wanted, done;
	struct range ranges[READ_AHEAD_RANGES];
	struct range *lent; /* until the next call; NULL: none */
	size_t depth;       /* ranges in use at a time */
	uint64_t next_read, next_fetch;
	uint64_t end; /* nothing is fetched from here on */
	pthread_t threads[READ_AHEAD_RANGES];
	size_t thread_count;
};

static atomic_size_t memory, memory_max = READ_AHEAD_MEMORY;

/* What sources that were closed leave to others, as long as there is one: memory that is fresh of
 * the kernel costs as much as what is copied into it. */
struct spare {
	struct spare *next;
};

static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static struct spare *spares;
static size_t sources;

void read_ahead_set_memory(size_t bytes)
{
	atomic_store(&memory_max, bytes);
}

size_t read_ahead_memory(void)
{
	return atomic_load(&memory);
}

static void add_source(void)
{
	pthread_mutex_lock(&spare_lock);
	sources++;
	pthread_mutex_unlock(&spare_lock);
}

static char *take_spare(void)
{
	struct spare *spare;

	pthread_mutex_lock(&spare_lock);
	spare = spares;
	if (spare)
		spares = spare->next;
	pthread_mutex_unlock(&spare_lock);
	return (char *)spare;
}

static void free_bytes(void *bytes)
{
	free(bytes);
	atomic_fetch_sub(&memory, READ_AHEAD_RANGE);
}

/* Of a source that is closed. */
static void leave_ranges(struct range *ranges)
{
	struct spare *left = NULL, *next;

	pthread_mutex_lock(&spare_lock);
	for (size_t i = 0; i < READ_AHEAD_RANGES; i++) {
		struct spare *spare = (struct spare *)ranges[i].bytes;

		if (!spare)
			continue;
		spare->next = spares;
		spares = spare;
	}
	if (--sources == 0) {
		left = spares;
		spares = NULL;
	}
	pthread_mutex_unlock(&spare_lock);
	for (; left; left = next) {
		next = left->next;
		free_bytes(left);
	}
}

static bool reserve(struct range *range)
{
	if (!range->bytes)
		range->bytes = take_spare();
	if (range->bytes)
		return true;
	if (atomic_fetch_add(&memory, READ_AHEAD_RANGE) + READ_AHEAD_RANGE >
	    atomic_load(&memory_max)) {
		atomic_fetch_sub(&memory, READ_AHEAD_RANGE);
		return false;
	}
	range->bytes = mem_alloc(READ_AHEAD_RANGE);
	return true;
}

static struct range *first_wanted(struct read_ahead *ahead)
{
	struct range *first = NULL;

	for (size_t i = 0; i < READ_AHEAD_RANGES; i++) {
		struct range *range = &ahead->ranges[i];

		if (range->state == RANGE_WANTED && (!first || range->offset < first->offset))
			first = range;
	}
	return first;
}

/* Called with the lock held, and gives it back for as long as it takes. */
static void fetch(struct read_ahead *ahead, struct range *range)
{
	struct err ignored;
	int rc;

	range->state = RANGE_FETCHING;
	pthread_mutex_unlock(&ahead->lock);
	rc = bytes_source_read_once(ahead->inner, range->offset, range->bytes, range->len,
				    &ahead->stop, &ignored);
	pthread_mutex_lock(&ahead->lock);
	if (range->state == RANGE_FORGOTTEN)
		range->state = RANGE_FREE;
	else
		range->state = rc < 0 ? RANGE_FAILED : RANGE_HERE;
	pthread_cond_broadcast(&ahead->done);
}

static void *fetch_ranges(void *user)
{
	struct read_ahead *ahead = user;
	struct range *range;

	pthread_mutex_lock(&ahead->lock);
	while (!atomic_load(&ahead->stop)) {
		range = first_wanted(ahead);
		if (range)
			fetch(ahead, range);
		else
			pthread_cond_wait(&ahead->wanted, &ahead->lock);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

/* The rest of the functions are called with the lock held. */

static bool have_thread(struct read_ahead *ahead, size_t used)
{
	if (ahead->thread_count <= used &&
	    pthread_create(&ahead->threads[ahead->thread_count], NULL, fetch_ranges, ahead) == 0)
		ahead->thread_count++;
	return ahead->thread_count > 0;
}

/* Wants ranges until there are as many as the depth says. */
static void want_ranges(struct read_ahead *ahead)
{
	struct range *free_one;
	size_t used;

	while (ahead->next_fetch < ahead->end) {
		free_one = NULL;
		used = 0;
		for (size_t i = 0; i < READ_AHEAD_RANGES; i++)
			if (ahead->ranges[i].state != RANGE_FREE)
				used++;
			else if (!free_one || !free_one->bytes)
				free_one = &ahead->ranges[i];
		if (used >= ahead->depth || !free_one || !reserve(free_one) ||
		    !have_thread(ahead, used))
			return;
		free_one->state = RANGE_WANTED;
		free_one->offset = ahead->next_fetch;
		free_one->len =
			(size_t)MIN((uint64_t)READ_AHEAD_RANGE, ahead->end - ahead->next_fetch);
		ahead->next_fetch += free_one->len;
		pthread_cond_signal(&ahead->wanted);
	}
}

static void forget(struct read_ahead *ahead)
{
	for (size_t i = 0; i < READ_AHEAD_RANGES; i++) {
		struct range *range = &ahead->ranges[i];

		if (range->state == RANGE_FETCHING || range->state == RANGE_FORGOTTEN)
			range->state = RANGE_FORGOTTEN;
		else
			range->state = RANGE_FREE;
	}
}

static struct range *range_at(struct read_ahead *ahead, uint64_t offset)
{
	for (size_t i = 0; i < READ_AHEAD_RANGES; i++) {
		struct range *range = &ahead->ranges[i];

		if (range->state != RANGE_FREE && range->state != RANGE_FORGOTTEN &&
		    offset >= range->offset && offset - range->offset < range->len)
			return range;
	}
	return NULL;
}

static int pass_on(struct read_ahead *ahead, uint64_t offset, char *dst, size_t len,
		   struct err *err)
{
	int rc;

	pthread_mutex_unlock(&ahead->lock);
	rc = bytes_source_read(ahead->inner, offset, dst, len, err);
	pthread_mutex_lock(&ahead->lock);
	return rc;
}

/* The range that holds `offset`, with its outcome; NULL when it was forgotten meanwhile. */
static struct range *await_range(struct read_ahead *ahead, uint64_t offset)
{
	struct range *range = range_at(ahead, offset);
	bool waited = false;

	while (range && range->state != RANGE_HERE && range->state != RANGE_FAILED) {
		waited = true;
		pthread_cond_wait(&ahead->done, &ahead->lock);
		range = range_at(ahead, offset);
	}
	if (waited)
		ahead->depth = MIN(4 * ahead->depth, (size_t)READ_AHEAD_RANGES);
	return range;
}

/* What the range at `offset` holds of it: *n bytes, of at most *n. Without one, all are read. */
static int read_some(struct read_ahead *ahead, uint64_t offset, char *dst, size_t *n,
		     struct err *err)
{
	struct range *range = await_range(ahead, offset);
	size_t at;

	if (!range)
		return pass_on(ahead, offset, dst, *n, err);
	at = (size_t)(offset - range->offset);
	*n = MIN(*n, range->len - at);
	if (range->state == RANGE_FAILED) {
		/* What is left of the range is asked for as readers come to it. */
		return pass_on(ahead, offset, dst, *n, err);
	}
	memcpy(dst, range->bytes + at, *n);
	return 0;
}

static void free_passed(struct read_ahead *ahead)
{
	for (size_t i = 0; i < READ_AHEAD_RANGES; i++) {
		struct range *range = &ahead->ranges[i];

		if ((range->state == RANGE_HERE || range->state == RANGE_FAILED) &&
		    range->offset + range->len <= ahead->next_read)
			range->state = RANGE_FREE;
	}
}

/* The next call is for `offset`: a range of which it may want more stays. */
static void take_back(struct read_ahead *ahead, uint64_t offset)
{
	struct range *range = ahead->lent;

	if (!range)
		return;
	ahead->lent = NULL;
	range->state = RANGE_HERE;
	if (offset >= range->offset && offset - range->offset < range->len)
		ahead->next_read = offset;
	free_passed(ahead);
}

static int read_locked(struct read_ahead *ahead, uint64_t offset, char *dst, size_t len,
		       struct err *err)
{
	bool follows;

	take_back(ahead, offset);
	follows = offset == ahead->next_read && offset > 0;
	if (!range_at(ahead, offset)) {
		forget(ahead);
		ahead->next_fetch = offset;
	}
	while (len > 0) {
		size_t n = len;
		int rc;

		if (follows)
			want_ranges(ahead);
		rc = read_some(ahead, offset, dst, &n, err);
		if (rc < 0)
			return rc;
		dst += n;
		len -= n;
		offset += n;
		ahead->next_read = offset;
		ahead->next_fetch = MAX(ahead->next_fetch, offset);
		free_passed(ahead);
	}
	if (follows)
		want_ranges(ahead);
	return 0;
}

static int ahead_read_at(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			 struct err *err)
{
	struct read_ahead *ahead = (struct read_ahead *)source;
	int rc;

	pthread_mutex_lock(&ahead->lock);
	rc = read_locked(ahead, offset, dst, len, err);
	pthread_mutex_unlock(&ahead->lock);
	return rc;
}

bool read_ahead_borrow(struct bytes_source *source, uint64_t offset, struct str *out)
{
	struct read_ahead *ahead = (struct read_ahead *)source;
	struct range *range;

	pthread_mutex_lock(&ahead->lock);
	take_back(ahead, offset);
	if (range_at(ahead, offset) ||
	    (offset > 0 && offset == ahead->next_read && offset == ahead->next_fetch))
		want_ranges(ahead);
	range = await_range(ahead, offset);
	if (range && range->state == RANGE_HERE) {
		*out = str_from_offset(str_of(range->bytes, range->len),
				       (size_t)(offset - range->offset));
		range->state = RANGE_LENT;
		ahead->lent = range;
		ahead->next_read = range->offset + range->len;
		free_passed(ahead);
	} else {
		range = NULL;
	}
	pthread_mutex_unlock(&ahead->lock);
	return range != NULL;
}

static void ahead_close(struct bytes_source *source)
{
	struct read_ahead *ahead = (struct read_ahead *)source;

	pthread_mutex_lock(&ahead->lock);
	atomic_store(&ahead->stop, true);
	pthread_cond_broadcast(&ahead->wanted);
	pthread_mutex_unlock(&ahead->lock);
	for (size_t i = 0; i < ahead->thread_count; i++)
		pthread_join(ahead->threads[i], NULL);
	leave_ranges(ahead->ranges);
	bytes_source_close(ahead->inner);
	pthread_cond_destroy(&ahead->wanted);
	pthread_cond_destroy(&ahead->done);
	pthread_mutex_destroy(&ahead->lock);
	free(source->name);
	free(ahead);
}

static const struct bytes_source_ops ahead_ops = {.read_at = ahead_read_at, .close = ahead_close};

struct bytes_source *read_ahead_new(struct bytes_source *inner)
{
	struct read_ahead *ahead = mem_zalloc(sizeof(*ahead));

	ahead->source = (struct bytes_source){&ahead_ops, inner->size, mem_strdup(inner->name)};
	ahead->inner = inner;
	ahead->depth = FIRST_DEPTH;
	ahead->end = inner->size;
	add_source();
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->wanted, NULL);
	pthread_cond_init(&ahead->done, NULL);
	return &ahead->source;
}

void read_ahead_until(struct bytes_source *source, uint64_t end)
{
	struct read_ahead *ahead = (struct read_ahead *)source;

	pthread_mutex_lock(&ahead->lock);
	ahead->end = MIN(end, source->size);
	pthread_mutex_unlock(&ahead->lock);
}

void read_ahead_begin(struct bytes_source *source, uint64_t offset)
{
	struct read_ahead *ahead = (struct read_ahead *)source;

	pthread_mutex_lock(&ahead->lock);
	take_back(ahead, offset);
	if (!range_at(ahead, offset)) {
		forget(ahead);
		ahead->next_read = ahead->next_fetch = offset;
		ahead->depth = READ_AHEAD_RANGES;
		want_ranges(ahead);
	}
	pthread_mutex_unlock(&ahead->lock);
}
