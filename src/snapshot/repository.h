/* A snapshot repository and what it holds, of whatever version wrote it (ES 1 to 8, OS 1 to 3):
 * decided by the fields that are there, never by a version given from outside.
 *
 * Layouts and sources: docs/formats/snapshot-repository.md. Opening and reading are thread-safe
 * once repository_open has returned; each caller brings its own arena. */
#ifndef SNAPSHOT_REPOSITORY_H
#define SNAPSHOT_REPOSITORY_H

#include "base/json.h"
#include "lucene/directory.h"
#include "store/blob_store.h"

struct repository;
struct metadata_format;

struct snapshot_summary {
	struct str name, uuid; /* before 5.0 the uuid is the name */
	struct str state;   /* "SUCCESS", "PARTIAL", "FAILED", "IN_PROGRESS", "INCOMPATIBLE"; "" if
			       not said */
	struct str version; /* of the cluster, "7.10.2"; "" if nothing says it. "8.11.0" is what all
			       clusters from 8.11 to 8.19 write, "9.x" is any 9 */
};

/* Reads index.latest and index-N, or index. `store` is borrowed and outlives the repository. A
 * folder that is no repository is ERR_NOT_FOUND; a layout that is known but not read is
 * ERR_UNSUPPORTED. */
int repository_open(struct blob_store *store, struct repository **out, struct err *err);
/* Accepts NULL. */
void repository_close(struct repository *repository);
/* For cleanup(). */
void repository_closep(struct repository **repository);
/* In the repository's order; live as long as it. */
const struct snapshot_summary *repository_snapshots(const struct repository *repository,
						    size_t *count);

struct snapshot_index {
	struct str name, id;      /* id: the folder below indices/; before 5.0 the name */
	struct str metadata_blob; /* "indices/<id>/meta-….dat" */
	int64_t shard_path_type;  /* 0: shards lie at indices/<id>/<shard>; else at hashed paths */
	struct str shard_paths_blob; /* that lists the hashed paths; empty: there is none */
};

struct snapshot {
	struct arena mem;
	struct repository *repository; /* borrowed */
	const struct metadata_format *format;
	struct snapshot_summary summary; /* version and state as the snapshot's own blob says */
	int64_t start_ms, end_ms;        /* wall clock */
	int32_t total_shards, successful_shards;
	bool includes_global_state;
	bool shallow_copy;    /* OpenSearch: the documents are in a remote store, not here */
	struct str *failures; /* "index[shard]: reason" */
	size_t failure_count;
	struct snapshot_index *indices; /* sorted by name */
	size_t index_count;
	/* One for each of `indices`, where they are not of a repository but a live cluster's; NULL:
	 * in their blobs. */
	const struct index_metadata *live;
	struct shard_shelf *shelf; /* of shards in a remote store, see snapshot_shard_open */
};

/* Opens a snapshot by name. ERR_NOT_FOUND lists the names there are. Any state opens: the caller
 * decides about PARTIAL ones. */
int snapshot_open(struct repository *repository, struct str name, struct snapshot **out,
		  struct err *err);
/* Accepts NULL. */
void snapshot_close(struct snapshot *snapshot);
/* For cleanup(). */
void snapshot_closep(struct snapshot **snapshot);
const struct snapshot_index *snapshot_find_index(const struct snapshot *snapshot, struct str name);
/* The global metadata (templates, settings, …) in `mem`, without the "meta-data" around it; NULL in
 * *out if the snapshot was taken without. */
int snapshot_global_metadata(const struct snapshot *snapshot, struct arena *mem, struct json **out,
			     struct err *err);

/* Metadata of one index, as the blob says: settings flat, mappings unwrapped from the array. */
struct index_metadata {
	struct str name;
	bool closed;
	int32_t shard_count, replica_count;
	int32_t routing_shard_count; /* routing_num_shards; 0 if not said */
	struct str created_version;  /* settings index.version.created, raw */
	struct json *settings; /* object: flat dotted keys ("index.number_of_shards") -> string or
				  array */
	struct json *mappings; /* object: type name -> mapping ("_doc" or the types of 5.x) */
	struct json *aliases;  /* object: alias -> body */
	struct json *raw;      /* the whole body */
};

int snapshot_index_metadata(const struct snapshot *snapshot, const struct snapshot_index *index,
			    struct arena *mem, struct index_metadata *out, struct err *err);

/* What the snapshot says of a file's content. */
enum file_checksum {
	FILE_CHECKSUM_NONE,
	FILE_CHECKSUM_FOOTER, /* the CRC-32 in the file's Lucene footer */
	FILE_CHECKSUM_WHOLE,  /* the Adler-32 of all its bytes: files of before Lucene 4.8 */
};

/* One shard of a snapshot: its files, and a Lucene directory over ranged reads of its blobs. */
struct snapshot_file {
	struct str physical_name; /* Lucene's name */
	struct str blob;          /* "__x" or "v__x"; parts are "__x.part0" … */
	uint64_t length;          /* bytes */
	uint64_t part_size;       /* bytes, more than 0; >= length when there is one part */
	enum file_checksum checksum_kind;
	uint32_t checksum;
	struct str content; /* the whole file where the metadata carries it; else ptr NULL */
};

struct snapshot_shard {
	struct arena mem;
	struct lucene_directory *directory;
	struct blob_store *outside;  /* the store of its blobs; NULL: the repository's */
	struct snapshot_file *files; /* sorted by physical name */
	size_t file_count;
	uint64_t total_bytes;      /* sum of the files' lengths, incremental or not */
	struct shard_place *place; /* on the shelf of its snapshot; NULL: none */
};

/* Reads the shard's list of files. Sources that its directory opens have the length the list says,
 * and the list's checksum (in their footer; those that have none are read through once);
 * otherwise opening one is ERR_FORMAT, naming the blob.
 * ERR_UNSUPPORTED: the documents are not in this repository (remote store, searchable snapshot).
 * `snapshot` outlives the shard. A shard of a remote store may be shared with others who have it
 * open, and stays for who opens it next: with what its directory has read of the ends of files. */
int snapshot_shard_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			int32_t number, struct snapshot_shard **out, struct err *err);
/* Accepts NULL. */
void snapshot_shard_close(struct snapshot_shard *shard);
/* For cleanup(). */
void snapshot_shard_closep(struct snapshot_shard **shard);

#endif
