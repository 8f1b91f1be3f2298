#include "snapshot/parts_source.h"

#include "base/buf.h"

#include <pthread.h>
#include <stdlib.h>

/* Parts that one file keeps open: a large file may have thousands, a process often 1024 file
 * descriptors. */
#define OPEN_PARTS 4

struct open_part {
	struct bytes_source *source; /* NULL: the slot is free */
	uint64_t number;
	unsigned readers;   /* it is closed only while nobody reads from it */
	uint64_t last_used; /* a tick of the source's clock */
};

struct parts_source {
	struct bytes_source source;
	struct blob_store *store;
	char *base;
	uint64_t part_size;
	pthread_mutex_t lock; /* of what follows */
	struct open_part parts[OPEN_PARTS];
	uint64_t clock;
};

static int open_part(struct parts_source *file, uint64_t number, struct bytes_source **out,
		     struct err *err)
{
	cleanup(buf_release) struct buf name = BUF_INIT(2 * LIMIT_PATH);
	uint64_t left = file->source.size - number * file->part_size;

	buf_printf(&name, "%s.part%llu", file->base, (unsigned long long)number);
	return blob_store_source_sized(file->store, buf_str(&name), MIN(left, file->part_size), out,
				       err);
}

/* The part's slot if it is open; else the one to open it in: a free one, or that which nobody reads
 * and nobody used for longest. NULL when all are being read. */
static struct open_part *find_slot(struct parts_source *file, uint64_t number)
{
	struct open_part *oldest = NULL;

	for (size_t i = 0; i < OPEN_PARTS; i++) {
		struct open_part *part = &file->parts[i];

		if (part->source && part->number == number)
			return part;
		if (part->readers == 0 && (!oldest || part->last_used < oldest->last_used))
			oldest = part;
	}
	return oldest;
}

/* Makes the slot hold the part. Called with the lock held. */
static int fill_slot(struct parts_source *file, struct open_part *slot, uint64_t number,
		     struct err *err)
{
	struct bytes_source *opened;
	int rc;

	if (slot->source && slot->number == number)
		return 0;
	rc = open_part(file, number, &opened, err);
	if (rc < 0)
		return rc;
	bytes_source_close(slot->source);
	*slot = (struct open_part){.source = opened, .number = number};
	return 0;
}

static int acquire(struct parts_source *file, uint64_t number, struct open_part **out,
		   struct err *err)
{
	struct open_part *slot;
	int rc = 0;

	*out = NULL;
	pthread_mutex_lock(&file->lock);
	slot = find_slot(file, number);
	if (slot)
		rc = fill_slot(file, slot, number, err);
	if (slot && rc == 0) {
		slot->readers++;
		slot->last_used = ++file->clock;
		*out = slot;
	}
	pthread_mutex_unlock(&file->lock);
	return rc;
}

static void let_go(struct parts_source *file, struct open_part *slot)
{
	pthread_mutex_lock(&file->lock);
	slot->readers--;
	pthread_mutex_unlock(&file->lock);
}

static int read_opened(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
		       const atomic_bool *stop, struct err *err)
{
	return stop ? bytes_source_read_once(source, offset, dst, len, stop, err)
		    : bytes_source_read(source, offset, dst, len, err);
}

static int read_part(struct parts_source *file, uint64_t number, uint64_t offset, void *dst,
		     size_t len, const atomic_bool *stop, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *own = NULL;
	struct open_part *slot;
	int rc = acquire(file, number, &slot, err);

	if (rc < 0)
		return rc;
	if (slot) {
		rc = read_opened(slot->source, offset, dst, len, stop, err);
		let_go(file, slot);
		return rc;
	}
	rc = open_part(file, number, &own, err);
	return rc < 0 ? rc : read_opened(own, offset, dst, len, stop, err);
}

/* `stop` is NULL where nothing is to stop it. */
static int parts_read_once(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			   const atomic_bool *stop, struct err *err)
{
	struct parts_source *file = (struct parts_source *)source;
	char *to = dst;

	while (len > 0) {
		uint64_t inside = offset % file->part_size;
		size_t n = (size_t)MIN((uint64_t)len, file->part_size - inside);
		int rc = read_part(file, offset / file->part_size, inside, to, n, stop, err);

		if (rc < 0)
			return rc;
		to += n;
		offset += n;
		len -= n;
	}
	return 0;
}

static int parts_read_at(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			 struct err *err)
{
	return parts_read_once(source, offset, dst, len, NULL, err);
}

static bool parts_is_remote(const struct bytes_source *source)
{
	return blob_store_is_remote(((const struct parts_source *)source)->store);
}

static void parts_close(struct bytes_source *source)
{
	struct parts_source *file = (struct parts_source *)source;

	for (size_t i = 0; i < OPEN_PARTS; i++)
		bytes_source_close(file->parts[i].source);
	pthread_mutex_destroy(&file->lock);
	free(source->name);
	free(file->base);
	free(file);
}

static const struct bytes_source_ops parts_ops = {.read_at = parts_read_at,
						  .close = parts_close,
						  .read_once = parts_read_once,
						  .is_remote = parts_is_remote};

struct bytes_source *parts_source_new(struct blob_store *store, struct str base, uint64_t length,
				      uint64_t part_size, struct str name)
{
	struct parts_source *file = mem_zalloc(sizeof(*file));

	if (part_size == 0)
		BUG("a part of no bytes");
	file->source = (struct bytes_source){&parts_ops, length, str_dup(name)};
	file->store = store;
	file->base = str_dup(base);
	file->part_size = part_size;
	pthread_mutex_init(&file->lock, NULL);
	return &file->source;
}
