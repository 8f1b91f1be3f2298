/* Which indices an unfinished `metadata migrate` has created, so that the same command again takes
 * them for its own: <state>/work/metadata-HASH.indices, which goes away with a run without
 * problems. */
#ifndef CLI_METADATA_BEGUN_H
#define CLI_METADATA_BEGUN_H

#include "workflow/routes/created_indices.h"

struct metadata_begun {
	const char *path; /* NULL: not opened */
	struct created_indices *indices;
	struct cluster *target;
};

/* `source`, `to`: where from and where to, by which runs are told apart. Borrows `target`; `mem`
 * outlives it. Release it also after a failure. */
int metadata_begun_open(struct metadata_begun *begun, const char *state_dir, const char *source,
			const char *to, struct cluster *target, struct arena *mem, struct err *err);
void metadata_begun_release(struct metadata_begun *begun);
/* begin_index of struct metadata_write_options; `user` is a struct metadata_begun. */
int metadata_begun_index(void *user, struct str name, bool *ours, struct err *err);
/* The run is over and left nothing to be done again. */
void metadata_begun_forget(const struct metadata_begun *begun);

#endif
