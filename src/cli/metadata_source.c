#include "cli/metadata_source.h"

#define ITEMS(member) OPT_FIELD(struct selection_fields, member), .category = "Items"

const struct opt selection_options[] = {
	{.name = "index-allowlist",
	 .env = "METADATA_MIGRATE_INDEX_ALLOWLIST",
	 .type = OPT_LIST,
	 ITEMS(indices),
	 .metavar = "NAME|regex:PATTERN",
	 .help = "Indices (and data streams) by name. Without it, all but system and tool "
		 "indices."},
	{.name = "index-template-allowlist",
	 .type = OPT_LIST,
	 ITEMS(index_templates),
	 .metavar = "NAME|regex:PATTERN",
	 .help = "Legacy and composable templates by name."},
	{.name = "component-template-allowlist",
	 .type = OPT_LIST,
	 ITEMS(component_templates),
	 .metavar = "NAME|regex:PATTERN",
	 .help = "Component templates by name."},
	{.name = "other-allowlist",
	 .type = OPT_LIST,
	 ITEMS(others),
	 .metavar = "NAME|regex:PATTERN",
	 .help = "Policies, pipelines and scripts by name."},
	{.name = "allow-partial-snapshot",
	 .type = OPT_BOOL,
	 ITEMS(allow_partial),
	 .help = "Take a snapshot of state PARTIAL for what it holds."},
	{0},
};

void metadata_source_release(struct metadata_source *source)
{
	cluster_close(source->cluster);
	snapshot_source_release(&source->snapshot);
	*source = (struct metadata_source){0};
}

static int read_cluster(struct metadata_source *source, const struct source_fields *fields,
			const struct metadata_read_options *options, struct arena *mem,
			struct metadata_set *set, struct err *err)
{
	source->name = public_url(fields->host, mem);
	if (source_connect(fields, &source->cluster, err) < 0)
		return -(int)err->kind;
	return metadata_read_cluster(source->cluster, options, set, err);
}

static int read_snapshot(struct metadata_source *source, const struct repository_fields *repository,
			 bool allow_partial, const struct metadata_read_options *options,
			 struct metadata_set *set, struct err *err)
{
	source->name = repository->repo_uri;
	if (snapshot_source_open(&source->snapshot, repository, err) < 0 ||
	    snapshot_check_complete(source->snapshot.snapshot, allow_partial, err) < 0)
		return -(int)err->kind;
	return metadata_read_snapshot(source->snapshot.snapshot, options, set, err);
}

int metadata_source_read(struct metadata_source *source, struct source_fields *fields,
			 struct repository_fields *repository,
			 const struct selection_fields *selection,
			 const struct metadata_read_options *options, struct arena *mem,
			 struct metadata_set *set, struct err *err)
{
	const struct metadata_selection selected = {
		&selection->indices, &selection->index_templates, &selection->component_templates,
		&selection->others};
	enum source_origin origin;
	int rc = source_fields_resolve(fields, repository, &origin, mem, err);

	if (rc == 0 && origin == SOURCE_CLUSTER)
		rc = read_cluster(source, fields, options, mem, set, err);
	else if (rc == 0)
		rc = read_snapshot(source, repository, selection->allow_partial, options, set, err);
	return rc < 0 ? rc : metadata_select(set, &selected, err);
}
