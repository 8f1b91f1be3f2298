/* Where the points of a field are.
 *
 *   60       .dii: vInt fields, each vInt number, vLong place
 *            .dim: the leaves; at each place the meta, then the inner nodes: vLong first leaf …
 *            (before version 4 of the tree behind leaves x (bytes of a value, and 1 more unless it
 *            has one dimension and version 3))
 *   86, 90   .kdm: each field i32 number, meta, i64 first leaf, i64 inner nodes (in the .kdi)
 *            -1 | i64 length of the .kdi, of the .kdd
 *            .kdd: the leaves
 *
 * Big-endian up to 86, little-endian in 90 (the header of the meta is big-endian always).
 *
 * Source: codecs/lucene60/Lucene60PointsReader (6.6.6), lucene86/Lucene86PointsReader (8.11.3),
 * lucene90/Lucene90PointsReader (10.5.0). */
#include "lucene/points.h"

#include "lucene/bkd.h"
#include "lucene/checked_file.h"
#include "lucene/lucene_internal.h"

#define META_60 "Lucene60PointsFormatMeta"
#define META_86 "Lucene86PointsFormatMeta"
#define META_90 "Lucene90PointsFormatMeta"
#define DATA_CODECS "Lucene60PointsFormatData Lucene86PointsFormatData Lucene90PointsFormatData"
/* More bytes than the description of one field takes without its inner nodes. */
#define META_MOST 4096
#define VERSION_ONE_DIMENSION 3
#define VERSION_PACKED_INDEX 4
#define VERSION_MOST_90 1

struct place {
	const struct segment_reader *segment;
	int32_t field;
	struct arena mem;
	struct checked_file data;
	struct bkd bkd;
	bool found;
};

static struct str file_name(struct place *p, const char *extension)
{
	return arena_printf(&p->mem, STR_FMT ".%s", STR_ARG(p->segment->commit.name), extension);
}

static bool is_among(const struct str *names, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static int open_data(struct place *p, const char *extension, struct err *err)
{
	struct str name = file_name(p, extension);

	if (!name.ptr)
		return arena_fail(&p->mem, "points", err);
	return checked_file_open(p->segment, name, STR(""), DATA_CODECS, &p->data, err);
}

int points_meta_find(struct str body, const uint8_t *id, int32_t field, struct bkd *out,
		     bool *found, struct err *err)
{
	struct rd rd = rd_over(body);
	struct codec_header header;

	*found = false;
	if (codec_index_header_expect(&rd, id, STR(""), &header, err) < 0)
		return -(int)err->kind;
	rd.little = str_is(header.codec, META_90);
	if (!(rd.little && header.version <= VERSION_MOST_90) &&
	    !(str_is(header.codec, META_86) && header.version == 0))
		return codec_header_unsupported(&header, err);
	for (;;) {
		int32_t number = rd_i32(&rd);
		struct bkd bkd;

		if (number == -1 || rd.failed)
			return rd_check(&rd, "the list of points", err);
		if (bkd_meta_read(&rd, &bkd, err) < 0)
			return -(int)err->kind;
		bkd.first_leaf = (uint64_t)rd_i64(&rd);
		rd_i64(&rd);
		if (number != field)
			continue;
		*out = bkd;
		*found = true;
	}
}

static int find_86(struct place *p, struct str name, struct err *err)
{
	struct lucene_directory *dir = p->segment->files.inner;
	struct str body;

	if (lucene_file_read(dir, name, &p->mem, &body, err) < 0)
		return -(int)err->kind;
	if (points_meta_find(body, p->segment->commit.id, p->field, &p->bkd, &p->found, err) < 0)
		return lucene_file_wrap(dir, name, err);
	return p->found ? open_data(p, "kdd", err) : 0;
}

int points_index_find_60(struct str body, const uint8_t *id, int32_t field, uint64_t *at,
			 bool *found, struct err *err)
{
	struct rd rd = rd_over(body);
	struct codec_header header;
	uint32_t count;

	*found = false;
	if (codec_index_header_expect(&rd, id, STR(""), &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, META_60) || header.version > 1)
		return codec_header_unsupported(&header, err);
	count = rd_vint(&rd);
	for (uint32_t i = 0; i < count && !rd.failed; i++) {
		uint32_t number = rd_vint(&rd);
		uint64_t place = rd_vlong(&rd);

		if (number != (uint32_t)field)
			continue;
		*at = place;
		*found = true;
	}
	return rd_check(&rd, "the list of points", err);
}

/* The description of the field, which is at `at` of the data. */
static int read_meta_60(struct place *p, uint64_t at, struct err *err)
{
	struct range_window window;
	const uint8_t *bytes;
	size_t len = META_MOST;
	struct rd rd;
	int rc;

	range_window_init(&window, p->data.source, p->data.end);
	rc = range_window_want(&window, at, &len, &bytes, err);
	if (rc == 0) {
		rd = rd_over(str_of(bytes, len));
		rc = bkd_meta_read(&rd, &p->bkd, err);
	}
	if (rc == 0 && p->bkd.version < VERSION_PACKED_INDEX) {
		bool implied = p->bkd.dims == 1 && p->bkd.version >= VERSION_ONE_DIMENSION;

		at += rd.pos + (uint64_t)p->bkd.leaves * (p->bkd.bytes + !implied);
		len = META_MOST;
		rc = range_window_want(&window, at, &len, &bytes, err);
		rd = rd_over(str_of(rc == 0 ? bytes : NULL, rc == 0 ? len : 0));
	}
	if (rc == 0) {
		p->bkd.first_leaf = rd_vlong(&rd);
		rc = rd_check(&rd, "the description of points", err);
	}
	range_window_release(&window);
	return rc;
}

static int find_60(struct place *p, struct str name, struct err *err)
{
	struct lucene_directory *dir = p->segment->files.inner;
	struct str body;
	uint64_t at = 0;

	if (lucene_file_read(dir, name, &p->mem, &body, err) < 0)
		return -(int)err->kind;
	if (points_index_find_60(body, p->segment->commit.id, p->field, &at, &p->found, err) < 0)
		return lucene_file_wrap(dir, name, err);
	if (!p->found)
		return 0;
	if (open_data(p, "dim", err) < 0)
		return -(int)err->kind;
	if (read_meta_60(p, at, err) < 0)
		return lucene_file_wrap(dir, p->data.name, err);
	return 0;
}

/* A file that is listed and cannot be opened is damage, and no segment without points. */
static int find_points(struct place *p, struct err *err)
{
	struct str new = file_name(p, "kdm"), old = file_name(p, "dii"), *names;
	size_t count;

	if (!new.ptr || !old.ptr)
		return arena_fail(&p->mem, "points", err);
	if (lucene_directory_list(p->segment->files.inner, &p->mem, &names, &count, err) < 0)
		return -(int)err->kind;
	if (is_among(names, count, new))
		return find_86(p, new, err);
	return is_among(names, count, old) ? find_60(p, old, err) : 0;
}

static int invert(struct place *p, size_t most, struct inversion **out, struct err *err)
{
	struct range_window window;
	int rc;

	/* A point takes two bytes of a leaf at least, or is one of a run. */
	if (p->bkd.points > (uint64_t)p->bkd.leaves * p->bkd.leaf_most)
		return err_set(err, ERR_FORMAT, "has %llu points in %u leaves",
			       (unsigned long long)p->bkd.points, p->bkd.leaves);
	rc = inversion_new(p->segment->info.max_doc, (int64_t)p->bkd.points, most, out, err);
	if (rc < 0)
		return rc;
	range_window_init(&window, p->data.source, p->data.end);
	rc = bkd_read(&p->bkd, &window, *out, err);
	range_window_release(&window);
	if (rc == 0)
		inversion_finish(*out);
	return rc;
}

int points_invert(const struct segment_reader *segment, struct str field, size_t most,
		  struct inversion **out, struct err *err)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, field);
	struct place p = {.segment = segment, .mem = ARENA_INIT(LIMIT_SEGMENT_ARENA)};
	int rc;

	*out = NULL;
	if (!info)
		return 0;
	p.field = info->number;
	rc = find_points(&p, err);
	if (rc == 0 && p.found) {
		rc = invert(&p, most, out, err);
		if (rc < 0)
			rc = err_wrap(err, "the points of '" STR_FMT "': '" STR_FMT "' in '%s'",
				      STR_ARG(field), STR_ARG(p.data.name),
				      segment->files.inner->name);
	}
	if (rc < 0) {
		inversion_free(*out);
		*out = NULL;
	}
	checked_file_close(&p.data);
	arena_release(&p.mem);
	return rc;
}
