#include "metadata/index_renames.h"

#include "metadata/name_pattern.h"

#include <ctype.h>
#include <stdlib.h>

#define GROUPS 10 /* $0 to $9 */
#define NAME_MAX_BYTES 4096

struct entry {
	const char *text; /* as given; borrowed */
	struct str from, to;
	bool is_regex;
	regex_t regex;
};

struct index_renames {
	size_t count;
	struct entry entries[];
};

static int check_replacement(const struct entry *entry, struct err *err)
{
	for (size_t i = 0; i < entry->to.len; i++) {
		char next = i + 1 < entry->to.len ? entry->to.ptr[i + 1] : '\0';

		if (entry->to.ptr[i] != '$')
			continue;
		i++;
		if (next != '$' && !isdigit((unsigned char)next))
			return err_set(err, ERR_USAGE,
				       "--rename '%s': after '$' comes the number of a group, or "
				       "'$' for itself",
				       entry->text);
		if (next != '$' && (size_t)(next - '0') > entry->regex.re_nsub)
			return err_set(err, ERR_USAGE,
				       "--rename '%s': the pattern has %zu groups, and no $%c",
				       entry->text, entry->regex.re_nsub, next);
	}
	return 0;
}

static int compile(struct entry *entry, struct err *err)
{
	cleanup(mem_freep) char *pattern =
		str_dup(str_from_offset(entry->from, sizeof(NAME_PATTERN_PREFIX) - 1));

	if (!*pattern)
		return err_set(err, ERR_USAGE, "--rename '%s': no pattern after 'regex:'",
			       entry->text);
	if (name_pattern_compile(pattern, &entry->regex, err) < 0)
		return err_wrap(err, "--rename");
	entry->is_regex = true;
	return check_replacement(entry, err);
}

/* At the last '=': patterns may hold others. */
static int add_entry(struct index_renames *renames, const char *text, struct err *err)
{
	struct entry *entry = &renames->entries[renames->count++];
	const char *equals = strrchr(text, '=');

	*entry = (struct entry){.text = text};
	if (!equals || equals == text || !equals[1])
		return err_set(err, ERR_USAGE, "--rename '%s': write FROM=TO", text);
	entry->from = str_of(text, (size_t)(equals - text));
	entry->to = str_from(equals + 1);
	return str_starts(entry->from, STR(NAME_PATTERN_PREFIX)) ? compile(entry, err) : 0;
}

int index_renames_new(const struct opt_list *list, struct index_renames **out, struct err *err)
{
	struct index_renames *renames =
		mem_zalloc(sizeof(*renames) + list->count * sizeof(struct entry));

	for (size_t i = 0; i < list->count; i++)
		if (add_entry(renames, list->items[i], err) < 0) {
			index_renames_free(renames);
			return -(int)err->kind;
		}
	*out = renames;
	return 0;
}

void index_renames_free(struct index_renames *renames)
{
	if (!renames)
		return;
	for (size_t i = 0; i < renames->count; i++)
		if (renames->entries[i].is_regex)
			regfree(&renames->entries[i].regex);
	free(renames);
}

static struct str replaced(const struct entry *entry, struct str name, const regmatch_t *groups,
			   struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(NAME_MAX_BYTES);

	for (size_t i = 0; i < entry->to.len; i++) {
		char c = entry->to.ptr[i];
		const regmatch_t *group;

		if (c != '$') {
			buf_append_byte(&text, c);
			continue;
		}
		c = entry->to.ptr[++i];
		if (c == '$') {
			buf_append_byte(&text, c);
			continue;
		}
		group = &groups[c - '0'];
		if (group->rm_so >= 0)
			buf_append(&text, name.ptr + group->rm_so,
				   (size_t)(group->rm_eo - group->rm_so));
	}
	return text.failed ? STR_NONE : arena_str(mem, buf_str(&text));
}

/* Whether the entry renames it. */
static bool rename_by(const struct entry *entry, struct str name, struct arena *mem,
		      struct str *out)
{
	regmatch_t groups[GROUPS];

	if (!entry->is_regex) {
		if (!str_eq(name, entry->from))
			return false;
		*out = arena_str(mem, entry->to);
		return true;
	}
	if (!name_pattern_matches(&entry->regex, name, groups, GROUPS))
		return false;
	*out = replaced(entry, name, groups, mem);
	return true;
}

struct str index_renames_of(const struct index_renames *renames, struct str name, struct arena *mem)
{
	struct str target = name;

	for (size_t i = 0; i < renames->count; i++)
		if (rename_by(&renames->entries[i], name, mem, &target))
			break;
	return target;
}

struct pair {
	struct str target, source;
};

static int by_target(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return str_cmp(x->target, y->target);
}

static int check_clashes(const struct str *names, const struct str *targets, size_t count,
			 struct err *err)
{
	cleanup(mem_freep) struct pair *pairs = mem_zalloc((count + 1) * sizeof(*pairs));

	for (size_t i = 0; i < count; i++)
		pairs[i] = (struct pair){targets[i], names[i]};
	qsort(pairs, count, sizeof(*pairs), by_target);
	for (size_t i = 1; i < count; i++)
		if (str_eq(pairs[i - 1].target, pairs[i].target))
			return err_set(err, ERR_USAGE,
				       "--rename: indices '" STR_FMT "' and '" STR_FMT
				       "' would both be '" STR_FMT
				       "' on the target; give them different names",
				       STR_ARG(pairs[i - 1].source), STR_ARG(pairs[i].source),
				       STR_ARG(pairs[i].target));
	return 0;
}

/* An entry that accepts nothing is a slip of the user's. */
static int check_used(const struct index_renames *renames, const struct str *names, size_t count,
		      struct arena *mem, struct err *err)
{
	for (size_t entry = 0; entry < renames->count; entry++) {
		bool used = false;
		struct str unused;

		for (size_t i = 0; !used && i < count; i++)
			used = rename_by(&renames->entries[entry], names[i], mem, &unused);
		if (!used)
			return err_set(err, ERR_USAGE,
				       "--rename '%s': none of the %zu selected indices of the "
				       "source is called that",
				       renames->entries[entry].text, count);
	}
	return 0;
}

int index_renames_apply(const struct index_renames *renames, const struct str *names, size_t count,
			struct arena *mem, struct str **out, struct err *err)
{
	struct str *targets = arena_zalloc(mem, count + 1, sizeof(*targets));

	for (size_t i = 0; targets && i < count; i++) {
		bool renamed = false;

		targets[i] = names[i];
		for (size_t entry = 0; !renamed && entry < renames->count; entry++)
			renamed = rename_by(&renames->entries[entry], names[i], mem, &targets[i]);
		if (targets[i].len == 0 && !mem->failed)
			return err_set(err, ERR_USAGE,
				       "--rename: index '" STR_FMT
				       "' would have no name, or one too long, on the target",
				       STR_ARG(names[i]));
	}
	if (mem->failed)
		return arena_fail(mem, "--rename", err);
	*out = targets;
	if (renames->count == 0)
		return 0;
	return check_used(renames, names, count, mem, err) < 0
		       ? -(int)err->kind
		       : check_clashes(names, targets, count, err);
}

static bool is_selected_index(const struct metadata_item *item)
{
	return item->kind == METADATA_INDEX && item->outcome != OUTCOME_EXCLUDED;
}

int index_renames_apply_to_set(const struct index_renames *renames, struct metadata_set *set,
			       struct err *err)
{
	cleanup(mem_freep) struct str *names = mem_zalloc((set->count + 1) * sizeof(*names));
	struct str *targets;
	size_t count = 0;
	int rc;

	if (renames->count == 0)
		return 0;
	for (size_t i = 0; i < set->count; i++)
		if (is_selected_index(set->items[i]))
			names[count++] = set->items[i]->name;
	rc = index_renames_apply(renames, names, count, &set->mem, &targets, err);
	if (rc < 0)
		return rc;
	count = 0;
	for (size_t i = 0; i < set->count; i++)
		if (is_selected_index(set->items[i]))
			set->items[i]->target_name = targets[count++];
	return 0;
}
