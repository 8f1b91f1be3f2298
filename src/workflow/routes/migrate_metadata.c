#include "workflow/routes/migrate_metadata.h"

#include "metadata/metadata_read.h"
#include "metadata/metadata_write.h"
#include "metadata/transform_items.h"

#define NOTES_SHOWN 3 /* of one index in its line */

static int read_set(const struct migrate_metadata *m, struct metadata_set *set, struct err *err)
{
	const struct metadata_selection selection = {.indices = m->plan->allowlist};
	struct metadata_read_options options = {.indices = m->filter};

	options.kinds[METADATA_INDEX] = options.kinds[METADATA_ALIAS] = m->plan->indices_only;
	if ((m->source ? metadata_read_cluster(m->source, &options, set, err)
		       : metadata_read_snapshot(m->snapshot, &options, set, err)) < 0)
		return -(int)err->kind;
	if (metadata_select(set, &selection, err) < 0)
		return -(int)err->kind;
	return m->plan->renames ? index_renames_apply_to_set(m->plan->renames, set, err) : 0;
}

/* Nothing could be sent into them. */
static void leave_out(const struct migrate_metadata *m, struct metadata_set *set)
{
	for (size_t i = 0; i < m->refused_count; i++) {
		struct metadata_item *item = metadata_set_find(set, METADATA_INDEX, m->refused[i]);

		if (!item)
			continue;
		item->outcome = OUTCOME_EXCLUDED;
		item->reason = STR("its documents are not in the snapshot");
	}
}

static int begin_index(void *user, struct str name, bool *ours, struct err *err)
{
	const struct migrate_metadata *m = user;

	if (m->begin_index && m->begin_index(m->user, name, err) < 0)
		return -(int)err->kind;
	if (!m->ours)
		return 0;
	return created_indices_begin(m->ours, m->target, name, ours, err);
}

int migrate_metadata_run(const struct migrate_metadata *m, struct metadata_set *set,
			 struct err *err)
{
	struct migrate_metadata self = *m;
	const struct metadata_write_options options = {
		.allow_existing = m->plan->allow_existing,
		.plan = m->plan->plan,
		.begin_index = begin_index,
		.user = &self,
	};
	size_t unreadable;

	metadata_set_init(set);
	if (read_set(m, set, err) < 0)
		return -(int)err->kind;
	unreadable = set->unreadable_count;
	leave_out(m, set);
	if (transform_items(set, m->plan->transform, TRANSFORM_ITEMS_BEFORE_RULES, err) < 0 ||
	    rules_apply(set, &m->plan->rules, err) < 0 ||
	    transform_items(set, m->plan->transform, TRANSFORM_ITEMS_AFTER_RULES, err) < 0 ||
	    metadata_check(set, m->target, &options, err) < 0)
		return -(int)err->kind;
	/* What the target does not show keeps nothing back; `metadata` tells of it. */
	set->unreadable_count = unreadable;
	return metadata_write(set, m->target, &options, m->cancel, err);
}

static bool is_problem(const struct metadata_item *item)
{
	return item->outcome == OUTCOME_FAILED || item->outcome == OUTCOME_BLOCKED;
}

/* "path: text" of notes that tell of a change or a loss, warnings first. */
static struct str first_notes(const struct metadata_item *item, struct arena *mem)
{
	static const enum note_level levels[] = {NOTE_WARN, NOTE_CHANGE};
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));
	size_t told = 0;

	for (size_t level = 0; level < COUNT_OF(levels); level++)
		for (size_t i = 0; i < item->note_count; i++) {
			const struct metadata_note *note = &item->notes[i];

			if (note->level != levels[level] || ++told > NOTES_SHOWN)
				continue;
			buf_append_str(&text, told > 1 ? STR("; ") : STR(""));
			if (note->path.len)
				buf_printf(&text, STR_FMT ": ", STR_ARG(note->path));
			buf_append_str(&text, note->text);
		}
	if (told > NOTES_SHOWN)
		buf_printf(&text, "; and %zu more, which `shardlift metadata evaluate` tells",
			   told - NOTES_SHOWN);
	return arena_str(mem, buf_str(&text));
}

struct str migrate_metadata_words(const struct metadata_item *item, struct arena *mem)
{
	if (item->outcome == OUTCOME_EXISTED)
		return STR("was there already, left as it is");
	if (is_problem(item))
		return arena_str(mem, item->reason);
	return item->outcome == OUTCOME_WRITTEN || item->outcome == OUTCOME_READY
		       ? first_notes(item, mem)
		       : STR_NONE;
}

/* An alias ends as its indices do, and they tell why. */
static bool follows_an_index(const struct metadata_set *set, const struct metadata_item *alias)
{
	json_each (member, alias->source) {
		const struct metadata_item *index =
			metadata_set_find(set, METADATA_INDEX, member->key);

		if (index && is_problem(index))
			return true;
	}
	return false;
}

bool migrate_metadata_is_other_problem(const struct metadata_set *set,
				       const struct metadata_item *item)
{
	if (item->kind == METADATA_INDEX || !is_problem(item))
		return false;
	return item->kind != METADATA_ALIAS || !follows_an_index(set, item);
}

size_t migrate_metadata_other_problems(const struct metadata_set *set)
{
	size_t count = set->unreadable_count;

	for (size_t i = 0; i < set->count; i++)
		count += migrate_metadata_is_other_problem(set, set->items[i]);
	return count;
}
