#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __has_feature /* clang's way to tell */
#define SANITIZE_ADDRESS __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZE_ADDRESS 1
#else
#define SANITIZE_ADDRESS 0
#endif
#if SANITIZE_ADDRESS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#endif

#define ALIGNMENT 16
#define FIRST_BLOCK ((size_t)8 << 10)
#define LARGEST_DOUBLING ((size_t)1 << 20)

struct arena_block {
	struct arena_block *older;
	size_t capacity, used;
	_Alignas(ALIGNMENT) char bytes[];
};

static struct arena_block *add_block(struct arena *a, size_t size)
{
	size_t capacity = a->head    ? MIN(a->head->capacity * 2, LARGEST_DOUBLING)
			  : a->first ? a->first
				     : FIRST_BLOCK;
	struct arena_block *block;

	capacity = MAX(capacity, size);
	block = mem_alloc(sizeof(*block) + capacity);
	*block = (struct arena_block){.older = a->head, .capacity = capacity};
	ASAN_POISON_MEMORY_REGION(block->bytes, capacity);
	a->head = block;
	return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *block = a->head;
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *p;

	if (rounded < size || rounded > a->limit || a->used > a->limit - rounded) {
		a->failed = true;
		return NULL;
	}
	if (!block || block->capacity - block->used < rounded)
		block = add_block(a, rounded);
	p = block->bytes + block->used;
	block->used += rounded;
	a->used += rounded;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	return p;
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes) || !(p = arena_alloc(a, bytes)))
		return NULL;
	return memset(p, 0, bytes);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *copy = arena_alloc(a, s.len + 1);

	if (!copy)
		return STR_NONE;
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return (struct str){copy, s.len};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	int length;
	char *text;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0 || !(text = arena_alloc(a, (size_t)length + 1)))
		return STR_NONE;
	va_start(args, fmt);
	vsnprintf(text, (size_t)length + 1, fmt, args);
	va_end(args);
	return (struct str){text, (size_t)length};
}

static void free_blocks(struct arena_block *block)
{
	while (block) {
		struct arena_block *older = block->older;

		ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->capacity);
		free(block);
		block = older;
	}
}

void arena_reset(struct arena *a)
{
	struct arena_block *largest = a->head, **link;

	a->used = 0;
	a->failed = false;
	if (!a->head)
		return;
	for (struct arena_block *b = a->head; b; b = b->older)
		if (b->capacity > largest->capacity)
			largest = b;
	for (link = &a->head; *link != largest; link = &(*link)->older)
		;
	*link = largest->older;
	free_blocks(a->head);
	largest->older = NULL;
	largest->used = 0;
	a->head = largest;
	ASAN_POISON_MEMORY_REGION(largest->bytes, largest->capacity);
}

void arena_release(struct arena *a)
{
	free_blocks(a->head);
	*a = (struct arena){.limit = a->limit, .first = a->first};
}

int arena_fail(const struct arena *a, const char *what, struct err *err)
{
	return err_set(err, ERR_LIMIT, "%s needs more than the limit of %zu bytes", what, a->limit);
}
