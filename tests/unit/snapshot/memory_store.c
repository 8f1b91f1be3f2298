#include "memory_store.h"

#include "base/crc32.h"
#include "base/limits.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

struct blob {
	char *name;
	char *bytes;
	size_t len;
};

struct memory_store {
	struct blob_store store;
	struct blob blobs[64];
	size_t count;
	_Atomic int open_count;
};

struct blob_reader {
	struct bytes_source source;
	struct memory_store *memory;
	const struct blob *blob;
};

static int reader_read_at(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			  struct err *err)
{
	(void)err;
	memcpy(dst, ((struct blob_reader *)source)->blob->bytes + offset, len);
	return 0;
}

static void reader_close(struct bytes_source *source)
{
	((struct blob_reader *)source)->memory->open_count--;
	free(source->name);
	free(source);
}

static const struct bytes_source_ops reader_ops = {.read_at = reader_read_at,
						   .close = reader_close};

static struct blob *find(struct memory_store *memory, struct str name)
{
	for (size_t i = 0; i < memory->count; i++)
		if (str_is(name, memory->blobs[i].name))
			return &memory->blobs[i];
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return str_cmp(((const struct blob_info *)a)->name, ((const struct blob_info *)b)->name);
}

/* The root only. */
static int memory_list(struct blob_store *store, struct str folder, struct arena *mem,
		       struct blob_listing *out, struct err *err)
{
	struct memory_store *memory = (struct memory_store *)store;

	(void)err;
	out->blobs = arena_zalloc(mem, memory->count, sizeof(struct blob_info));
	out->count = 0;
	for (size_t i = 0; i < memory->count; i++) {
		const char *slash = strrchr(memory->blobs[i].name, '/');
		size_t above = slash ? (size_t)(slash - memory->blobs[i].name) : 0;

		if (str_eq(str_of(memory->blobs[i].name, above), folder))
			out->blobs[out->count++] = (struct blob_info){
				str_from(memory->blobs[i].name), memory->blobs[i].len};
	}
	qsort(out->blobs, out->count, sizeof(struct blob_info), compare_names);
	return 0;
}

static int memory_open(struct blob_store *store, struct str name, struct bytes_source **out,
		       struct err *err)
{
	struct memory_store *memory = (struct memory_store *)store;
	struct blob *blob = find(memory, name);
	struct blob_reader *reader;

	if (!blob)
		return err_set(err, ERR_NOT_FOUND, "no blob '" STR_FMT "'", STR_ARG(name));
	reader = mem_zalloc(sizeof(*reader));
	reader->source = (struct bytes_source){&reader_ops, blob->len, str_dup(name)};
	reader->memory = memory;
	reader->blob = blob;
	memory->open_count++;
	*out = &reader->source;
	return 0;
}

static void memory_close(struct blob_store *store)
{
	(void)store;
}

static const struct blob_store_ops memory_ops = {
	.list = memory_list, .open = memory_open, .close = memory_close};

struct memory_store *memory_store_new(void)
{
	struct memory_store *memory = mem_zalloc(sizeof(*memory));

	memory->store = (struct blob_store){&memory_ops, mem_strdup("memory")};
	return memory;
}

struct blob_store *memory_store_blobs(struct memory_store *memory)
{
	return &memory->store;
}

void memory_store_free(struct memory_store *memory)
{
	if (memory->open_count != 0)
		BUG("a source was not closed");
	for (size_t i = 0; i < memory->count; i++) {
		free(memory->blobs[i].name);
		free(memory->blobs[i].bytes);
	}
	free(memory->store.uri);
	free(memory);
}

void memory_store_put(struct memory_store *memory, const char *name, struct str bytes)
{
	memory_store_remove(memory, name);
	if (memory->count == COUNT_OF(memory->blobs))
		BUG("too many blobs for a test");
	memory->blobs[memory->count++] = (struct blob){mem_strdup(name), str_dup(bytes), bytes.len};
}

void memory_store_put_text(struct memory_store *memory, const char *name, const char *text)
{
	memory_store_put(memory, name, str_from(text));
}

char *memory_store_bytes(struct memory_store *memory, const char *name, size_t *len)
{
	struct blob *blob = find(memory, str_from(name));

	*len = blob->len;
	return blob->bytes;
}

void memory_store_remove(struct memory_store *memory, const char *name)
{
	struct blob *blob = find(memory, str_from(name));

	if (!blob)
		return;
	free(blob->name);
	free(blob->bytes);
	*blob = memory->blobs[--memory->count];
}

int memory_store_open_count(const struct memory_store *memory)
{
	return memory->open_count;
}

static void append_vint(struct buf *out, uint64_t value)
{
	uint8_t bytes[10];
	size_t at = sizeof(bytes);

	bytes[--at] = (uint8_t)(0x80 | (value & 0x3f));
	for (value >>= 6; value; value >>= 7)
		bytes[--at] = (uint8_t)(value & 0x7f);
	buf_append(out, bytes + at, sizeof(bytes) - at);
}

static void append_text(struct buf *out, uint8_t token, struct str text)
{
	if (text.len == 0) {
		buf_append_byte(out, 0x20);
		return;
	}
	buf_append_byte(out, (char)token);
	buf_append_str(out, text);
	buf_append_byte(out, (char)0xfc);
}

static void append_scalar(struct buf *out, const struct json *v)
{
	int64_t number = json_i64_or(v, 0);

	if (v->type == JSON_NUMBER) {
		buf_append_byte(out, 0x25);
		append_vint(out, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
	} else if (v->type == JSON_STRING && str_starts(v->text, STR("binary:"))) {
		buf_append_byte(out, (char)0xfd);
		append_vint(out, v->text.len - 7);
		buf_append_str(out, str_from_offset(v->text, 7));
	} else if (v->type == JSON_STRING) {
		append_text(out, 0xe4, v->text);
	} else {
		buf_append_byte(out, (char)(0x21 + (int)v->type));
	}
}

static void append_smile(struct buf *out, const struct json *v)
{
	bool object = v->type == JSON_OBJECT;

	if (!object && v->type != JSON_ARRAY) {
		append_scalar(out, v);
		return;
	}
	buf_append_byte(out, (char)(object ? 0xfa : 0xf8));
	json_each (child, v) {
		if (object)
			append_text(out, 0x34, child->key);
		append_smile(out, child);
	}
	buf_append_byte(out, (char)(object ? 0xfb : 0xf9));
}

struct str smile_of(const char *json, struct arena *mem)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(16));
	struct err err = {0};
	struct json *root;

	if (json_parse(str_from(json), mem, &root, &err) < 0)
		BUG(err.message);
	buf_append(&out, ":)\n\x05", 4);
	append_smile(&out, root);
	return arena_str(mem, buf_str(&out));
}

struct str deflated(struct str bytes, struct arena *mem)
{
	uLong bound = compressBound((uLong)bytes.len) + 64;
	char *out = arena_alloc(mem, 4 + bound);
	z_stream stream = {0};
	size_t len;

	memcpy(out, "DFL", 4);
	deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	stream.next_in = (Bytef *)(uintptr_t)bytes.ptr;
	stream.avail_in = (uInt)bytes.len;
	stream.next_out = (Bytef *)out + 4;
	stream.avail_out = (uInt)bound;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		BUG("deflate");
	len = 4 + stream.total_out;
	deflateEnd(&stream);
	return str_of(out, len);
}

struct str zstd_streamed(struct str bytes, struct arena *mem)
{
	size_t bound = ZSTD_compressBound(bytes.len);
	cleanup(buf_release) struct buf packed = BUF_INIT(5 + bound);
	ZSTD_CStream *stream = ZSTD_createCStream();
	ZSTD_inBuffer in = {bytes.ptr, bytes.len, 0};
	ZSTD_outBuffer to = {NULL, bound, 0};

	buf_append(&packed, "ZSTD", 5);
	to.dst = buf_reserve(&packed, bound);
	if (ZSTD_isError(ZSTD_compressStream(stream, &to, &in)) || ZSTD_endStream(stream, &to) != 0)
		BUG("zstd");
	ZSTD_freeCStream(stream);
	packed.len += to.pos;
	return arena_str(mem, buf_str(&packed));
}

static void append_be(struct buf *out, uint64_t value, int bytes)
{
	while (bytes-- > 0)
		buf_append_byte(out, (char)(value >> (8 * bytes)));
}

static uint32_t append_footer(struct buf *out)
{
	uint32_t crc;

	append_be(out, 0xC02893E8, 4);
	append_be(out, 0, 4);
	crc = crc32_update(0, out->ptr, out->len);
	append_be(out, crc, 8);
	return crc;
}

struct str enveloped(const char *codec, struct str payload, struct arena *mem)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(16));

	append_be(&out, 0x3FD76C17, 4);
	buf_append_byte(&out, (char)strlen(codec));
	buf_append(&out, codec, strlen(codec));
	append_be(&out, 1, 4);
	buf_append_str(&out, payload);
	append_footer(&out);
	return arena_str(mem, buf_str(&out));
}

struct str with_footer(const char *text, struct arena *mem, uint32_t *crc)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(16));

	buf_append(&out, text, strlen(text));
	*crc = append_footer(&out);
	return arena_str(mem, buf_str(&out));
}

void memory_store_put_dat(struct memory_store *memory, const char *name, const char *codec,
			  const char *json)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));

	memory_store_put(memory, name, enveloped(codec, smile_of(json, &mem), &mem));
}
