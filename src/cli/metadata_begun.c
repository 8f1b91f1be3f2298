#include "cli/metadata_begun.h"

#include "base/json_hash.h"
#include "base/state_dir.h"

#include <inttypes.h>
#include <unistd.h>

int metadata_begun_open(struct metadata_begun *begun, const char *state_dir, const char *source,
			const char *to, struct cluster *target, struct arena *mem, struct err *err)
{
	const char *state;
	struct str folder, path, pair = arena_printf(mem, "%s\n%s", source, to);

	begun->target = target;
	if (state_dir_path(state_dir, mem, &state, err) < 0)
		return -(int)err->kind;
	folder = arena_printf(mem, "%s/work", state);
	path = arena_printf(mem, "%s/work/metadata-%016" PRIx64 ".indices", state,
			    bytes_hash(pair).low);
	if (mem->failed)
		return arena_fail(mem, "--state-dir", err);
	if (directory_make(folder.ptr, err) < 0)
		return -(int)err->kind;
	begun->path = path.ptr;
	return created_indices_open(begun->path, &begun->indices, err);
}

void metadata_begun_release(struct metadata_begun *begun)
{
	created_indices_close(begun->indices);
}

int metadata_begun_index(void *user, struct str name, bool *ours, struct err *err)
{
	const struct metadata_begun *begun = user;

	return created_indices_begin(begun->indices, begun->target, name, ours, err);
}

void metadata_begun_forget(const struct metadata_begun *begun)
{
	if (begun->path)
		unlink(begun->path);
}
