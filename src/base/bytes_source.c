#include "base/bytes_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_range(const struct bytes_source *src, uint64_t offset, size_t len, struct err *err)
{
	if (offset > src->size || len > src->size - offset)
		return err_set(err, ERR_FORMAT,
			       "'%s' has %llu bytes, and bytes %llu to %llu are needed", src->name,
			       (unsigned long long)src->size, (unsigned long long)offset,
			       (unsigned long long)(offset + len));
	return 0;
}

int bytes_source_read(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
		      struct err *err)
{
	int rc = check_range(src, offset, len, err);

	return rc < 0 || len == 0 ? rc : src->ops->read_at(src, offset, dst, len, err);
}

int bytes_source_read_once(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			   const atomic_bool *stop, struct err *err)
{
	int rc = check_range(src, offset, len, err);

	if (rc < 0 || len == 0)
		return rc;
	return src->ops->read_once ? src->ops->read_once(src, offset, dst, len, stop, err)
				   : src->ops->read_at(src, offset, dst, len, err);
}

bool bytes_source_is_remote(const struct bytes_source *src)
{
	return src->ops->is_remote && src->ops->is_remote(src);
}

int bytes_source_read_all(struct bytes_source *src, struct arena *mem, size_t limit,
			  struct str *out, struct err *err)
{
	char *bytes;

	if (src->size > limit)
		return err_set(err, ERR_LIMIT, "'%s' has %llu bytes, more than the limit of %zu",
			       src->name, (unsigned long long)src->size, limit);
	bytes = arena_alloc(mem, (size_t)src->size);
	if (!bytes)
		return arena_fail(mem, src->name, err);
	*out = (struct str){bytes, (size_t)src->size};
	return bytes_source_read(src, 0, bytes, (size_t)src->size, err);
}

void bytes_source_close(struct bytes_source *src)
{
	if (src)
		src->ops->close(src);
}

void bytes_source_closep(struct bytes_source **src)
{
	bytes_source_close(*src);
	*src = NULL;
}

struct file_source {
	struct bytes_source source;
	int fd;
};

static int file_read_at(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			struct err *err)
{
	struct file_source *file = (struct file_source *)src;
	char *to = dst;

	while (len > 0) {
		ssize_t n = pread(file->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_UNREADABLE, errno,
					     "cannot read '%s' at byte %llu", src->name,
					     (unsigned long long)offset);
		if (n == 0)
			return err_set(err, ERR_FORMAT, "'%s' ended at byte %llu while it was read",
				       src->name, (unsigned long long)offset);
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static void file_close(struct bytes_source *src)
{
	struct file_source *file = (struct file_source *)src;

	close(file->fd);
	free(src->name);
	free(file);
}

static const struct bytes_source_ops file_ops = {.read_at = file_read_at, .close = file_close};

int file_source_open(const char *path, struct bytes_source **out, struct err *err)
{
	struct file_source *file;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNREADABLE, errno,
				     "cannot open '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_UNREADABLE, "'%s' is not a regular file", path);
	}
	file = mem_zalloc(sizeof(*file));
	file->source = (struct bytes_source){&file_ops, (uint64_t)st.st_size, mem_strdup(path)};
	file->fd = fd;
	*out = &file->source;
	return 0;
}

struct memory_source {
	struct bytes_source source;
	struct str bytes;
};

static int memory_read_at(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			  struct err *err)
{
	(void)err;
	memcpy(dst, ((struct memory_source *)src)->bytes.ptr + offset, len);
	return 0;
}

static void memory_close(struct bytes_source *src)
{
	free(src->name);
	free(src);
}

static const struct bytes_source_ops memory_ops = {.read_at = memory_read_at,
						   .close = memory_close};

struct bytes_source *memory_source_new(struct str bytes, struct str name)
{
	struct memory_source *memory = mem_zalloc(sizeof(*memory));

	memory->source = (struct bytes_source){&memory_ops, bytes.len, str_dup(name)};
	memory->bytes = bytes;
	return &memory->source;
}

struct slice_source {
	struct bytes_source source;
	struct bytes_source *parent;
	uint64_t offset;
};

static int slice_read_at(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			 struct err *err)
{
	struct slice_source *slice = (struct slice_source *)src;

	return bytes_source_read(slice->parent, slice->offset + offset, dst, len, err);
}

static int slice_read_once(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			   const atomic_bool *stop, struct err *err)
{
	struct slice_source *slice = (struct slice_source *)src;

	return bytes_source_read_once(slice->parent, slice->offset + offset, dst, len, stop, err);
}

static bool slice_is_remote(const struct bytes_source *src)
{
	return bytes_source_is_remote(((const struct slice_source *)src)->parent);
}

static const struct bytes_source_ops slice_ops = {.read_at = slice_read_at,
						  .close = memory_close,
						  .read_once = slice_read_once,
						  .is_remote = slice_is_remote};

int slice_source_open(struct bytes_source *parent, uint64_t offset, uint64_t size, struct str name,
		      struct bytes_source **out, struct err *err)
{
	struct slice_source *slice;

	if (offset > parent->size || size > parent->size - offset)
		return err_set(err, ERR_FORMAT,
			       "'%s' has %llu bytes, too few for '" STR_FMT "' at %llu",
			       parent->name, (unsigned long long)parent->size, STR_ARG(name),
			       (unsigned long long)offset);
	slice = mem_zalloc(sizeof(*slice));
	slice->source = (struct bytes_source){&slice_ops, size, str_dup(name)};
	slice->parent = parent;
	slice->offset = offset;
	*out = &slice->source;
	return 0;
}
