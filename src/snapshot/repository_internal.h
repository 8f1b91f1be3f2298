/* What the files of this room share about an open repository. */
#ifndef SNAPSHOT_REPOSITORY_INTERNAL_H
#define SNAPSHOT_REPOSITORY_INTERNAL_H

#include "snapshot/member_table.h"
#include "snapshot/repository.h"

/* Read-only once repository_open has returned. */
struct repository {
	struct arena mem;
	struct blob_store *store; /* borrowed */
	struct str index_blob;    /* "index-5" */
	struct json *root;        /* its content */
	struct snapshot_summary *snapshots;
	struct json **entries; /* of snapshots[i] in the content */
	size_t snapshot_count;
	struct member_table metadata_identifiers; /* index_metadata_identifiers; empty before 7.9 */
};

/* Parses the content of index-N, which is `text` in repository->mem. */
int repository_parse(struct repository *repository, struct str text, struct err *err);
/* Whether the text can be one component of a blob's name. `what` says which it is. */
int repository_check_component(struct str text, const char *what, struct err *err);

#endif
