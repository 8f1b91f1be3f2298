/* How a generation of Elasticsearch keeps a snapshot's metadata: in which blobs, and how these are
 * encoded. Each snapshot of a repository has its own. */
#ifndef SNAPSHOT_METADATA_FORMAT_H
#define SNAPSHOT_METADATA_FORMAT_H

#include "base/json.h"
#include "store/blob_store.h"

struct metadata_format {
	/* The blobs are <prefix><name of the snapshot, or its uuid><suffix>. */
	const char *snapshot_prefix; /* at the root, and in the folder of each shard */
	const char *global_prefix;   /* at the root */
	const char *index_prefix;    /* in the folder of each index */
	const char *suffix;
	bool has_checksum;
	/* Reads a blob into `mem`; `codec` says which kind of metadata it must hold, where that is
	 * written down ("snapshot", "metadata", "index-metadata"). Errors name the blob. */
	int (*read)(struct blob_store *store, struct str name, const char *codec, struct arena *mem,
		    struct json **out, struct err *err);
};

/* The name of a blob: `name` is the snapshot's, or its uuid; `folder` may be empty. In `mem`; ptr
 * is NULL at its ceiling. */
struct str metadata_format_blob(const struct metadata_format *format, struct str folder,
				const char *prefix, struct str name, struct arena *mem);

/* Elasticsearch 2 and later, and OpenSearch: snapshot_blob.c. */
extern const struct metadata_format metadata_format_dat;
/* Elasticsearch 1: text_blob.c. */
extern const struct metadata_format metadata_format_text;

#endif
