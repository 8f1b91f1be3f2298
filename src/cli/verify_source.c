/* What stands for the source: digests taken earlier, or what the transformers make of it. */
#include "cli/transfer_session.h"
#include "cli/verify_internal.h"

#include "backfill/source_digest_file.h"
#include "base/log.h"
#include "base/state_dir.h"

#include <inttypes.h>

#define CHECKPOINT_MS 2000

/* Digests are of whole snapshots. */
int verify_open_digests(struct verifying *v, struct err *err)
{
	const struct verify_fields *f = v->fields;
	const char *state_dir;

	if (!f->digest_from || !*f->digest_from)
		return 0;
	if (!v->snapshots[0].snapshot || f->without_ids || f->query ||
	    strcmp(f->sample, "100%") != 0)
		return err_set(err, ERR_USAGE,
			       "--digest-from is for a whole snapshot: it does not go with a live "
			       "source, --sample, --query and --ignore-ids");
	v->digest_folder = f->digest_from;
	if (strchr(f->digest_from, '/'))
		return 0;
	if (state_dir_path(f->general.state_dir, v->mem, &state_dir, err) < 0)
		return -(int)err->kind;
	v->digest_folder = digest_folder_of(state_dir, f->digest_from, v->mem);
	return v->digest_folder ? 0 : arena_fail(v->mem, "--digest-from", err);
}

int verify_open_checkpoints(struct verifying *v, struct verify_options *options, struct err *err)
{
	const struct verify_fields *f = v->fields;
	const struct snapshot *a = v->snapshots[0].snapshot, *b = v->snapshots[1].snapshot;
	const char *state_dir;
	struct hash128 hash;
	struct str key;

	if (state_dir_path(f->general.state_dir, v->mem, &state_dir, err) < 0)
		return -(int)err->kind;
	key = arena_printf(v->mem, "%s|" STR_FMT "|%s|" STR_FMT "|%s|%s|%d|%d|" STR_FMT,
			   v->names[0], STR_ARG(a ? a->summary.uuid : STR_NONE), v->names[1],
			   STR_ARG(b ? b->summary.uuid : STR_NONE), f->sample,
			   f->query ? f->query : "", f->without_ids,
			   f->sourceless + 2 * f->recovery_source, STR_ARG(v->transformer));
	hash = bytes_hash(key);
	options->checkpoint_key =
		arena_printf(v->mem, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low).ptr;
	options->checkpoint_folder =
		arena_printf(v->mem, "%s/verify/%016" PRIx64, state_dir, hash.high).ptr;
	options->checkpoint_ms = CHECKPOINT_MS;
	options->restart = f->restart;
	return v->mem->failed ? arena_fail(v->mem, "the name of a checkpoint", err) : 0;
}

int verify_source_digest(void *user, struct str index, struct digest *out, struct err *err)
{
	const struct verifying *v = user;
	int rc = source_digest_file_read(v->digest_folder, v->snapshots[0].snapshot->summary.uuid,
					 index, out, err);

	if (rc == 0)
		log_info("verify", "index '" STR_FMT "' has no digest in '%s': it is read",
			 STR_ARG(index), v->digest_folder);
	return rc;
}

static int open_transform(void *user, struct transform **out, struct err *err)
{
	const struct verifying *v = user;
	const struct transform_context context =
		transform_context_of(&v->fields->transform_run, TRANSFORM_DOCUMENT);

	return transform_new(v->transformer, &context, out, err);
}

int verify_check_transform(struct verifying *v, struct err *err)
{
	struct transform *transform;

	if (transformer_fields_read(&v->fields->transformer, v->mem, &v->transformer, err) < 0)
		return -(int)err->kind;
	if (!v->transformer.ptr)
		return 0;
	if (v->fields->digest_from && *v->fields->digest_from)
		return err_set(
			err, ERR_USAGE,
			"--digest-from is of documents as they were read; leave it out where "
			"transformers change them");
	if (open_transform(v, &transform, err) < 0)
		return -(int)err->kind;
	transform_free(transform);
	return 0;
}

int verify_plan_transformed(struct verifying *v, const struct verify_options *options,
			    struct verify_progress *progress, const atomic_bool *cancel,
			    struct err *err)
{
	const struct verify_transform_options transform = {
		.open = open_transform,
		.user = v,
		.on_error = transform_error_policy_of(&v->fields->transform_run),
		.without_ids = v->fields->without_ids,
	};
	size_t count;

	v->transformed = verify_side_transformed(v->sides[0], &transform);
	if (verify_transformed_plan(v->transformed, v->pairs, v->pair_count, options, progress,
				    cancel, &v->made, &count, &v->counts, err) < 0)
		return -(int)err->kind;
	v->pairs = arena_zalloc(v->mem, count + 1, sizeof(*v->pairs));
	if (!v->pairs)
		return arena_fail(v->mem, "the indices", err);
	v->pair_count = count;
	for (size_t i = 0; i < count; i++)
		v->pairs[i] = (struct verify_pair){v->made[i].name, v->made[i].name};
	return 0;
}
