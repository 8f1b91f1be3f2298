/* A file, or the rest of it from some position on, read once through a window of memory, its CRC
 * computed on the way. Private to the stored fields. */
#ifndef LUCENE_STORED_WINDOW_H
#define LUCENE_STORED_WINDOW_H

#include "base/bytes_source.h"
#include "base/limits.h"
#include "base/rd.h"
#include "lucene/codec_file.h"

/* Large enough for few reads, small enough to stay in the processor's cache. */
#define STORED_WINDOW_SIZE KIB(512)

struct stored_window {
	struct bytes_source *source; /* borrowed */
	bool ahead;                  /* it is read ahead: what it lends is not copied */
	const uint8_t *bytes;        /* `own`, or in the loan */
	uint8_t *own;
	size_t capacity; /* of `own` */
	struct str loan; /* what the source lends; empty: nothing */
	uint64_t loan_at;
	size_t pos, len;    /* bytes[pos, len) are read and not yet used */
	uint64_t file_next; /* where in the file the next read starts */
	uint64_t file_end;  /* where the footer starts, or the file ends where it has none */
	uint64_t soft_end;  /* what is behind it is read only when asked for */
	bool has_footer;
	uint64_t crc_start; /* where in the file the CRC begins */
	size_t crc_pos;     /* what is before it in the window is in the CRC already */
	uint32_t crc;       /* of the file from crc_start to bytes[crc_pos] */
	uint32_t expected;  /* what the footer says, after stored_window_finish */
};

/* From here to stored_window_end, which comes before anything is used up, a footer counts as
 * content. `ahead`: the source is one of read_ahead_new. */
void stored_window_init(struct stored_window *w, struct bytes_source *source, bool ahead);
/* Tells whether the file ends in a footer. ERR_FORMAT when it is too short to have one. */
int stored_window_end(struct stored_window *w, bool has_footer, struct err *err);
void stored_window_release(struct stored_window *w);
/* Makes the next n bytes lie at stored_window_at; ERR_FORMAT when fewer are left before the
 * end. */
int stored_window_need(struct stored_window *w, uint64_t n, struct err *err);
/* As need, or whatever is left if that is less. */
int stored_window_want(struct stored_window *w, uint64_t n, struct err *err);
/* Passes over the next n bytes, in the window or not. */
int stored_window_skip(struct stored_window *w, uint64_t n, struct err *err);
int stored_window_vint(struct stored_window *w, uint32_t *out, struct err *err);
/* Goes to another position; what was read is forgotten, and the CRC begins there. ERR_FORMAT when
 * it is behind the end. */
int stored_window_seek(struct stored_window *w, uint64_t position, struct err *err);
/* The CRC from crc_start to here. */
uint32_t stored_window_crc(struct stored_window *w);
/* Begins the CRC anew, here. */
void stored_window_cut(struct stored_window *w);
/* At the footer: the CRC takes in its first eight bytes too, and what the footer says goes to
 * `expected`; the two are held against one another when the CRC began with the file. Without a
 * footer: nothing may be left. Comes last. */
int stored_window_finish(struct stored_window *w, struct err *err);

/* Position in the file: bytes. */
static inline uint64_t stored_window_position(const struct stored_window *w)
{
	return w->file_next - (w->len - w->pos);
}

/* Bytes between here and the footer, or the end. */
static inline uint64_t stored_window_left(const struct stored_window *w)
{
	return w->file_end - stored_window_position(w);
}

static inline const uint8_t *stored_window_at(const struct stored_window *w)
{
	return w->bytes + w->pos;
}

/* What lies in the window from here on. */
static inline struct str stored_window_str(const struct stored_window *w)
{
	return str_of(w->bytes + w->pos, w->len - w->pos);
}

#endif
