/* Mappings and settings of both sides, after the rules. */
#include "cli/metadata_source.h"
#include "cli/verify_internal.h"

#include "metadata/metadata_read.h"
#include "verify/metadata_differences.h"

static int read_side(const struct verifying *v, int side, struct metadata_set *set, struct err *err)
{
	const struct metadata_read_options options = {.kinds = {[METADATA_INDEX] = true}};

	return v->clusters[side]
		       ? metadata_read_cluster(v->clusters[side], &options, set, err)
		       : metadata_read_snapshot(v->snapshots[side].snapshot, &options, set, err);
}

/* Those that are not compared need not pass the rules. */
static void exclude_others(struct metadata_set *set, const struct verify_pair *pairs, size_t count,
			   int side)
{
	for (size_t i = 0; i < set->count; i++) {
		bool wanted = false;

		for (size_t j = 0; j < count; j++)
			wanted |= str_eq(set->items[i]->name,
					 side ? pairs[j].target_index : pairs[j].source_index);
		if (!wanted)
			set->items[i]->outcome = OUTCOME_EXCLUDED;
	}
}

static void rename_as_paired(struct metadata_set *set, const struct verify_pair *pairs,
			     size_t count)
{
	for (size_t j = 0; j < count; j++) {
		struct metadata_item *item =
			metadata_set_find(set, METADATA_INDEX, pairs[j].source_index);

		if (item)
			item->target_name = pairs[j].target_index;
	}
}

static bool can_be_read(const struct verifying *v, int side)
{
	return v->clusters[side] || v->snapshots[side].snapshot;
}

/* What keeps them from being compared is told, and documents are compared all the same. */
static int tell_failure(struct verify_findings *out, const struct err *err)
{
	if (err->kind == ERR_CANCELLED || err->kind == ERR_UNREACHABLE || err->kind == ERR_NOMEM)
		return -(int)err->kind;
	out->unclear++;
	verify_findings_add(out, &(struct verify_finding){.index = STR("*"),
							  .where = STR("mappings and settings"),
							  .found = str_from(err->message),
							  .not_compared = true});
	return 0;
}

int verify_metadata(struct verifying *v, struct verify_findings *out, const char **skipped,
		    struct err *err)
{
	struct metadata_set sets[2];
	struct rule_options rules;
	int rc = 0;

	*skipped = v->transformer.ptr   ? "the transformers say which indices there are"
		   : !can_be_read(v, 1) ? "the target has none"
					: NULL;
	if (*skipped)
		return 0;
	for (int side = 0; side < 2; side++)
		metadata_set_init(&sets[side]);
	for (int side = 0; rc == 0 && side < 2; side++) {
		rc = read_side(v, side, &sets[side], err);
		exclude_others(&sets[side], v->pairs, v->pair_count, side);
	}
	if (rc == 0) {
		rules = rule_options_of(&v->fields->creation, &sets[1].version);
		rename_as_paired(&sets[0], v->pairs, v->pair_count);
		rc = metadata_differences(&sets[0], &sets[1], v->pairs, v->pair_count, &rules, out,
					  err);
	}
	for (int side = 0; side < 2; side++)
		metadata_set_release(&sets[side]);
	return rc < 0 ? tell_failure(out, err) : 0;
}
