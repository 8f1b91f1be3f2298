#include "lucene/range_window.h"

#include <stdlib.h>

#define JUMP_SIZE KIB(4)

void range_window_init(struct range_window *w, struct bytes_source *source, uint64_t end)
{
	*w = (struct range_window){.source = source, .end = end};
}

void range_window_release(struct range_window *w)
{
	free(w->bytes);
	w->bytes = NULL;
}

/* Who jumps about in a file at hand has no use for what follows; over a network it costs little. */
static size_t stretch(const struct range_window *w, uint64_t offset, size_t need)
{
	bool onward = offset >= w->at && offset - w->at <= w->len + RANGE_WINDOW_SIZE;

	if (onward || !w->bytes || bytes_source_is_remote(w->source))
		return RANGE_WINDOW_SIZE;
	return MAX(need, (size_t)JUMP_SIZE);
}

static int move_to(struct range_window *w, uint64_t offset, size_t need, struct err *err)
{
	size_t len = (size_t)MIN(w->end - offset, stretch(w, offset, need));

	if (!w->bytes)
		w->bytes = mem_alloc(RANGE_WINDOW_SIZE);
	w->len = 0;
	if (bytes_source_read(w->source, offset, w->bytes, len, err) < 0)
		return -(int)err->kind;
	w->at = offset;
	w->len = len;
	return 0;
}

int range_window_need(struct range_window *w, uint64_t offset, size_t len, const uint8_t **out,
		      struct err *err)
{
	if (UNLIKELY(len > RANGE_WINDOW_SIZE))
		BUG("more bytes are needed than a window has");
	if (offset > w->end || len > w->end - offset)
		return err_set(err, ERR_FORMAT,
			       "speaks of %zu bytes at %llu, and its content ends at %llu", len,
			       (unsigned long long)offset, (unsigned long long)w->end);
	if ((!w->bytes || offset < w->at || offset - w->at > w->len ||
	     len > w->len - (offset - w->at)) &&
	    move_to(w, offset, len, err) < 0)
		return -(int)err->kind;
	*out = w->bytes + (offset - w->at);
	return 0;
}

int range_window_want(struct range_window *w, uint64_t offset, size_t *len, const uint8_t **out,
		      struct err *err)
{
	if (offset <= w->end)
		*len = (size_t)MIN(w->end - offset, *len);
	return range_window_need(w, offset, *len, out, err);
}
