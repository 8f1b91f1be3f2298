#include "lucene/terms.h"

#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "lucene/terms_internal.h"

#define DICTIONARY_CODECS "BLOCK_TREE_TERMS_DICT BlockTreeTermsDict"
#define INDEX_CODECS "BlockTreeTermsIndex"
#define META_CODEC "BlockTreeTermsMeta"
/* Versions of the dictionary: up to 4, of Lucene 5 to 8, from 9 on. */
#define VERSION_4_FIRST 1
#define VERSION_4_LONGS 2
#define VERSION_4_BOUNDS 4
#define VERSION_NO_LONGS 4
#define VERSION_COMPRESSED 5
#define VERSION_META_FILE 6
#define VERSION_MOST_8 6
#define VERSION_MOST_FIRST 1
#define VERSION_MOST_9 2
#define ROOT_MOST 64

struct dictionary {
	const struct segment_reader *segment;
	const struct field_info *field;
	struct arena mem;
	struct str suffix;
	struct str prefix; /* of the terms that are wanted */
	struct checked_file tim;
	struct byte_stream stream;
	struct terms_format format;
	struct terms_field terms;
	struct postings postings;
};

static struct str file_name(struct dictionary *d, const char *extension)
{
	return arena_printf(&d->mem, STR_FMT "_" STR_FMT ".%s", STR_ARG(d->segment->commit.name),
			    STR_ARG(d->suffix), extension);
}

static bool version_is_read(int32_t version, bool four, bool nine)
{
	if (four)
		return version >= VERSION_4_FIRST && version <= VERSION_4_BOUNDS;
	return version <= (nine ? VERSION_MOST_9 : VERSION_MOST_8);
}

static int find_format(struct dictionary *d, const struct postings_format *postings,
		       struct err *err)
{
	int32_t version = d->tim.version;
	bool four = str_is(d->tim.codec, "BLOCK_TREE_TERMS_DICT");
	bool nine = postings->nine;

	if (!version_is_read(version, four, nine))
		return err_set(err, ERR_UNSUPPORTED,
			       "is a terms dictionary of version %d, which is not supported",
			       version);
	d->format = (struct terms_format){
		.meta_file = nine || (!four && version >= VERSION_META_FILE),
		.trie = postings->trie,
		.most_first = nine && version >= VERSION_MOST_FIRST,
		.longs = four ? version >= VERSION_4_LONGS : !nine && version < VERSION_NO_LONGS,
		.compressed = nine || (!four && version >= VERSION_COMPRESSED),
		.bounds = !four || version >= VERSION_4_BOUNDS,
	};
	return 0;
}

/* The fields of a dictionary that has them at its end, where the last eight bytes lead. */
static int find_in_tim(struct dictionary *d, struct err *err)
{
	struct byte_stream *s = &d->stream;
	uint64_t start, len;
	struct rd rd;
	char *bytes;

	byte_stream_seek(s, d->tim.end - MIN(d->tim.end, sizeof(start)));
	start = byte_stream_64(s);
	len = d->tim.end - MIN(start, d->tim.end);
	bytes = len > LIMIT_LUCENE_META_FILE ? NULL : arena_alloc(&d->mem, (size_t)len);
	if (!bytes)
		return err_set(err, ERR_LIMIT, "has %llu bytes of fields", (unsigned long long)len);
	byte_stream_seek(s, start);
	byte_stream_copy(s, bytes, (size_t)len);
	if (byte_stream_check(s, "the list of its fields", err) < 0)
		return -(int)err->kind;
	rd = rd_over(str_of(bytes, (size_t)len));
	return terms_field_find(&rd, &d->format, &d->segment->base_infos, d->field->number,
				&d->terms, err);
}

static int read_meta(struct dictionary *d, struct str body, struct err *err)
{
	struct rd rd = rd_over(body);
	struct codec_header header;

	if (codec_index_header_expect(&rd, d->segment->commit.id, d->suffix, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, META_CODEC) || header.version != d->tim.version)
		return codec_header_unsupported(&header, err);
	if (codec_index_header_expect(&rd, d->segment->commit.id, d->suffix, &header, err) < 0)
		return -(int)err->kind;
	rd_vint(&rd);
	return terms_field_find(&rd, &d->format, &d->segment->base_infos, d->field->number,
				&d->terms, err);
}

static int find_in_meta(struct dictionary *d, struct err *err)
{
	struct lucene_directory *dir = d->segment->files.inner;
	struct str name = file_name(d, "tmd"), body;

	if (!name.ptr)
		return arena_fail(&d->mem, "terms", err);
	if (lucene_file_read(dir, name, &d->mem, &body, err) < 0)
		return -(int)err->kind;
	return read_meta(d, body, err) < 0 ? lucene_file_wrap(dir, name, err) : 0;
}

/* Where the terms begin is in the root of a trie. */
static int read_trie_root(struct dictionary *d, struct err *err)
{
	struct str name = file_name(d, "tip");
	struct checked_file tip;
	uint64_t at = d->terms.trie_start + d->terms.trie_root;
	char bytes[ROOT_MOST];
	struct rd rd;
	int rc;

	if (!name.ptr)
		return arena_fail(&d->mem, "terms", err);
	if (checked_file_open(d->segment, name, d->suffix, INDEX_CODECS, &tip, err) < 0)
		return -(int)err->kind;
	rd = rd_over(str_of(bytes, (size_t)MIN(sizeof(bytes), tip.end - MIN(at, tip.end))));
	rc = bytes_source_read(tip.source, MIN(at, tip.end), bytes, rd.len, err);
	if (rc == 0) {
		d->terms.root = terms_trie_output(&rd);
		rc = rd_check(&rd, "the root of a trie", err);
	}
	checked_file_close(&tip);
	return rc < 0 ? lucene_file_wrap(d->segment->files.inner, name, err) : 0;
}

static int wrap(struct dictionary *d, struct err *err)
{
	return lucene_file_wrap(d->segment->files.inner, d->tim.name, err);
}

static int open_dictionary(struct dictionary *d, const struct postings_format *format,
			   struct err *err)
{
	struct str name = file_name(d, "tim");

	if (!name.ptr)
		return arena_fail(&d->mem, "terms", err);
	if (checked_file_open(d->segment, name, d->suffix, DICTIONARY_CODECS, &d->tim, err) < 0)
		return -(int)err->kind;
	byte_stream_init(&d->stream, d->tim.source, d->tim.end, false);
	if (find_format(d, format, err) < 0)
		return wrap(d, err);
	if (d->format.meta_file)
		return find_in_meta(d, err);
	return find_in_tim(d, err) < 0 ? wrap(d, err) : 0;
}

static int invert(struct dictionary *d, size_t most, struct inversion **out, struct err *err)
{
	uint64_t pairs = d->postings.with_positions ? d->terms.total : d->terms.postings;

	if (inversion_new(d->segment->info.max_doc, (int64_t)MIN(pairs, (uint64_t)INT64_MAX), most,
			  out, err) < 0)
		return -(int)err->kind;
	if (terms_walk(&d->stream, &d->format, &d->terms, &d->postings, *out, err) < 0)
		return wrap(d, err);
	inversion_finish(*out);
	return 0;
}

static int read_terms(struct dictionary *d, const struct postings_format *format, bool positions,
		      size_t most, struct inversion **out, struct err *err)
{
	if (open_dictionary(d, format, err) < 0)
		return -(int)err->kind;
	if (!d->terms.found)
		return 0;
	d->terms.prefix = d->prefix;
	if (d->format.trie && read_trie_root(d, err) < 0)
		return -(int)err->kind;
	if (postings_open(&d->postings, d->segment, d->field, format, d->suffix, &d->mem, positions,
			  err) < 0)
		return -(int)err->kind;
	return invert(d, most, out, err);
}

int terms_invert(const struct segment_reader *segment, struct str field, bool positions,
		 struct str prefix, size_t most, struct inversion **out, struct err *err)
{
	const struct field_info *info = field_infos_find(&segment->base_infos, field);
	struct str name =
		info ? field_info_attribute(info, "PerFieldPostingsFormat.format") : STR_NONE;
	struct str number =
		info ? field_info_attribute(info, "PerFieldPostingsFormat.suffix") : STR_NONE;
	const struct postings_format *format = postings_format_find(name);
	cleanup(mem_freep) struct dictionary *d = mem_zalloc(sizeof(*d));
	int rc;

	*out = NULL;
	if (!info || info->index_options == INDEX_NONE || !name.ptr || !number.ptr)
		return 0;
	if (!format)
		return err_set(err, ERR_UNSUPPORTED,
			       "the terms of '" STR_FMT "' in segment '" STR_FMT
			       "' are of format '" STR_FMT "', which is not read",
			       STR_ARG(field), STR_ARG(segment->commit.name), STR_ARG(name));
	d->segment = segment;
	d->field = info;
	d->prefix = prefix;
	d->mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	d->suffix = arena_printf(&d->mem, STR_FMT "_" STR_FMT, STR_ARG(name), STR_ARG(number));
	rc = d->suffix.ptr ? read_terms(d, format, positions, most, out, err)
			   : arena_fail(&d->mem, "terms", err);
	if (rc < 0) {
		inversion_free(*out);
		*out = NULL;
		rc = err_wrap(err, "the terms of '" STR_FMT "'", STR_ARG(field));
	}
	postings_close(&d->postings);
	byte_stream_release(&d->stream);
	checked_file_close(&d->tim);
	arena_release(&d->mem);
	return rc;
}
