#include "store/small_reads.h"

#include <pthread.h>
#include <stdlib.h>

struct block {
	uint64_t key, offset;
	size_t len;
	char *bytes;
};

struct small_reads {
	pthread_mutex_t lock; /* of what follows */
	struct block *blocks;
	size_t count, room;
	size_t bytes, most;
};

struct small_source {
	struct bytes_source source;
	struct bytes_source *inner;
	struct small_reads *kept;
	uint64_t key;
};

struct small_reads *small_reads_new(size_t most_bytes)
{
	struct small_reads *kept = mem_zalloc(sizeof(*kept));

	pthread_mutex_init(&kept->lock, NULL);
	kept->most = most_bytes;
	return kept;
}

void small_reads_free(struct small_reads *kept)
{
	if (!kept)
		return;
	for (size_t i = 0; i < kept->count; i++)
		free(kept->blocks[i].bytes);
	free(kept->blocks);
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

size_t small_reads_bytes(struct small_reads *kept)
{
	size_t bytes;

	pthread_mutex_lock(&kept->lock);
	bytes = kept->bytes;
	pthread_mutex_unlock(&kept->lock);
	return bytes;
}

/* Whether the range is kept, and then copied to `dst` (NULL: only asked). */
static bool find(const struct small_source *source, uint64_t offset, char *dst, size_t len)
{
	struct small_reads *kept = source->kept;
	bool found = false;

	pthread_mutex_lock(&kept->lock);
	for (size_t i = 0; i < kept->count && !found; i++) {
		const struct block *block = &kept->blocks[i];

		if (block->key != source->key || offset < block->offset ||
		    offset - block->offset > block->len ||
		    len > block->len - (offset - block->offset))
			continue;
		found = true;
		if (dst && len > 0)
			memcpy(dst, block->bytes + (offset - block->offset), len);
	}
	pthread_mutex_unlock(&kept->lock);
	return found;
}

/* Takes the bytes of the block over. */
static void keep(struct small_reads *kept, const struct block *block)
{
	pthread_mutex_lock(&kept->lock);
	if (kept->bytes + block->len > kept->most) {
		free(block->bytes);
	} else {
		if (kept->count == kept->room) {
			kept->room = MAX(2 * kept->room, (size_t)16);
			kept->blocks =
				mem_realloc(kept->blocks, kept->room * sizeof(*kept->blocks));
		}
		kept->blocks[kept->count++] = *block;
		kept->bytes += block->len;
	}
	pthread_mutex_unlock(&kept->lock);
}

static bool has_room(struct small_reads *kept, size_t len)
{
	return small_reads_bytes(kept) + len <= kept->most;
}

/* Reads `len` bytes, keeps them, and copies the first `wanted` of them to `dst` (NULL: none). */
static int fetch(struct small_source *source, uint64_t offset, size_t len, char *dst, size_t wanted,
		 struct err *err)
{
	struct block block = {source->key, offset, len, mem_alloc(len + 1)};
	int rc = bytes_source_read(source->inner, offset, block.bytes, len, err);

	if (rc < 0) {
		free(block.bytes);
		return rc;
	}
	if (dst)
		memcpy(dst, block.bytes, wanted);
	keep(source->kept, &block);
	return 0;
}

static int small_read_at(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			 struct err *err)
{
	struct small_source *source = (struct small_source *)src;
	size_t more = (size_t)MIN((uint64_t)SMALL_READ, src->size - offset);

	if (find(source, offset, dst, len))
		return 0;
	if (len > SMALL_READ || !has_room(source->kept, more))
		return bytes_source_read(source->inner, offset, dst, len, err);
	return fetch(source, offset, more, dst, len, err);
}

static int small_read_once(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			   const atomic_bool *stop, struct err *err)
{
	struct small_source *source = (struct small_source *)src;

	if (find(source, offset, dst, len))
		return 0;
	return bytes_source_read_once(source->inner, offset, dst, len, stop, err);
}

static bool small_is_remote(const struct bytes_source *src)
{
	return bytes_source_is_remote(((const struct small_source *)src)->inner);
}

static void small_close(struct bytes_source *src)
{
	bytes_source_close(((struct small_source *)src)->inner);
	free(src->name);
	free(src);
}

static const struct bytes_source_ops small_ops = {.read_at = small_read_at,
						  .close = small_close,
						  .read_once = small_read_once,
						  .is_remote = small_is_remote};

struct bytes_source *small_reads_source(struct small_reads *kept, uint64_t key,
					struct bytes_source *inner)
{
	struct small_source *source = mem_zalloc(sizeof(*source));

	source->source = (struct bytes_source){&small_ops, inner->size, mem_strdup(inner->name)};
	source->inner = inner;
	source->kept = kept;
	source->key = key;
	return &source->source;
}

int small_reads_fetch(struct bytes_source *src, uint64_t offset, size_t len, struct err *err)
{
	struct small_source *source = (struct small_source *)src;

	if (find(source, offset, NULL, len) || !has_room(source->kept, len))
		return 0;
	return fetch(source, offset, len, NULL, 0, err);
}
