/* Where the blobs of a shard lie, hashed or not. */
#ifndef SNAPSHOT_SHARD_PATH_H
#define SNAPSHOT_SHARD_PATH_H

#include "snapshot/repository.h"

/* Codes of the way from a shard to its path, as index-N has them. */
enum shard_path_type {
	SHARD_PATH_FIXED = 0,
	SHARD_PATH_HASHED_PREFIX = 1,
	SHARD_PATH_HASHED_INFIX = 2,
};

enum shard_path_hash {
	SHARD_PATH_FNV_1A_BASE64 = 0,
	SHARD_PATH_FNV_1A_COMPOSITE_1 = 1,
};

/* Hashes of 64 bits become 11 digits, or 1 digit and 14 bits. */
#define SHARD_PATH_HASH_MAX 16

struct shard_path {
	struct str folder; /* below the store's root */
	struct str base;   /* how many folders above the repository's that root is: the repository's
			      base path ("team/backups"); empty: none, it is the repository's */
	bool listed;       /* the repository says so; else it was worked out */
};

/* Finds the folder of a shard. For a hashed path the repository's own list is read, where there is
 * one; else the path is worked out, and `base` and a prefix of the cluster's remain unknown. In
 * `mem`. ERR_FORMAT: the list cannot be; ERR_UNSUPPORTED: an unknown type or hash. */
int shard_path_find(const struct snapshot *snapshot, const struct snapshot_index *index,
		    int32_t shard, struct arena *mem, struct shard_path *out, struct err *err);
/* Fills shard_paths_blob of the indices of a snapshot whose paths are hashed. */
int shard_paths_locate(struct snapshot *snapshot, struct err *err);
/* The hash of a shard's path. */
struct str shard_path_hash(struct str index_id, int32_t shard, enum shard_path_hash algorithm,
			   char text[static SHARD_PATH_HASH_MAX]);
/* Takes the list of an index apart: the path of one shard, as shard_path_find has it. */
int shard_path_parse(struct str list, const struct snapshot_index *index, int32_t shard,
		     struct arena *mem, struct shard_path *out, struct err *err);

#endif
