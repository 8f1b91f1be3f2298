/* Compound files.
 *
 *   .cfe: index header | vInt n | n x (string name without the segment, i64 offset, i64 length)
 *   .cfs: index header | the files, each whole with its own header and footer | footer
 *
 * Big-endian in format 50, little-endian in 90. The .cfs is never read whole: each file in it has
 * a checksum of its own.
 *
 * Source: Lucene 9.12.1 codecs/lucene90/Lucene90CompoundReader and backward-codecs
 * Lucene50CompoundReader. */
#include "lucene/lucene_internal.h"

#include "base/buf.h"
#include "base/limits.h"

#include <stdlib.h>

/* The least an entry takes: a name of no byte, offset and length. */
#define ENTRY_LEAST_BYTES 17
/* An index header with the longest codec name there is, and no suffix. */
#define DATA_HEADER_BYTES 64

struct compound {
	struct lucene_directory directory;
	struct arena mem;
	struct str segment;
	struct compound_entries entries;
	struct bytes_source *data;
};

static int by_name(const void *a, const void *b)
{
	const struct compound_entry *left = a, *right = b;

	return str_cmp(left->name, right->name);
}

static int read_entries(struct rd *rd, struct arena *mem, struct compound_entries *out,
			struct err *err)
{
	size_t count = rd_vint(rd);

	if (count > rd_left(rd) / ENTRY_LEAST_BYTES)
		return err_set(err, ERR_FORMAT, "cannot hold the %zu files it speaks of", count);
	out->entries = arena_zalloc(mem, count, sizeof(*out->entries));
	if (!out->entries)
		return arena_fail(mem, "entries of a compound file", err);
	for (out->count = 0; out->count < count; out->count++) {
		struct compound_entry *entry = &out->entries[out->count];

		entry->name = rd_string(rd);
		entry->offset = (uint64_t)rd_i64(rd);
		entry->length = (uint64_t)rd_i64(rd);
	}
	if (rd_check(rd, "list of files", err) < 0)
		return -(int)err->kind;
	if (rd_left(rd) != 0)
		return err_set(err, ERR_FORMAT, "has %zu bytes too many", rd_left(rd));
	return 0;
}

static int read_header(struct rd *rd, struct codec_header *header, const uint8_t *id,
		       struct compound_entries *out, struct err *err)
{
	rd->little = str_is(header->codec, "Lucene90CompoundEntries");
	if (header->version != 0 ||
	    (!rd->little && !str_is(header->codec, "Lucene50CompoundEntries")))
		return codec_header_unsupported(header, err);
	if (codec_index_header_expect(rd, id, STR(""), header, err) < 0)
		return -(int)err->kind;
	out->data_codec = rd->little ? "Lucene90CompoundData" : "Lucene50CompoundData";
	out->version = header->version;
	return 0;
}

int compound_entries_decode(struct str body, const uint8_t *id, struct arena *mem,
			    struct compound_entries *out, struct err *err)
{
	struct rd rd = rd_over(body), plain = rd;
	struct codec_header header;

	*out = (struct compound_entries){0};
	if (codec_header_read(&plain, &header, err) < 0)
		return -(int)err->kind;
	if (compound_is_40(&header) ? compound_header_read_40(&rd, id, out, err) < 0
				    : read_header(&rd, &header, id, out, err) < 0)
		return -(int)err->kind;
	if (read_entries(&rd, mem, out, err) < 0)
		return -(int)err->kind;
	qsort(out->entries, out->count, sizeof(*out->entries), by_name);
	for (size_t i = 1; i < out->count; i++)
		if (str_eq(out->entries[i].name, out->entries[i - 1].name))
			return err_set(err, ERR_FORMAT, "names the file '" STR_FMT "' twice",
				       STR_ARG(out->entries[i].name));
	return 0;
}

/* Entries lie between header and footer, and the last one ends where the footer starts, or, without
 * one, where the file ends. */
static int check_ranges(const struct compound *compound, uint64_t header_end,
			unsigned footer_length, struct err *err)
{
	uint64_t size = compound->data->size, end = header_end;

	for (size_t i = 0; i < compound->entries.count; i++) {
		const struct compound_entry *entry = &compound->entries.entries[i];

		if (entry->offset < header_end || entry->offset > size ||
		    entry->length > size - entry->offset)
			return err_set(err, ERR_FORMAT,
				       "has %llu bytes, and the file '" STR_FMT
				       "' is said to lie at "
				       "%llu with %llu bytes",
				       (unsigned long long)size, STR_ARG(entry->name),
				       (unsigned long long)entry->offset,
				       (unsigned long long)entry->length);
		end = MAX(end, entry->offset + entry->length);
	}
	if (end + footer_length != size)
		return err_set(err, ERR_FORMAT,
			       "has %llu bytes where its entries make %llu: truncated or damaged",
			       (unsigned long long)size, (unsigned long long)(end + footer_length));
	return 0;
}

static int check_data(const struct compound *compound, const uint8_t *id, struct err *err)
{
	uint8_t bytes[DATA_HEADER_BYTES];
	size_t length = (size_t)MIN(compound->data->size, sizeof(bytes));
	struct rd rd = rd_over(str_of(bytes, length));
	struct codec_header header;

	if (bytes_source_read(compound->data, 0, bytes, length, err) < 0)
		return -(int)err->kind;
	if ((compound->entries.plain
		     ? codec_plain_header_expect(&rd, id, &header, err)
		     : codec_index_header_expect(&rd, id, STR(""), &header, err)) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, compound->entries.data_codec) ||
	    header.version != compound->entries.version)
		return err_set(err, ERR_FORMAT,
			       "is of '" STR_FMT "' version %d, and its entries of '%s' version %d",
			       STR_ARG(header.codec), header.version, compound->entries.data_codec,
			       compound->entries.version);
	return check_ranges(compound, rd.pos,
			    codec_header_has_footer(&header) ? CODEC_FOOTER_LENGTH : 0, err);
}

static int compound_list(struct lucene_directory *dir, struct arena *mem, struct str **names,
			 size_t *count, struct err *err)
{
	struct compound *compound = (struct compound *)dir;
	size_t n = compound->entries.count;

	*names = arena_zalloc(mem, n, sizeof(**names));
	if (!*names)
		return arena_fail(mem, dir->name, err);
	for (size_t i = 0; i < n; i++) {
		(*names)[i] = arena_printf(mem, STR_FMT STR_FMT, STR_ARG(compound->segment),
					   STR_ARG(compound->entries.entries[i].name));
		if (!(*names)[i].ptr)
			return arena_fail(mem, dir->name, err);
	}
	*count = n;
	return 0;
}

static int compound_open_file(struct lucene_directory *dir, struct str name,
			      struct bytes_source **out, struct err *err)
{
	cleanup(buf_release) struct buf label = BUF_INIT(2 * LIMIT_PATH + 4);
	struct compound *compound = (struct compound *)dir;
	struct compound_entry wanted, *found = NULL;

	wanted.name = str_from_offset(name, compound->segment.len);
	if (compound->entries.count > 0 && str_starts(name, compound->segment))
		found = bsearch(&wanted, compound->entries.entries, compound->entries.count,
				sizeof(wanted), by_name);
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "no file '" STR_FMT "' in '%s'", STR_ARG(name),
			       dir->name);
	/* Errors name the blob that holds the file: it is what a person can look at. */
	buf_printf(&label, "%s (" STR_FMT ")", compound->data->name, STR_ARG(name));
	if (buf_check(&label, "the name of a file", err) < 0)
		return -err->kind;
	return slice_source_open(compound->data, found->offset, found->length, buf_str(&label), out,
				 err);
}

static void compound_close(struct lucene_directory *dir)
{
	struct compound *compound = (struct compound *)dir;

	bytes_source_close(compound->data);
	arena_release(&compound->mem);
	free(dir->name);
	free(compound);
}

static const struct lucene_directory_ops compound_ops = {
	.list = compound_list, .open = compound_open_file, .close = compound_close};

static int compound_read(struct compound *compound, struct lucene_directory *parent,
			 const uint8_t *id, struct err *err)
{
	struct arena *mem = &compound->mem;
	struct str segment = compound->segment, body;
	struct str entries = arena_printf(mem, STR_FMT ".cfe", STR_ARG(segment));
	struct str data = arena_printf(mem, STR_FMT ".cfs", STR_ARG(segment));

	if (!segment.ptr || !entries.ptr || !data.ptr)
		return arena_fail(mem, "a compound file", err);
	if (lucene_file_read(parent, entries, mem, &body, err) < 0)
		return -(int)err->kind;
	if (compound_entries_decode(body, id, mem, &compound->entries, err) < 0)
		return lucene_file_wrap(parent, entries, err);
	if (lucene_directory_open(parent, data, &compound->data, err) < 0)
		return -(int)err->kind;
	if (check_data(compound, id, err) < 0)
		return lucene_file_wrap(parent, data, err);
	return 0;
}

int compound_open(struct lucene_directory *parent, struct str segment, const uint8_t *id,
		  struct lucene_directory **out, struct err *err)
{
	struct compound *compound = mem_zalloc(sizeof(*compound));

	compound->directory.ops = &compound_ops;
	compound->directory.name = mem_strdup(parent->name);
	compound->mem = ARENA_INIT(4 * LIMIT_LUCENE_META_FILE);
	compound->segment = arena_str(&compound->mem, segment);
	if (compound_read(compound, parent, id, err) < 0) {
		compound_close(&compound->directory);
		return -(int)err->kind;
	}
	*out = &compound->directory;
	return 0;
}
