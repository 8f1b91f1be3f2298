#include "traffic/packed_bytes.h"

#include "store/read_ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { READ_AT_ONCE = 256 * 1024, GZIP_WINDOW = 15 + 16 };

struct packed_bytes {
	char *name;
	int fd; /* or -1: */
	struct bytes_source *source;
	uint64_t offset; /* in the source */
	z_stream inflate;
	bool begun, is_gzip, in_member, at_end, ended;
	size_t used, len; /* of `raw`: given already, read */
	uint8_t raw[READ_AT_ONCE];
};

static struct packed_bytes *packed_bytes_new(const char *name)
{
	struct packed_bytes *p = mem_zalloc(sizeof(*p));

	p->name = mem_strdup(name);
	p->fd = -1;
	return p;
}

struct packed_bytes *packed_bytes_of_file(int fd, const char *name)
{
	struct packed_bytes *p = packed_bytes_new(name);

	p->fd = fd;
	return p;
}

struct packed_bytes *packed_bytes_of_source(struct bytes_source *source, const char *name)
{
	struct packed_bytes *p = packed_bytes_new(name);

	p->source = bytes_source_is_remote(source) ? read_ahead_new(source) : source;
	return p;
}

void packed_bytes_close(struct packed_bytes *p)
{
	if (!p)
		return;
	if (p->is_gzip)
		inflateEnd(&p->inflate);
	if (p->fd >= 0)
		close(p->fd);
	bytes_source_close(p->source);
	free(p->name);
	free(p);
}

static int read_file(struct packed_bytes *p, struct err *err)
{
	ssize_t n;

	do
		n = read(p->fd, p->raw + p->len, sizeof(p->raw) - p->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", p->name);
	p->len += (size_t)n;
	p->at_end = n == 0;
	return 0;
}

static int read_source(struct packed_bytes *p, struct err *err)
{
	uint64_t left = p->source->size - p->offset;
	size_t n = (size_t)MIN(left, (uint64_t)(sizeof(p->raw) - p->len));

	if (n > 0 && bytes_source_read(p->source, p->offset, p->raw + p->len, n, err) < 0) {
		/* Not what is wrong with one record. */
		if (err->kind == ERR_FORMAT)
			err->kind = ERR_UNREADABLE;
		return -(int)err->kind;
	}
	p->len += n;
	p->offset += n;
	p->at_end = n == 0;
	return 0;
}

/* Reads on behind what is not given yet. */
static int fill(struct packed_bytes *p, struct err *err)
{
	memmove(p->raw, p->raw + p->used, p->len - p->used);
	p->len -= p->used;
	p->used = 0;
	return p->source ? read_source(p, err) : read_file(p, err);
}

static int begin(struct packed_bytes *p, struct err *err)
{
	while (p->len < 2 && !p->at_end)
		if (fill(p, err) < 0)
			return -(int)err->kind;
	p->begun = true;
	if (p->len < 2 || p->raw[0] != 0x1f || p->raw[1] != 0x8b)
		return 0;
	if (inflateInit2(&p->inflate, GZIP_WINDOW) != Z_OK)
		BUG("zlib gives no stream");
	p->is_gzip = true;
	return 0;
}

static int copy(struct packed_bytes *p, void *to, size_t len, size_t *got, struct err *err)
{
	if (p->used == p->len && !p->at_end && fill(p, err) < 0)
		return -(int)err->kind;
	*got = MIN(len, p->len - p->used);
	memcpy(to, p->raw + p->used, *got);
	p->used += *got;
	return *got > 0;
}

static int cannot_unpack(const struct packed_bytes *p, const char *why, struct err *err)
{
	return err_set(err, ERR_FORMAT, "cannot unpack '%s': %s", p->name, why);
}

static int unpack_some(struct packed_bytes *p, struct err *err)
{
	int status;

	p->inflate.next_in = p->raw + p->used;
	p->inflate.avail_in = (unsigned)(p->len - p->used);
	status = inflate(&p->inflate, Z_NO_FLUSH);
	p->used = p->len - p->inflate.avail_in;
	p->in_member = status != Z_STREAM_END;
	if (status == Z_STREAM_END)
		inflateReset(&p->inflate);
	else if (status != Z_OK && status != Z_BUF_ERROR)
		return cannot_unpack(p, p->inflate.msg ? p->inflate.msg : "it is damaged", err);
	return 0;
}

static int unpack(struct packed_bytes *p, void *to, size_t len, size_t *got, struct err *err)
{
	p->inflate.next_out = to;
	p->inflate.avail_out = (unsigned)MIN(len, (size_t)UINT32_MAX);
	*got = 0;
	while (*got == 0) {
		unsigned room = p->inflate.avail_out;
		bool had;

		if (p->used == p->len && !p->at_end && fill(p, err) < 0)
			return -(int)err->kind;
		had = p->used < p->len;
		if (!had && !p->in_member)
			return 0;
		if (unpack_some(p, err) < 0)
			return -(int)err->kind;
		*got = room - p->inflate.avail_out;
		if (*got == 0 && !had && p->in_member)
			return cannot_unpack(p, "it ends in the middle; is it truncated?", err);
	}
	return 1;
}

int packed_bytes_read(struct packed_bytes *p, void *to, size_t len, size_t *got, struct err *err)
{
	int rc = 0;

	*got = 0;
	if (!p->ended && !p->begun)
		rc = begin(p, err);
	if (!p->ended && rc == 0)
		rc = p->is_gzip ? unpack(p, to, len, got, err) : copy(p, to, len, got, err);
	p->ended = p->ended || rc <= 0;
	return rc;
}
