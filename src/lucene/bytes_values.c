#include "lucene/bytes_values.h"

#include <stdlib.h>

static bool in_blocks(const struct bytes_meta *meta)
{
	return meta->layout != BYTES_FIXED && meta->layout != BYTES_VARIABLE;
}

static bool is_possible(const struct bytes_meta *meta, uint64_t end)
{
	if (meta->count < 0 || meta->count > NUMBERS_MOST || meta->block_shift > 16)
		return false;
	if (meta->count == 0)
		return true;
	if (meta->offset < 0 || (uint64_t)meta->offset > end || meta->max_length < 0)
		return false;
	if (in_blocks(meta) && meta->layout != BYTES_CHUNKS_80 &&
	    (meta->length < 0 || (uint64_t)meta->length > end - (uint64_t)meta->offset))
		return false;
	return meta->layout != BYTES_FIXED ||
	       (uint64_t)meta->max_length <= (end - (uint64_t)meta->offset) / (uint64_t)meta->count;
}

int bytes_values_init(struct bytes_values *values, const struct bytes_meta *meta, bool little,
		      struct bytes_source *source, uint64_t end, struct err *err)
{
	*values = (struct bytes_values){.meta = meta, .end = end, .block = -1};
	values->raw = BUF_INIT(LIMIT_COLUMN_BLOCK);
	values->entries = BUF_INIT(LIMIT_COLUMN_BLOCK);
	values->inflated = BUF_INIT(LIMIT_COLUMN_BLOCK);
	if (!is_possible(meta, end))
		return err_set(err, ERR_FORMAT,
			       "is said to have %lld values at %lld of up to %lld bytes; its "
			       "content has %llu bytes",
			       (long long)meta->count, (long long)meta->offset,
			       (long long)meta->max_length, (unsigned long long)end);
	range_window_init(&values->window, source, end);
	if (meta->layout == BYTES_FIXED || meta->count == 0)
		return 0;
	return monotonic_values_init(&values->addresses, &meta->addresses, little, source, end,
				     err);
}

void bytes_values_release(struct bytes_values *values)
{
	monotonic_values_release(&values->addresses);
	range_window_release(&values->window);
	buf_release(&values->raw);
	buf_release(&values->entries);
	buf_release(&values->inflated);
	free(values->starts);
	values->starts = NULL;
}

/* [at, at + len) of the file, through the window where it fits. */
static int read_range(struct bytes_values *values, uint64_t at, uint64_t len, struct str *out,
		      struct err *err)
{
	const uint8_t *bytes;
	void *room;

	if (at > values->end || len > values->end - at)
		return err_set(err, ERR_FORMAT,
			       "speaks of %llu bytes at %llu, and its content ends at %llu",
			       (unsigned long long)len, (unsigned long long)at,
			       (unsigned long long)values->end);
	if (len <= RANGE_WINDOW_SIZE) {
		if (range_window_need(&values->window, at, (size_t)len, &bytes, err) < 0)
			return -(int)err->kind;
		*out = str_of(bytes, (size_t)len);
		return 0;
	}
	buf_reset(&values->raw);
	room = buf_reserve(&values->raw, (size_t)len);
	if (!room)
		return buf_check(&values->raw, "a value or block of doc values", err);
	if (bytes_source_read(values->window.source, at, room, (size_t)len, err) < 0)
		return -(int)err->kind;
	*out = str_of(room, (size_t)len);
	return 0;
}

/* Between two addresses, which count from `base`. */
static int read_between(struct bytes_values *values, uint64_t base, int64_t from, int64_t to,
			struct str *out, struct err *err)
{
	if (from < 0 || to < from || (uint64_t)to > values->end - base)
		return err_set(err, ERR_FORMAT,
			       "has a value from %lld to %lld behind %llu, and its content ends at "
			       "%llu",
			       (long long)from, (long long)to, (unsigned long long)base,
			       (unsigned long long)values->end);
	return read_range(values, base + (uint64_t)from, (uint64_t)(to - from), out, err);
}

/* The addresses of chunks are the file's, those of terms count from the first of them. */
static int read_block(struct bytes_values *values, int64_t block, struct str *out, struct err *err)
{
	const struct bytes_meta *meta = values->meta;
	bool chunks = meta->layout == BYTES_CHUNKS_80;
	int64_t from, to = chunks ? (int64_t)values->end : meta->length;

	if (monotonic_values_get(&values->addresses, (uint64_t)block, &from, err) < 0)
		return -(int)err->kind;
	if ((uint64_t)block + 1 < meta->addresses.count &&
	    monotonic_values_get(&values->addresses, (uint64_t)block + 1, &to, err) < 0)
		return -(int)err->kind;
	/* Behind the last chunk come its addresses. */
	if (chunks && (uint64_t)block + 1 >= meta->addresses.count && meta->length >= 0 &&
	    (uint64_t)meta->length <= values->end - (uint64_t)meta->offset)
		to = meta->offset + meta->length;
	return read_between(values, chunks ? 0 : (uint64_t)meta->offset, from, to, out, err);
}

static int enter_block(struct bytes_values *values, int64_t block, struct err *err)
{
	const struct bytes_meta *meta = values->meta;
	int64_t size = (int64_t)1 << meta->block_shift;
	struct str raw;

	values->block = -1;
	if (!values->starts)
		values->starts = mem_alloc(((size_t)size + 1) * sizeof(*values->starts));
	if (read_block(values, block, &raw, err) < 0 ||
	    bytes_block_decode(values, raw, (uint32_t)MIN(size, meta->count - block * size), err) <
		    0)
		return -(int)err->kind;
	values->block = block;
	return 0;
}

static int get_from_block(struct bytes_values *values, int64_t index, struct str *out,
			  struct err *err)
{
	int64_t block = index >> values->meta->block_shift;
	uint32_t i = (uint32_t)(index & (((int64_t)1 << values->meta->block_shift) - 1));

	if (block != values->block && enter_block(values, block, err) < 0)
		return -(int)err->kind;
	*out = (struct str){values->entries.ptr ? values->entries.ptr + values->starts[i] : "",
			    values->starts[i + 1] - values->starts[i]};
	return 0;
}

int bytes_values_get(struct bytes_values *values, int64_t index, struct str *out, struct err *err)
{
	const struct bytes_meta *meta = values->meta;
	int64_t from, to;

	if (index < 0 || index >= meta->count)
		return err_set(err, ERR_FORMAT, "has %lld values of a field, and %lld is asked for",
			       (long long)meta->count, (long long)index);
	if (in_blocks(meta))
		return get_from_block(values, index, out, err);
	if (meta->layout == BYTES_FIXED) {
		from = index * meta->max_length;
		to = from + meta->max_length;
	} else if (monotonic_values_get(&values->addresses, (uint64_t)index, &from, err) < 0 ||
		   monotonic_values_get(&values->addresses, (uint64_t)index + 1, &to, err) < 0) {
		return -(int)err->kind;
	}
	return read_between(values, (uint64_t)meta->offset, from, to, out, err);
}

size_t bytes_values_memory(const struct bytes_values *values)
{
	size_t starts = values->starts ? ((size_t)1 << values->meta->block_shift) + 1 : 0;

	return (values->window.bytes ? RANGE_WINDOW_SIZE : 0) + starts * sizeof(*values->starts) +
	       values->raw.capacity + values->entries.capacity + values->inflated.capacity +
	       monotonic_values_memory(&values->addresses);
}
