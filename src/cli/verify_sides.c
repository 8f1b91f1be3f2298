/* Both sides of a comparison, opened, and their indices in pairs. */
#include "cli/metadata_source.h"
#include "cli/verify_internal.h"

void verifying_release(struct verifying *v)
{
	index_filter_free(v->filter);
	index_renames_free(v->renames);
	verify_side_close(v->transformed);
	snapshot_close(v->previous);
	for (int side = 0; side < 2; side++) {
		verify_side_close(v->sides[side]);
		cluster_close(v->clusters[side]);
		snapshot_source_release(&v->snapshots[side]);
	}
}

static int open_snapshot(struct verifying *v, int side, const struct repository_fields *fields,
			 struct err *err)
{
	struct snapshot_source *source = &v->snapshots[side];

	if (snapshot_source_open(source, fields, err) < 0 ||
	    snapshot_check_complete(source->snapshot, false, err) < 0)
		return -(int)err->kind;
	v->names[side] = arena_printf(v->mem, "%s#%s", fields->repo_uri, fields->snapshot_name).ptr;
	if (!v->names[side])
		return arena_fail(v->mem, "a name", err);
	v->sides[side] = verify_side_of_snapshot(
		source->snapshot, v->names[side], v->fields->sourceless,
		(size_t)v->fields->sourceless_memory, v->fields->recovery_source);
	return 0;
}

static struct verify_side *cluster_side(const struct verifying *v, int side)
{
	const struct verify_cluster_options options = {
		.query = str_from(v->fields->query),
		.page_bytes = v->fields->page_bytes,
		.documents_per_second = v->fields->documents_per_second,
	};

	return verify_side_of_cluster(v->clusters[side], v->names[side], &options);
}

static int open_source(struct verifying *v, struct err *err)
{
	struct verify_fields *f = v->fields;
	enum source_origin origin;

	if (source_fields_resolve(&f->source, &f->repository, &origin, v->mem, err) < 0)
		return -(int)err->kind;
	if (origin == SOURCE_SNAPSHOT)
		return open_snapshot(v, 0, &f->repository, err);
	v->names[0] = public_url(f->source.host, v->mem);
	if (source_connect(&f->source, &v->clusters[0], err) < 0)
		return -(int)err->kind;
	v->sides[0] = cluster_side(v, 0);
	return 0;
}

static int open_target(struct verifying *v, struct err *err)
{
	struct verify_fields *f = v->fields;
	struct repository_fields repository = {.from = f->target.to};
	enum target_kind kind;
	const char *path;

	if (f->target.to && strchr(f->target.to, '#')) {
		if (repository_fields_resolve(&repository, true, v->mem, err) < 0)
			return -(int)err->kind;
		return open_snapshot(v, 1, &repository, err);
	}
	if (target_fields_resolve(&f->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind == TARGET_FILES) {
		v->names[1] = f->target.host;
		v->sides[1] = verify_side_of_files(path, v->names[1], f->without_ids);
		return 0;
	}
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "--to '%s': a comparison is with a cluster (URL), a snapshot "
			       "(REPO-URI#SNAPSHOT) or bulk lines (dir:PATH)",
			       f->target.host);
	v->names[1] = public_url(f->target.host, v->mem);
	if (target_connect(&f->target, &v->clusters[1], err) < 0)
		return -(int)err->kind;
	v->sides[1] = cluster_side(v, 1);
	return 0;
}

/* --since-snapshot */
static int open_previous(struct verifying *v, struct err *err)
{
	const struct verify_fields *f = v->fields;

	if (!f->since)
		return 0;
	if (!v->snapshots[0].snapshot || !v->clusters[1] || v->transformer.ptr)
		return err_set(err, ERR_USAGE,
			       "--since-snapshot is for a snapshot as the source and a cluster as "
			       "the target, without transformers");
	if (snapshot_open(v->snapshots[0].repository, str_from(f->since), &v->previous, err) < 0 ||
	    snapshot_check_complete(v->previous, false, err) < 0)
		return err_wrap(err, "--since-snapshot");
	return 0;
}

int verify_open_sides(struct verifying *v, struct err *err)
{
	if (open_source(v, err) < 0 || open_target(v, err) < 0 || open_previous(v, err) < 0)
		return -(int)err->kind;
	if (v->fields->settle_ms > 0 && !v->clusters[0] && !v->clusters[1])
		return err_set(err, ERR_USAGE,
			       "--settle is for live clusters, and neither side is one");
	return 0;
}

struct str verify_renamed(const struct verifying *v, struct str name)
{
	for (size_t i = 0; i < v->pair_count; i++)
		if (str_eq(v->pairs[i].source_index, name))
			return v->pairs[i].target_index;
	return name;
}

static bool is_named(const struct str *names, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* An index that was asked for by its name and is not there is told of, not passed over. */
static void add_absent(struct verifying *v, const struct str *names, size_t count)
{
	for (size_t i = 0; i < index_filter_entry_count(v->filter); i++) {
		struct str entry = str_from(index_filter_entry(v->filter, i));

		if (!str_starts(entry, STR("regex:")) && !is_named(names, count, entry))
			v->pairs[v->pair_count++] = (struct verify_pair){entry, entry};
	}
}

static int rename_pairs(struct verifying *v, struct err *err)
{
	struct str *names = arena_zalloc(v->mem, v->pair_count + 1, sizeof(*names)), *targets;

	if (!names)
		return arena_fail(v->mem, "--rename", err);
	for (size_t i = 0; i < v->pair_count; i++)
		names[i] = v->pairs[i].source_index;
	if (index_renames_apply(v->renames, names, v->pair_count, v->mem, &targets, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < v->pair_count; i++)
		v->pairs[i].target_index = targets[i];
	return 0;
}

int verify_choose_pairs(struct verifying *v, struct err *err)
{
	struct str *names;
	size_t count;

	if (index_renames_new(&v->fields->renames, &v->renames, err) < 0 ||
	    index_filter_new(&v->fields->index_allowlist, &v->filter, err) < 0 ||
	    v->sides[0]->ops->list(v->sides[0], v->mem, &names, &count, err) < 0)
		return -(int)err->kind;
	v->pairs = arena_zalloc(v->mem, count + index_filter_entry_count(v->filter) + 1,
				sizeof(*v->pairs));
	if (!v->pairs)
		return arena_fail(v->mem, "the indices", err);
	for (size_t i = 0; i < count; i++)
		if (index_filter_accepts(v->filter, names[i]))
			v->pairs[v->pair_count++] = (struct verify_pair){names[i], names[i]};
	add_absent(v, names, count);
	if (v->pair_count > 0)
		return rename_pairs(v, err);
	return err_set(err, ERR_USAGE,
		       "none of the %zu indices of %s is selected; name some with "
		       "--index-allowlist",
		       count, v->names[0]);
}
