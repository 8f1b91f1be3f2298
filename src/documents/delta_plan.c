#include "documents/delta_plan.h"

#include "base/limits.h"
#include "lucene/compound.h"

struct side {
	struct lucene_directory *dir;
	struct segment_infos infos;
	struct document_selection selection;
};

static void close_segment(struct segment_reader **segment)
{
	segment_reader_close(*segment);
}

static void close_directory(struct lucene_directory **dir)
{
	lucene_directory_close(*dir);
}

static int read_side(struct side *side, struct lucene_directory *dir, struct arena *mem,
		     int64_t *docs, struct err *err)
{
	struct segment_info info;

	*side = (struct side){.dir = dir};
	*docs = 0;
	if (!dir)
		return 0;
	if (segment_infos_read(dir, mem, &side->infos, err) < 0)
		return -(int)err->kind;
	side->selection.count = side->infos.count;
	side->selection.segments =
		arena_zalloc(mem, side->infos.count, sizeof(*side->selection.segments));
	if (!side->selection.segments)
		return arena_fail(mem, "the segments of a shard", err);
	for (size_t i = 0; i < side->infos.count; i++) {
		const struct segment_commit *commit = &side->infos.segments[i];

		if (segment_info_read(dir, commit->name, commit->id, mem, &info, err) < 0)
			return -(int)err->kind;
		side->selection.segments[i].max_doc = info.max_doc;
		*docs += info.max_doc;
	}
	return 0;
}

static int read_stored_end(struct lucene_directory *dir, const struct segment_commit *commit,
			   bool compound, struct arena *mem, uint64_t *size,
			   uint8_t footer[static CODEC_FOOTER_LENGTH], struct err *err)
{
	cleanup(close_directory) struct lucene_directory *inner = NULL;
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str name = arena_printf(mem, STR_FMT ".fdt", STR_ARG(commit->name));

	if (!name.ptr)
		return arena_fail(mem, "a file name", err);
	if (compound && compound_open(dir, commit->name, commit->id, &inner, err) < 0)
		return -(int)err->kind;
	if (lucene_directory_open(compound ? inner : dir, name, &source, err) < 0)
		return -(int)err->kind;
	*size = source->size;
	memset(footer, 0, CODEC_FOOTER_LENGTH);
	if (source->size < CODEC_FOOTER_LENGTH)
		return 0;
	return bytes_source_read(source, source->size - CODEC_FOOTER_LENGTH, footer,
				 CODEC_FOOTER_LENGTH, err);
}

/* What a segment without an id is known by. */
struct likeness {
	struct str info; /* its .si, which has the time it was written */
	uint64_t size;
	uint8_t footer[CODEC_FOOTER_LENGTH];
};

static int read_likeness(struct lucene_directory *dir, const struct segment_commit *commit,
			 struct arena *mem, struct likeness *out, struct err *err)
{
	struct str name = arena_printf(mem, STR_FMT ".si", STR_ARG(commit->name));
	struct segment_info info;

	if (!name.ptr)
		return arena_fail(mem, "a file name", err);
	if (lucene_file_read(dir, name, mem, &out->info, err) < 0 ||
	    segment_info_read(dir, commit->name, commit->id, mem, &info, err) < 0)
		return -(int)err->kind;
	return read_stored_end(dir, commit, info.compound, mem, &out->size, out->footer, err);
}

/* Before 4.8 files end in no checksum: such a segment is never taken for the same. */
static bool is_footer(const uint8_t footer[static CODEC_FOOTER_LENGTH])
{
	struct rd rd = rd_over(str_of(footer, CODEC_FOOTER_LENGTH));

	return rd_be32(&rd) == CODEC_FOOTER_MAGIC;
}

static int are_alike(const struct side *a, const struct segment_commit *in_a, const struct side *b,
		     const struct segment_commit *in_b, bool *same, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	struct likeness x, y;

	if (read_likeness(a->dir, in_a, &mem, &x, err) < 0 ||
	    read_likeness(b->dir, in_b, &mem, &y, err) < 0)
		return -(int)err->kind;
	*same = is_footer(x.footer) && memcmp(x.footer, y.footer, sizeof(x.footer)) == 0 &&
		x.size == y.size && str_eq(x.info, y.info);
	return 0;
}

static int is_same(const struct side *a, size_t in_a, const struct side *b, size_t in_b, bool *same,
		   struct err *err)
{
	const struct segment_commit *x = &a->infos.segments[in_a], *y = &b->infos.segments[in_b];

	*same = false;
	if (!str_eq(x->name, y->name) ||
	    a->selection.segments[in_a].max_doc != b->selection.segments[in_b].max_doc)
		return 0;
	if (!x->id && !y->id)
		return are_alike(a, x, b, y, same, err);
	*same = x->id && y->id && memcmp(x->id, y->id, CODEC_ID_LENGTH) == 0;
	return 0;
}

/* Where there is any generation, two copies of a shard may each have written one of that number. */
static bool never_changed(const struct segment_commit *commit)
{
	return commit->del_gen < 0 && commit->field_infos_gen < 0 && commit->doc_values_gen < 0;
}

static uint64_t live_word(const struct live_docs *live, size_t i)
{
	int32_t rest = live->max_doc - (int32_t)(i * 64);
	uint64_t all = rest >= 64 ? UINT64_MAX : ((uint64_t)1 << (rest & 63)) - 1;

	return live->words ? live->words[i] & all : all;
}

/* Selects what is live in `live` and not in `other` (NULL: in nothing). */
static int select_live(struct segment_selection *segment, const struct live_docs *live,
		       const struct live_docs *other, struct arena *mem, struct err *err)
{
	size_t words = ((size_t)segment->max_doc + 63) / 64;

	segment->words = arena_zalloc(mem, words, sizeof(*segment->words));
	if (!segment->words)
		return arena_fail(mem, "the documents that differ", err);
	for (size_t i = 0; i < words; i++) {
		segment->words[i] = live_word(live, i) & ~(other ? live_word(other, i) : 0);
		segment->count += __builtin_popcountll(segment->words[i]);
	}
	segment->choice = segment->count > 0 ? CHOICE_BITS : CHOICE_NOTHING;
	return 0;
}

static int compare_live(struct side *previous, size_t in_previous, struct side *current,
			size_t in_current, struct arena *mem, struct err *err)
{
	cleanup(close_segment) struct segment_reader *before = NULL, *after = NULL;

	if (segment_reader_open(previous->dir, &previous->infos.segments[in_previous], &before,
				err) < 0 ||
	    segment_reader_open(current->dir, &current->infos.segments[in_current], &after, err) <
		    0)
		return -(int)err->kind;
	if (select_live(&previous->selection.segments[in_previous], &before->live, &after->live,
			mem, err) < 0)
		return -(int)err->kind;
	return select_live(&current->selection.segments[in_current], &after->live, &before->live,
			   mem, err);
}

/* Looks for a segment of the current commit in the previous one. */
static int match(struct side *previous, struct side *current, size_t i, bool *matched,
		 struct arena *mem, struct err *err)
{
	bool same = false;
	size_t j = 0;

	for (; j < previous->infos.count && !same; j++)
		if (is_same(previous, j, current, i, &same, err) < 0)
			return -(int)err->kind;
	if (!same) {
		current->selection.segments[i].choice = CHOICE_LIVE;
		return 0;
	}
	matched[--j] = true;
	if (never_changed(&previous->infos.segments[j]) &&
	    never_changed(&current->infos.segments[i]))
		return 0;
	return compare_live(previous, j, current, i, mem, err);
}

static int select_gone(struct side *previous, size_t i, struct arena *mem, struct err *err)
{
	cleanup(close_segment) struct segment_reader *segment = NULL;

	if (segment_reader_open(previous->dir, &previous->infos.segments[i], &segment, err) < 0)
		return -(int)err->kind;
	return select_live(&previous->selection.segments[i], &segment->live, NULL, mem, err);
}

static int compare(struct side *previous, struct side *current, bool deletes, struct arena *mem,
		   struct err *err)
{
	bool *matched = arena_zalloc(mem, previous->infos.count, sizeof(*matched));

	if (!matched)
		return arena_fail(mem, "the segments of a shard", err);
	for (size_t i = 0; i < current->infos.count; i++)
		if (match(previous, current, i, matched, mem, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; deletes && i < previous->infos.count; i++)
		if (!matched[i] && select_gone(previous, i, mem, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; !deletes && i < previous->infos.count; i++)
		previous->selection.segments[i].choice = CHOICE_NOTHING;
	return 0;
}

int delta_plan_make(struct lucene_directory *previous, struct lucene_directory *current,
		    bool deletes, struct delta_plan *plan, struct err *err)
{
	struct side before, after;

	*plan = (struct delta_plan){.mem = ARENA_INIT(LIMIT_SEGMENT_ARENA)};
	if (read_side(&before, previous, &plan->mem, &plan->previous_docs, err) < 0 ||
	    read_side(&after, current, &plan->mem, &plan->current_docs, err) < 0 ||
	    compare(&before, &after, deletes, &plan->mem, err) < 0)
		return -(int)err->kind;
	plan->vanished = before.selection;
	plan->changed = after.selection;
	return 0;
}

void delta_plan_release(struct delta_plan *plan)
{
	arena_release(&plan->mem);
}
