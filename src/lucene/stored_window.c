#include "lucene/stored_window.h"

#include "base/crc32.h"
#include "store/read_ahead.h"

#include <stdlib.h>

#define LOAN_STEP KIB(256)

void stored_window_init(struct stored_window *w, struct bytes_source *source, bool ahead)
{
	*w = (struct stored_window){
		.source = source, .ahead = ahead, .file_end = source->size, .soft_end = UINT64_MAX};
	w->capacity = (size_t)MIN(w->file_end, STORED_WINDOW_SIZE);
	w->bytes = w->own = mem_alloc(w->capacity + 1);
}

int stored_window_end(struct stored_window *w, bool has_footer, struct err *err)
{
	w->has_footer = has_footer;
	if (!has_footer)
		return 0;
	if (w->source->size < CODEC_FOOTER_LENGTH)
		return err_set(err, ERR_FORMAT, "%llu bytes are too few for a Lucene file",
			       (unsigned long long)w->source->size);
	w->file_end = w->source->size - CODEC_FOOTER_LENGTH;
	if (w->file_next > w->file_end) {
		/* A short file came whole. */
		w->len -= (size_t)(w->file_next - w->file_end);
		w->file_next = w->file_end;
	}
	return 0;
}

void stored_window_release(struct stored_window *w)
{
	free(w->own);
	w->bytes = w->own = NULL;
}

uint32_t stored_window_crc(struct stored_window *w)
{
	w->crc = crc32_update(w->crc, w->bytes + w->crc_pos, w->pos - w->crc_pos);
	w->crc_pos = w->pos;
	return w->crc;
}

void stored_window_cut(struct stored_window *w)
{
	w->crc_start = stored_window_position(w);
	w->crc_pos = w->pos;
	w->crc = 0;
}

int stored_window_seek(struct stored_window *w, uint64_t position, struct err *err)
{
	if (position > w->file_end)
		return err_set(err, ERR_FORMAT, "byte %llu is behind the last one, %llu",
			       (unsigned long long)position, (unsigned long long)w->file_end);
	w->bytes = w->own;
	w->pos = w->len = 0;
	w->loan = STR_NONE;
	w->loan_at = 0;
	w->file_next = position;
	stored_window_cut(w);
	return 0;
}

/* Makes the loan hold what comes next in the file, if the source lends it. */
static bool borrow(struct stored_window *w)
{
	if (w->file_next < w->loan_at + w->loan.len)
		return true;
	w->loan = STR_NONE;
	w->loan_at = w->file_next;
	if (!w->ahead || w->file_next == w->file_end ||
	    !read_ahead_borrow(w->source, w->file_next, &w->loan))
		return false;
	w->loan.len = (size_t)MIN(w->file_end - w->file_next, w->loan.len);
	return true;
}

/* Goes on in the loan, where that has the next `n` bytes: a step of it, for what is used to be in
 * the processor's cache still when the CRC takes it in. */
static bool move_into_loan(struct stored_window *w, size_t n)
{
	uint64_t position = stored_window_position(w);
	size_t at;

	if (position == w->file_next && !borrow(w))
		return false;
	if (position < w->loan_at || position + n > w->loan_at + w->loan.len)
		return false;
	at = (size_t)(position - w->loan_at);
	w->bytes = (const uint8_t *)w->loan.ptr;
	w->pos = w->crc_pos = at;
	w->len = MIN(w->loan.len, at + MAX(n, (size_t)LOAN_STEP));
	w->file_next = w->loan_at + w->len;
	return true;
}

static void move_to_own(struct stored_window *w)
{
	memmove(w->own, w->bytes + w->pos, w->len - w->pos);
	w->bytes = w->own;
	w->len -= w->pos;
	w->pos = w->crc_pos = 0;
}

/* Makes the next `n` bytes, or those that the source lends, lie together where one loan ends and
 * another begins. */
static void join_loans(struct stored_window *w, size_t n)
{
	while (w->len < n && borrow(w)) {
		size_t at = (size_t)(w->file_next - w->loan_at);
		size_t more = MIN(n - w->len, w->loan.len - at);

		memcpy(w->own + w->len, w->loan.ptr + at, more);
		w->len += more;
		w->file_next += more;
	}
}

/* Makes the next `n` bytes lie in the window, and more where that costs nothing. */
static int refill(struct stored_window *w, size_t n, struct err *err)
{
	uint64_t soft_end = MAX(w->soft_end, stored_window_position(w) + n);
	size_t more;

	stored_window_crc(w);
	if (move_into_loan(w, n))
		return 0;
	move_to_own(w);
	join_loans(w, n);
	if (w->len >= n)
		return 0;
	more = (size_t)MIN(w->capacity - w->len, MIN(w->file_end, soft_end) - w->file_next);
	if (bytes_source_read(w->source, w->file_next, w->own + w->len, more, err) < 0)
		return -(int)err->kind;
	w->len += more;
	w->file_next += more;
	return 0;
}

static void make_room(struct stored_window *w, size_t n)
{
	bool own = w->bytes == w->own;

	w->capacity = n;
	w->own = mem_realloc(w->own, n + 1);
	if (own)
		w->bytes = w->own;
}

int stored_window_want(struct stored_window *w, uint64_t n, struct err *err)
{
	n = MIN(n, stored_window_left(w));
	if (LIKELY(n <= w->len - w->pos))
		return 0;
	if (n > w->capacity)
		make_room(w, (size_t)n);
	return refill(w, (size_t)n, err);
}

int stored_window_need(struct stored_window *w, uint64_t n, struct err *err)
{
	uint64_t left = stored_window_left(w);

	if (n > left)
		return err_set(err, ERR_FORMAT,
			       "%llu bytes are needed at byte %llu, and %llu are left",
			       (unsigned long long)n, (unsigned long long)stored_window_position(w),
			       (unsigned long long)left);
	return stored_window_want(w, n, err);
}

int stored_window_skip(struct stored_window *w, uint64_t n, struct err *err)
{
	if (n > stored_window_left(w))
		return stored_window_need(w, n, err);
	while (n > w->len - w->pos) {
		n -= w->len - w->pos;
		w->pos = w->len;
		if (refill(w, (size_t)MIN(n, w->capacity), err) < 0)
			return -(int)err->kind;
	}
	w->pos += (size_t)n;
	return 0;
}

int stored_window_vint(struct stored_window *w, uint32_t *out, struct err *err)
{
	struct rd rd;

	if (stored_window_want(w, 5, err) < 0)
		return -(int)err->kind;
	rd = rd_over(stored_window_str(w));
	*out = rd_vint(&rd);
	w->pos += rd.pos;
	return rd_check(&rd, "a length", err);
}

int stored_window_finish(struct stored_window *w, struct err *err)
{
	uint8_t footer[CODEC_FOOTER_LENGTH];
	uint64_t left = stored_window_left(w);

	if (left > 0)
		return err_set(err, ERR_FORMAT,
			       "%llu bytes lie between the last document and the %s",
			       (unsigned long long)left, w->has_footer ? "footer" : "end");
	if (!w->has_footer)
		return 0;
	/* First, since a read may take the bytes back that the window borrowed. */
	stored_window_crc(w);
	if (bytes_source_read(w->source, w->file_end, footer, sizeof(footer), err) < 0)
		return -(int)err->kind;
	if (w->crc_start == 0 && codec_footer_check_crc(footer, w->crc, err) < 0)
		return -(int)err->kind;
	w->crc = crc32_update(w->crc, footer, CODEC_FOOTER_LENGTH - CODEC_FOOTER_CRC_LENGTH);
	return codec_footer_read(footer, &w->expected, err);
}
