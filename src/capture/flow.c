#include "capture/flow.h"

#include <stdlib.h>

#define FIRST_CAPACITY 16384

static void move_down(struct flow *f)
{
	size_t gone = MIN(f->sent, f->recorded);

	if (gone == 0)
		return;
	memmove(f->data, f->data + gone, f->end - gone);
	f->sent -= gone;
	f->released -= gone;
	f->recorded -= gone;
	f->parsed -= gone;
	f->end -= gone;
}

static void grow(struct flow *f, size_t limit)
{
	size_t wanted = MIN(MAX(f->capacity * 2, (size_t)FIRST_CAPACITY), limit);

	if (wanted > f->capacity) {
		f->data = mem_realloc(f->data, wanted);
		f->capacity = wanted;
	}
}

char *flow_room(struct flow *f, size_t limit, size_t *len)
{
	if (f->end == f->capacity)
		move_down(f);
	if (f->end == f->capacity)
		grow(f, limit);
	*len = f->capacity - f->end;
	return f->data + f->end;
}

void flow_free(struct flow *f)
{
	free(f->data);
	*f = (struct flow){0};
}

void flow_sent(struct flow *f, size_t len)
{
	f->sent += len;
	if (f->sent == f->end && f->recorded == f->end)
		flow_free(f);
}

void flow_discard(struct flow *f)
{
	flow_sent(f, flow_sendable(f));
}

void flow_append(struct flow *f, struct str bytes)
{
	move_down(f);
	if (f->capacity - f->end < bytes.len) {
		f->capacity = f->end + bytes.len;
		f->data = mem_realloc(f->data, f->capacity);
	}
	memcpy(f->data + f->end, bytes.ptr, bytes.len);
	f->end += bytes.len;
	f->parsed = f->recorded = f->released = f->end;
}
