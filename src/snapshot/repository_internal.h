/* What the files of this room share about an open repository. */
#ifndef SNAPSHOT_REPOSITORY_INTERNAL_H
#define SNAPSHOT_REPOSITORY_INTERNAL_H

#include "snapshot/member_table.h"
#include "snapshot/repository.h"

/* Read-only once repository_open has returned. */
struct repository {
	struct arena mem;
	struct blob_store *store; /* borrowed */
	struct str index_blob;    /* "index-5", or "index" */
	bool has_ids;             /* index-N: it gives snapshots and indices ids */
	struct json *root;        /* its content */
	struct snapshot_summary *snapshots;
	struct json **entries; /* of snapshots[i] in the content; NULL: it is not there */
	size_t snapshot_count;
	struct member_table metadata_identifiers; /* index_metadata_identifiers; empty before 7.9 */
};

/* One entry of a list of snapshots; what is not in it as text is printed into the arena. */
int repository_parse_summary(const struct json *entry, struct arena *mem,
			     struct snapshot_summary *out, struct err *err);
/* Adds the snapshots of the blob incompatible-snapshots, where there is one. */
int repository_add_incompatible(struct repository *repository, struct err *err);
/* Sorts the indices by name. Two of one name are ERR_FORMAT. */
int snapshot_sort_indices(struct snapshot *snapshot, struct err *err);
/* Fills the snapshot's indices from its own list of names, which is in the body of its blob. */
int snapshot_names_read(struct snapshot *snapshot, const struct json *info, struct err *err);
/* A cluster's version of its id; "" for an impossible one, "9.x" where the id tells no more. */
struct str repository_version_of_id(int64_t id, struct arena *mem);
/* Whether the text can be one component of a blob's name. `what` says which it is. */
int repository_check_component(struct str text, const char *what, struct err *err);

#endif
