#include "stored_file.h"

#include "base/crc32.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define SUB_BLOCKS 10

const struct stored_file_format stored_file_formats[] = {
	{"Lucene50StoredFieldsFastData", 0, STORED_FILE_LZ4},
	{"Lucene50StoredFieldsFastData", 1, STORED_FILE_LZ4},
	{"Lucene50StoredFieldsFastData", 2, STORED_FILE_LZ4},
	{"Lucene50StoredFieldsHighData", 0, STORED_FILE_DEFLATE},
	{"Lucene50StoredFieldsHighData", 1, STORED_FILE_DEFLATE},
	{"Lucene50StoredFieldsHighData", 2, STORED_FILE_DEFLATE},
	{"Lucene87StoredFieldsFastData", 3, STORED_FILE_LZ4_PRESET},
	{"Lucene87StoredFieldsFastData", 4, STORED_FILE_LZ4_PRESET},
	{"Lucene87StoredFieldsHighData", 3, STORED_FILE_DEFLATE_PRESET},
	{"Lucene87StoredFieldsHighData", 4, STORED_FILE_DEFLATE_PRESET},
	{"Lucene90StoredFieldsFastData", 1, STORED_FILE_LZ4_PRESET},
	{"Lucene90StoredFieldsHighData", 1, STORED_FILE_DEFLATE_PRESET},
	{"ZstdStoredFields814", 1, STORED_FILE_ZSTD},
	{"CustomStoredFieldsZstd", 1, STORED_FILE_ZSTD_PRESET},
	{"CustomStoredFieldsZstdNoDict", 1, STORED_FILE_ZSTD_BLOCKS},
	{"CustomStoredFieldsLz4", 1, STORED_FILE_LZ4_BLOCKS},
};
const size_t stored_file_format_count = COUNT_OF(stored_file_formats);

/* Lucene 9 and what is built on it. */
static bool is_90(const struct stored_file_format *format)
{
	return !strstr(format->codec, "Lucene50") && !strstr(format->codec, "Lucene87");
}

void stored_file_vint(struct buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buf_append_byte(out, (char)(value | 0x80));
	buf_append_byte(out, (char)value);
}

static void append_fixed(struct buf *out, uint64_t value, unsigned bytes, bool little)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_append_byte(out, (char)(value >> 8 * (little ? i : bytes - 1 - i)));
}

static void append_header(struct buf *out, const char *codec, int32_t version, const char *id)
{
	append_fixed(out, 0x3FD76C17, 4, false);
	stored_file_vint(out, strlen(codec));
	buf_append_str(out, str_from(codec));
	append_fixed(out, (uint64_t)version, 4, false);
	buf_append(out, id ? id : STORED_FILE_ID, 16);
	buf_append_byte(out, 0);
}

void stored_file_header(struct buf *out, const char *codec, int32_t version)
{
	append_header(out, codec, version, NULL);
}

void stored_file_footer(struct buf *out)
{
	append_fixed(out, 0xC02893E8, 4, false);
	append_fixed(out, 0, 4, false);
	append_fixed(out, crc32_update(0, out->ptr, out->len), 8, false);
}

static unsigned bits_of(const uint32_t *values, uint32_t count)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < count; i++)
		all |= values[i];
	return all ? 32 - (unsigned)__builtin_clz(all) : 0;
}

static bool all_equal(const uint32_t *values, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		if (values[i] != values[0])
			return false;
	return true;
}

static void append_packed(struct buf *out, const uint32_t *values, uint32_t count)
{
	unsigned bits = MAX(bits_of(values, count), 1), held = 0;
	uint8_t byte = 0;

	stored_file_vint(out, bits);
	for (uint32_t i = 0; i < count; i++) {
		for (unsigned bit = bits; bit-- > 0;) {
			byte = (uint8_t)(byte << 1 | (values[i] >> bit & 1));
			if (++held % 8 == 0)
				buf_append_byte(out, (char)byte);
		}
	}
	if (held % 8)
		buf_append_byte(out, (char)(byte << (8 - held % 8)));
}

static void append_blocks(struct buf *out, const uint32_t *values, uint32_t count)
{
	unsigned needed = bits_of(values, count), bits = needed <= 8 ? 8 : needed <= 16 ? 16 : 32;
	unsigned lanes = 128 * bits / 64;
	uint32_t i = 0;

	buf_append_byte(out, (char)bits);
	for (; count - i >= 128; i += 128) {
		for (unsigned lane = 0; lane < lanes; lane++) {
			uint64_t held = 0;

			for (unsigned j = 0; j < 64 / bits; j++)
				held = held << (bits % 64) | values[i + j * lanes + lane];
			append_fixed(out, held, 8, true);
		}
	}
	for (; i < count; i++)
		append_fixed(out, values[i], bits / 8, true);
}

static void append_ints(struct buf *out, const struct stored_file_format *format,
			const uint32_t *values, uint32_t count)
{
	if (all_equal(values, count)) {
		buf_append_byte(out, 0);
		stored_file_vint(out, values[0]);
	} else if (is_90(format)) {
		append_blocks(out, values, count);
	} else {
		append_packed(out, values, count);
	}
}

/* Returns the length; `dictionary` lies right before `plain`. */
static size_t lz4(struct buf *out, const char *plain, size_t dictionary, size_t len)
{
	LZ4_stream_t *stream = LZ4_createStream();
	int bound = LZ4_compressBound((int)len), n;

	LZ4_loadDict(stream, plain - dictionary, (int)dictionary);
	n = LZ4_compress_fast_continue(stream, plain, buf_reserve(out, (size_t)bound), (int)len,
				       bound, 1);
	LZ4_freeStream(stream);
	out->len += (size_t)n;
	return (size_t)n;
}

static void deflate_into(struct buf *out, const char *plain, size_t dictionary, size_t len)
{
	cleanup(buf_release) struct buf packed = BUF_INIT(MIB(64));
	z_stream z = {0};

	if (len == 0) {
		stored_file_vint(out, 0);
		return;
	}
	deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	if (dictionary)
		deflateSetDictionary(&z, (const Bytef *)(plain - dictionary), (uInt)dictionary);
	z.avail_out = (uInt)deflateBound(&z, len) + 64;
	z.next_out = buf_reserve(&packed, z.avail_out);
	z.next_in = (Bytef *)(uintptr_t)plain;
	z.avail_in = (uInt)len;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		BUG("deflate");
	packed.len = z.total_out;
	deflateEnd(&z);
	stored_file_vint(out, packed.len);
	buf_append_str(out, buf_str(&packed));
}

static void zstd_into(struct buf *out, const char *plain, size_t len)
{
	cleanup(buf_release) struct buf packed = BUF_INIT(MIB(64));
	size_t bound = ZSTD_compressBound(len);

	if (len == 0)
		return;
	packed.len = ZSTD_compress(buf_reserve(&packed, bound), bound, plain, len, 3);
	stored_file_vint(out, packed.len);
	buf_append_str(out, buf_str(&packed));
}

/* The dictionary moves right before each block, where the compressors here want it. */
static void preset_into(struct buf *out, const char *plain, size_t len, bool is_lz4)
{
	size_t dictionary = len / 20, block = (len - dictionary + SUB_BLOCKS - 1) / SUB_BLOCKS;
	cleanup(buf_release) struct buf packed = BUF_INIT(MIB(64));

	stored_file_vint(out, dictionary);
	stored_file_vint(out, block);
	if (is_lz4)
		stored_file_vint(out, lz4(&packed, plain, 0, dictionary));
	else
		deflate_into(&packed, plain, 0, dictionary);
	for (size_t at = dictionary; at < len; at += block) {
		cleanup(buf_release) struct buf joined = BUF_INIT(MIB(64));

		buf_append(&joined, plain, dictionary);
		buf_append(&joined, plain + at, MIN(block, len - at));
		if (is_lz4)
			stored_file_vint(out, lz4(&packed, joined.ptr + dictionary, dictionary,
						  joined.len - dictionary));
		else
			deflate_into(&packed, joined.ptr + dictionary, dictionary,
				     joined.len - dictionary);
	}
	buf_append_str(out, buf_str(&packed));
}

static void zstd_block_into(struct buf *out, struct str plain, struct str dictionary)
{
	cleanup(buf_release) struct buf packed = BUF_INIT(MIB(64));
	size_t bound = ZSTD_compressBound(plain.len);
	ZSTD_CCtx *context = ZSTD_createCCtx();

	if (plain.len > 0)
		packed.len = ZSTD_compress_usingDict(context, buf_reserve(&packed, bound), bound,
						     plain.ptr, plain.len, dictionary.ptr,
						     dictionary.len, 3);
	ZSTD_freeCCtx(context);
	stored_file_vint(out, packed.len);
	buf_append_str(out, buf_str(&packed));
}

static void zstd_preset_into(struct buf *out, const char *plain, size_t len)
{
	size_t dictionary = len / 60, block = (len - dictionary + SUB_BLOCKS - 1) / SUB_BLOCKS;
	struct str words = str_of(plain, dictionary);

	stored_file_vint(out, dictionary);
	stored_file_vint(out, block);
	zstd_block_into(out, words, STR_NONE);
	for (size_t at = dictionary; at < len; at += block)
		zstd_block_into(out, str_of(plain + at, MIN(block, len - at)), words);
}

static void blocks_into(struct buf *out, const char *plain, size_t len, bool is_lz4)
{
	size_t block = (len + SUB_BLOCKS - 1) / SUB_BLOCKS;

	stored_file_vint(out, block);
	for (size_t at = 0; at < len; at += block) {
		cleanup(buf_release) struct buf packed = BUF_INIT(MIB(64));
		size_t length = MIN(block, len - at);

		if (is_lz4) {
			stored_file_vint(out, lz4(&packed, plain + at, 0, length));
			buf_append_str(out, buf_str(&packed));
		} else {
			zstd_block_into(out, str_of(plain + at, length), STR_NONE);
		}
	}
}

static void append_unit(struct buf *out, const struct stored_file_format *format, const char *plain,
			size_t len)
{
	switch (format->compression) {
	case STORED_FILE_LZ4:
		lz4(out, plain, 0, len);
		break;
	case STORED_FILE_DEFLATE:
		deflate_into(out, plain, 0, len);
		break;
	case STORED_FILE_LZ4_PRESET:
		preset_into(out, plain, len, true);
		break;
	case STORED_FILE_DEFLATE_PRESET:
		preset_into(out, plain, len, false);
		break;
	case STORED_FILE_ZSTD:
		zstd_into(out, plain, len);
		break;
	case STORED_FILE_ZSTD_PRESET:
		zstd_preset_into(out, plain, len);
		break;
	case STORED_FILE_ZSTD_BLOCKS:
		blocks_into(out, plain, len, false);
		break;
	case STORED_FILE_LZ4_BLOCKS:
		blocks_into(out, plain, len, true);
		break;
	}
}

static void append_chunk(struct buf *out, const struct stored_file *file, int32_t first,
			 uint32_t count)
{
	const struct stored_file_document *documents = file->documents + first;
	bool dirty_bit = is_90(file->format) || file->format->version >= 4, sliced;
	uint32_t *fields = mem_alloc(count * sizeof(*fields));
	uint32_t *lengths = mem_alloc(count * sizeof(*lengths));
	cleanup(buf_release) struct buf plain = BUF_INIT(MIB(64));

	buf_append_byte(&plain, 0); /* so that there are bytes even where documents have none */
	for (uint32_t i = 0; i < count; i++) {
		fields[i] = documents[i].fields;
		lengths[i] = (uint32_t)documents[i].bytes.len;
		buf_append_str(&plain, documents[i].bytes);
	}
	sliced = plain.len - 1 >= 2 * (size_t)file->chunk_size;
	stored_file_vint(out, (uint64_t)first);
	stored_file_vint(out, count << (dirty_bit ? 2 : 1) | sliced);
	if (count == 1) {
		stored_file_vint(out, fields[0]);
		stored_file_vint(out, lengths[0]);
	} else {
		append_ints(out, file->format, fields, count);
		append_ints(out, file->format, lengths, count);
	}
	for (size_t at = 1, unit; at == 1 || at < plain.len; at += unit) {
		unit = sliced ? MIN(file->chunk_size, plain.len - at) : plain.len - 1;
		append_unit(out, file->format, plain.ptr + at, unit);
		if (unit == 0)
			break;
	}
	free(fields);
	free(lengths);
}

static struct memory_file *put_file(struct memory_directory *dir, const struct stored_file *file,
				    const char *ending, struct buf *bytes)
{
	char name[64];

	stored_file_footer(bytes);
	snprintf(name, sizeof(name), "%s.%s", file->segment ? file->segment : "_0", ending);
	if (memory_directory_find(dir, name))
		memory_directory_remove(dir, name);
	return memory_directory_add(dir, name, buf_str(bytes));
}

/* Where the chunks start, and behind them the end: what an index holds. */
struct starts {
	uint64_t *docs, *positions;
	uint64_t count; /* chunks */
};

static unsigned direct_bits(uint64_t most)
{
	static const unsigned known[] = {1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64};
	unsigned i = 0;

	if (most == 0)
		return 0;
	while (known[i] < 64 && most >> known[i])
		i++;
	return known[i];
}

/* Differences as DirectWriter writes them. */
static void append_direct(struct buf *out, const uint64_t *values, uint64_t count, unsigned bits,
			  bool little)
{
	size_t start = out->len, length = (size_t)(count * bits + 7) / 8 + 3;

	memset(buf_reserve(out, length), 0, length);
	out->len += length;
	for (uint64_t i = 0; i < count; i++) {
		for (unsigned b = 0; b < bits; b++) {
			uint64_t at = i * bits + (little ? b : bits - 1 - b);
			unsigned set = values[i] >> b & 1;

			out->ptr[start + at / 8] |= (char)(set << (little ? at % 8 : 7 - at % 8));
		}
	}
}

static void append_monotonic(struct buf *meta, struct buf *data, size_t section,
			     const uint64_t *values, uint64_t count, unsigned shift, bool little)
{
	for (uint64_t first = 0; first < count; first += UINT64_C(1) << shift) {
		uint64_t n = MIN(count - first, UINT64_C(1) << shift), most = 0;
		uint64_t *rest = mem_alloc(n * sizeof(*rest));
		uint64_t span = values[first + n - 1] - values[first];
		float average = n > 1 ? (float)((double)span / (double)(n - 1)) : 0;
		int64_t min = INT64_MAX;
		uint32_t average_bits;

		for (uint64_t i = 0; i < n; i++) {
			int64_t delta = (int64_t)values[first + i] - (int64_t)(average * (float)i);

			min = MIN(min, delta);
			rest[i] = (uint64_t)delta;
		}
		for (uint64_t i = 0; i < n; i++) {
			rest[i] -= (uint64_t)min;
			most |= rest[i];
		}
		memcpy(&average_bits, &average, sizeof(average_bits));
		append_fixed(meta, (uint64_t)min, 8, little);
		append_fixed(meta, average_bits, 4, little);
		append_fixed(meta, data->len - section, 8, little);
		buf_append_byte(meta, (char)direct_bits(most));
		if (most)
			append_direct(data, rest, n, direct_bits(most), little);
		free(rest);
	}
}

/* Small blocks: that there are several is what tests are about. */
#define MONOTONIC_SHIFT 5
#define PACKED_BLOCK 32u

/* .fdm and .fdx; without starts, a .fdm that makes nothing but zeros of it. */
static void write_monotonic(struct memory_directory *dir, const struct stored_file *file,
			    const struct starts *starts, uint64_t chunks, uint64_t end)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1)), data = BUF_INIT(MIB(1));
	bool little = is_90(file->format);
	int32_t version = file->format->version;
	unsigned shift = starts ? MONOTONIC_SHIFT : 10;
	uint64_t blocks = (chunks + 1 + (UINT64_C(1) << shift) - 1) >> shift;

	append_header(&data, little ? "Lucene90FieldsIndexIdx" : "Lucene85FieldsIndexIdx", 0,
		      file->id);
	append_header(&out, little ? "Lucene90FieldsIndexMeta" : "Lucene85FieldsIndexMeta",
		      version == 2 ? 0 : version, file->id);
	if (little || version >= 3)
		stored_file_vint(&out, file->chunk_size);
	if (!little && version >= 3)
		stored_file_vint(&out, 2);
	append_fixed(&out, (uint64_t)file->count, 4, little);
	append_fixed(&out, shift, 4, little);
	append_fixed(&out, chunks + 1, 4, little);
	for (int section = 0; section < 2; section++) {
		append_fixed(&out, data.len, 8, little);
		if (starts)
			append_monotonic(&out, &data, data.len,
					 section ? starts->positions : starts->docs, chunks + 1,
					 shift, little);
		for (uint64_t i = 0; !starts && i < blocks * 21; i++)
			buf_append_byte(&out, 0);
	}
	append_fixed(&out, data.len, 8, little);
	append_fixed(&out, end, 8, little);
	stored_file_vint(&out, chunks);
	stored_file_vint(&out, 0);
	stored_file_vint(&out, 0);
	put_file(dir, file, "fdm", &out);
	if (starts)
		put_file(dir, file, "fdx", &data);
}

static uint64_t zigzag(int64_t value)
{
	return (uint64_t)(value >> 63) ^ (uint64_t)value << 1;
}

/* One column of a block: the first value, the average step, and what is left, bit-packed. */
static void append_column(struct buf *out, const uint64_t *values, uint64_t count)
{
	uint64_t average = count > 1 ? (values[count - 1] - values[0]) / (count - 1) : 0;
	uint64_t most = 0;
	unsigned bits = 1, held = 0;
	uint8_t byte = 0;

	stored_file_vint(out, values[0]);
	stored_file_vint(out, average);
	for (uint64_t i = 0; i < count; i++)
		most |= zigzag((int64_t)(values[i] - values[0] - average * i));
	while (bits < 64 && most >> bits)
		bits++;
	stored_file_vint(out, bits);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t delta = zigzag((int64_t)(values[i] - values[0] - average * i));

		for (unsigned bit = bits; bit-- > 0;) {
			byte = (uint8_t)(byte << 1 | (delta >> bit & 1));
			if (++held % 8 == 0)
				buf_append_byte(out, (char)byte);
		}
	}
	if (held % 8)
		buf_append_byte(out, (char)(byte << (8 - held % 8)));
}

/* The .fdx of Lucene 5.0 to 8.4. */
static void write_packed(struct memory_directory *dir, const struct stored_file *file,
			 const struct starts *starts, uint64_t end)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	bool fast = strstr(file->format->codec, "Fast");

	append_header(&out,
		      fast ? "Lucene50StoredFieldsFastIndex" : "Lucene50StoredFieldsHighIndex",
		      file->format->version, file->id);
	stored_file_vint(&out, 2);
	for (uint64_t first = 0; first < starts->count; first += PACKED_BLOCK) {
		uint64_t n = MIN(starts->count - first, PACKED_BLOCK);

		stored_file_vint(&out, n);
		append_column(&out, starts->docs + first, n);
		append_column(&out, starts->positions + first, n);
	}
	stored_file_vint(&out, 0);
	stored_file_vint(&out, end);
	put_file(dir, file, "fdx", &out);
}

static struct memory_file *wrap(struct memory_directory *dir, const struct stored_file *file,
				struct str chunks, uint64_t chunk_count, struct starts *starts)
{
	const struct stored_file_format *format = file->format;
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(64));
	bool own_chunk_size = !is_90(format) && format->version <= 2;
	uint64_t end, header;

	append_header(&out, format->codec, format->version, file->id);
	if (own_chunk_size) {
		stored_file_vint(&out, file->chunk_size);
		stored_file_vint(&out, 2);
	}
	header = out.len;
	buf_append_str(&out, chunks);
	end = out.len;
	for (uint64_t i = 0; starts && i <= chunk_count; i++)
		starts->positions[i] += header;
	if (own_chunk_size && format->version >= 1) {
		stored_file_vint(&out, chunk_count);
		stored_file_vint(&out, 1);
	}
	if (!own_chunk_size || format->version == 2)
		write_monotonic(dir, file, starts, chunk_count, end);
	else if (starts)
		write_packed(dir, file, starts, end);
	return put_file(dir, file, "fdt", &out);
}

struct memory_file *stored_file_wrap(struct memory_directory *dir, const struct stored_file *file,
				     struct str chunks, uint64_t chunk_count)
{
	return wrap(dir, file, chunks, chunk_count, NULL);
}

struct memory_file *stored_file_write(struct memory_directory *dir, const struct stored_file *file)
{
	cleanup(buf_release) struct buf chunks = BUF_INIT(MIB(64));
	uint64_t most = (uint64_t)file->count + 1;
	struct starts starts = {mem_zalloc(most * 8), mem_zalloc(most * 8), 0};
	struct memory_file *fdt;

	for (int32_t first = 0; first < file->count; first += file->per_chunk, starts.count++) {
		starts.docs[starts.count] = (uint64_t)first;
		starts.positions[starts.count] = chunks.len;
		append_chunk(&chunks, file, first,
			     (uint32_t)MIN(file->per_chunk, file->count - first));
	}
	starts.docs[starts.count] = (uint64_t)file->count;
	starts.positions[starts.count] = chunks.len;
	fdt = wrap(dir, file, buf_str(&chunks), starts.count, &starts);
	free(starts.docs);
	free(starts.positions);
	return fdt;
}
