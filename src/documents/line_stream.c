#include "documents/line_stream.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE KIB(256)
#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, in gzip's clothes */

enum packing { PACKING_UNKNOWN, PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct line_stream {
	int fd;
	const char *path;
	size_t limit;
	enum packing packing;
	bool seekable, in_frame;
	z_stream gzip;
	ZSTD_DStream *zstd;
	struct buf packed; /* read and not taken up yet, from `taken` on */
	size_t taken;
	uint64_t position; /* bytes read */
	struct buf text;   /* unpacked, lines from `at` on */
	size_t at;
	uint64_t offset; /* of text[at] */
	/* Lines given or passed over; those before a place that was sought are counted when
	 * somebody asks. */
	uint64_t lines, uncounted;
};

/* Reads more into `packed`: 1, or 0 at the end of the file. */
static int read_more(struct line_stream *s, struct err *err)
{
	void *room;
	ssize_t n;

	if (s->taken == s->packed.len) {
		buf_reset(&s->packed);
		s->taken = 0;
	}
	room = buf_reserve(&s->packed, PIECE);
	if (!room)
		return buf_check(&s->packed, "what is read ahead", err);
	do
		n = read(s->fd, room, PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot read '%s'", s->path);
	s->packed.len += (size_t)n;
	s->position += (uint64_t)n;
	return n > 0;
}

static struct str packed_rest(const struct line_stream *s)
{
	return str_from_offset(buf_str(&s->packed), s->taken);
}

/* Skippable frames stand before some tools' frames. */
static bool is_zstd(struct str head)
{
	return str_starts(head, STR("\x28\xb5\x2f\xfd")) ||
	       (head.len >= 4 && ((unsigned char)head.ptr[0] & 0xf0) == 0x50 &&
		str_starts(str_from_offset(head, 1), STR("\x2a\x4d\x18")));
}

static int look(struct line_stream *s, struct err *err)
{
	int rc = 1;

	while (rc > 0 && s->packed.len < 4)
		rc = read_more(s, err);
	if (rc < 0)
		return rc;
	if (str_starts(buf_str(&s->packed), STR("\x1f\x8b")))
		s->packing = PACKING_GZIP;
	else if (is_zstd(buf_str(&s->packed)))
		s->packing = PACKING_ZSTD;
	else
		s->packing = PACKING_NONE;
	if (s->packing == PACKING_GZIP && inflateInit2(&s->gzip, GZIP_WINDOW) != Z_OK)
		return err_set(err, ERR_NOMEM, "no memory is left to decompress with");
	if (s->packing == PACKING_ZSTD)
		s->zstd = ZSTD_createDStream();
	if (s->packing == PACKING_ZSTD && !s->zstd)
		return err_set(err, ERR_NOMEM, "no memory is left to decompress with");
	return 0;
}

static int damaged(const struct line_stream *s, const char *why, struct err *err)
{
	return err_set(err, ERR_FORMAT,
		       "'%s' cannot be decompressed around its byte %llu: %s; what stood before it "
		       "was read",
		       s->path, (unsigned long long)(s->position - packed_rest(s).len), why);
}

static int unpack_gzip(struct line_stream *s, char *room, size_t *made, struct err *err)
{
	struct str rest = packed_rest(s);
	int rc;

	if (!s->in_frame && inflateReset(&s->gzip) != Z_OK)
		return damaged(s, "zlib does not begin", err);
	s->in_frame = true;
	s->gzip.next_in = (unsigned char *)s->packed.ptr + s->taken;
	s->gzip.avail_in = (unsigned)rest.len;
	s->gzip.next_out = (unsigned char *)room;
	s->gzip.avail_out = PIECE;
	rc = inflate(&s->gzip, Z_NO_FLUSH);
	s->taken += rest.len - s->gzip.avail_in;
	*made = PIECE - s->gzip.avail_out;
	if (rc == Z_STREAM_END)
		s->in_frame = false;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return damaged(s, s->gzip.msg ? s->gzip.msg : "it is damaged", err);
	return 0;
}

static int unpack_zstd(struct line_stream *s, char *room, size_t *made, struct err *err)
{
	struct str rest = packed_rest(s);
	ZSTD_inBuffer in = {rest.ptr, rest.len, 0};
	ZSTD_outBuffer out = {room, PIECE, 0};
	size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);

	s->taken += in.pos;
	*made = out.pos;
	if (ZSTD_isError(rc))
		return damaged(s, ZSTD_getErrorName(rc), err);
	s->in_frame = rc != 0;
	return 0;
}

/* Output may wait inside of the decompressor though nothing is left to put in. */
static int unpack(struct line_stream *s, char *room, size_t *made, struct err *err)
{
	int rc = 1;

	*made = 0;
	while (*made == 0) {
		if (packed_rest(s).len == 0)
			rc = read_more(s, err);
		if (rc < 0)
			return rc;
		if (rc == 0 && !s->in_frame)
			return 0;
		if ((s->packing == PACKING_GZIP ? unpack_gzip : unpack_zstd)(s, room, made, err) <
		    0)
			return -(int)err->kind;
		if (rc == 0 && *made == 0 && s->in_frame)
			return damaged(s, "it is cut off", err);
	}
	return 1;
}

/* More text behind what is there: 1, or 0 at the end. */
static int fill(struct line_stream *s, struct err *err)
{
	size_t left = s->text.len - s->at, made = 0;
	char *room;
	int rc = s->packing == PACKING_UNKNOWN ? look(s, err) : 0;

	if (rc < 0)
		return rc;
	if (s->at > 0 && left > 0)
		memmove(s->text.ptr, s->text.ptr + s->at, left);
	s->text.len = left;
	s->at = 0;
	room = buf_reserve(&s->text, PIECE);
	if (!room)
		return buf_check(&s->text, "a line", err);
	if (s->packing != PACKING_NONE) {
		rc = unpack(s, room, &made, err);
	} else {
		rc = packed_rest(s).len ? 1 : read_more(s, err);
		made = rc > 0 ? MIN(packed_rest(s).len, (size_t)PIECE) : 0;
		if (made > 0)
			memcpy(room, packed_rest(s).ptr, made);
		s->taken += made;
	}
	s->text.len += made;
	return rc;
}

static void pass(struct line_stream *s, size_t bytes)
{
	s->at += bytes;
	s->offset += bytes;
}

int line_stream_next(struct line_stream *s, struct text_line *out, struct err *err)
{
	size_t seen = 0;
	int rc = 1;

	*out = (struct text_line){.offset = s->offset};
	for (;;) {
		struct str rest = str_from_offset(buf_str(&s->text), s->at);
		const char *end =
			rest.len > seen ? memchr(rest.ptr + seen, '\n', rest.len - seen) : NULL;
		size_t length = end ? (size_t)(end - rest.ptr) : rest.len;

		out->too_long |= length > s->limit;
		if (end || rc == 0) {
			if (!end && length == 0 && !out->too_long)
				return 0;
			out->text = out->too_long ? STR_NONE : str_of(rest.ptr, length);
			pass(s, length + (end != NULL));
			s->lines++;
			return 1;
		}
		seen = length;
		if (out->too_long) {
			pass(s, length);
			seen = 0;
		}
		rc = fill(s, err);
		if (rc < 0)
			return rc;
	}
}

/* A place in a plain file costs nothing to go to. */
static int seek(struct line_stream *s, uint64_t offset, struct err *err)
{
	if (lseek(s->fd, (off_t)offset, SEEK_SET) < 0)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot read '%s'", s->path);
	buf_reset(&s->packed);
	buf_reset(&s->text);
	s->taken = s->at = 0;
	s->position = s->offset = offset;
	s->uncounted = offset;
	s->lines = 0;
	return 0;
}

static void count_breaks(struct line_stream *s, struct str text)
{
	const char *at;

	while (text.len > 0 && (at = memchr(text.ptr, '\n', text.len))) {
		s->lines++;
		text = str_from_offset(text, (size_t)(at - text.ptr) + 1);
	}
}

int line_stream_skip(struct line_stream *s, uint64_t offset, struct err *err)
{
	int rc = 1;

	if (s->packing == PACKING_UNKNOWN)
		rc = fill(s, err);
	if (rc > 0 && s->packing == PACKING_NONE && s->seekable && offset > s->offset)
		return seek(s, offset, err);
	while (rc > 0 && s->offset < offset) {
		struct str rest = str_from_offset(buf_str(&s->text), s->at);
		size_t most = (size_t)MIN((uint64_t)rest.len, offset - s->offset);

		count_breaks(s, str_of(rest.ptr, most));
		pass(s, most);
		if (s->offset < offset)
			rc = fill(s, err);
	}
	return rc < 0 ? rc : 0;
}

uint64_t line_stream_number(struct line_stream *s)
{
	char piece[KIB(16)];
	uint64_t at = 0;
	ssize_t n;

	while (at < s->uncounted &&
	       (n = pread(s->fd, piece, (size_t)MIN(s->uncounted - at, (uint64_t)sizeof(piece)),
			  (off_t)at)) > 0) {
		count_breaks(s, str_of(piece, (size_t)n));
		at += (uint64_t)n;
	}
	s->uncounted = 0;
	return s->lines;
}

uint64_t line_stream_position(const struct line_stream *s)
{
	return s->position;
}

int line_stream_open(const char *path, size_t limit, struct line_stream **out, struct err *err)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct line_stream *s;
	struct stat status;

	if (fd < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNREADABLE, errno,
				     "cannot open %s%s%s", standard ? "" : "'",
				     standard ? "standard input" : path, standard ? "" : "'");
	s = mem_zalloc(sizeof(*s));
	s->fd = fd;
	s->path = standard ? "standard input" : path;
	s->limit = limit;
	s->seekable = !standard && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	s->packed = BUF_INIT(2 * PIECE);
	s->text = BUF_INIT(limit + 2 * PIECE);
	*out = s;
	return 0;
}

void line_stream_close(struct line_stream *s)
{
	if (!s)
		return;
	close(s->fd);
	if (s->packing == PACKING_GZIP)
		inflateEnd(&s->gzip);
	ZSTD_freeDStream(s->zstd);
	buf_release(&s->packed);
	buf_release(&s->text);
	free(s);
}
