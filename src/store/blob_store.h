/* A blob store: where the blobs of a snapshot repository lie. Names are paths relative to the
 * root with '/', such as "indices/abc/0/__x". Thread-safe. */
#ifndef STORE_BLOB_STORE_H
#define STORE_BLOB_STORE_H

#include "base/bytes_source.h"

struct blob_store;

struct blob_info {
	struct str name; /* in the arena of the listing; relative to the root */
	uint64_t size;   /* bytes */
};

struct blob_listing {
	struct blob_info *blobs;
	size_t count;
};

struct blob_store_ops {
	int (*list)(struct blob_store *store, struct str folder, struct arena *mem,
		    struct blob_listing *out, struct err *err);
	int (*open)(struct blob_store *store, struct str name, struct bytes_source **out,
		    struct err *err);
	/* As open, of a blob that is known to have `size` bytes: asks nothing yet. That it is not
	 * there, or of another size, is then told by the first read. NULL: as open. */
	int (*open_sized)(struct blob_store *store, struct str name, uint64_t size,
			  struct bytes_source **out, struct err *err);
	/* See blob_store_read. NULL: by open. */
	int (*read)(struct blob_store *store, struct str name, struct arena *mem, size_t limit,
		    struct str *out, struct err *err);
	void (*close)(struct blob_store *store);
	/* The store at `uri`, whose folder is above this one's; NULL: as blob_store_open. */
	int (*open_above)(const struct blob_store *store, const char *uri, struct blob_store **out,
			  struct err *err);
	/* See blob_store_list_below. NULL: only folders that are named are listed. */
	int (*list_below)(struct blob_store *store, struct str folder, struct arena *mem,
			  struct blob_listing *out, struct err *err);
	/* See blob_store_put. NULL: this store is only read. */
	int (*put)(struct blob_store *store, struct str name, struct str bytes, struct err *err);
	bool remote; /* requests cost round trips */
};

/* Implementations embed this as their first member. */
struct blob_store {
	const struct blob_store_ops *ops;
	char *uri; /* as the user gave it; for messages. Owned by the implementation */
};

/* How to reach and to convince an object store. Strings are borrowed until the store is closed; all
 * may be NULL or 0. */
struct blob_store_options {
	const char *s3_endpoint; /* URL; NULL: AWS's own of the region */
	const char *s3_region;   /* NULL: from the environment or the profile, else us-east-1 */
	bool s3_path_style;      /* https://host/bucket/name rather than https://bucket.host/name */
	const char *s3_profile, *s3_access_key_id, *s3_secret_access_key, *s3_session_token;
	const char *s3_ca_file; /* PEM; NULL: the system's */
	bool s3_insecure;       /* no check of certificate and name */
	int64_t s3_request_timeout_ms;
	int64_t s3_retry_ms;           /* how long a request is tried again; 0: a minute */
	const char *s3_role_arn;       /* role to assume with these credentials; NULL: none */
	const char *s3_external_id;    /* of that role; NULL: none */
	const char *sts_endpoint;      /* URL; NULL: AWS's own of the region */
	const char *gcs_endpoint;      /* URL of an emulator; NULL: Google's own */
	const char *gcs_credentials;   /* JSON file of a service account or workload identity; NULL:
					  $GOOGLE_APPLICATION_CREDENTIALS, else the metadata server */
	const char *azure_endpoint;    /* URL of an emulator, account included; NULL: Azure's own */
	const char *azure_account_key; /* base64; NULL: $AZURE_STORAGE_KEY */
	const char *azure_sas; /* token, with or without '?'; NULL: $AZURE_STORAGE_SAS_TOKEN;
				  without both: a managed identity's token */
};

/* Opens by URI: file:///path, file:path, /path, s3://bucket/prefix, gs://bucket/prefix or
 * azure://account/container/prefix. An http or https URL is ERR_UNSUPPORTED, an unknown scheme
 * ERR_USAGE, a path that is no directory ERR_NOT_FOUND. */
int blob_store_open(const char *uri, struct blob_store **out, struct err *err);
/* As blob_store_open; NULL options are those of none. */
int blob_store_open_with(const char *uri, const struct blob_store_options *options,
			 struct blob_store **out, struct err *err);
/* Opens the folder above `store` from where it is seen at `below` ("team/backups"): the blob x of
 * `store` is then below/x. ERR_NOT_FOUND: the store's URI does not end in that path. */
int blob_store_open_above(const struct blob_store *store, struct str below, struct blob_store **out,
			  struct err *err);
/* The blobs directly in `folder` ("" is the root), sorted by name; no recursion, no folders.
 * A folder that is not there is an empty listing. */
int blob_store_list(struct blob_store *store, struct str folder, struct arena *mem,
		    struct blob_listing *out, struct err *err);
/* As blob_store_list, of the folder and all folders below it. ERR_UNSUPPORTED where the store lists
 * only folders that are named. */
int blob_store_list_below(struct blob_store *store, struct str folder, struct arena *mem,
			  struct blob_listing *out, struct err *err);
/* Opens one blob for ranged reads (its size is then known). ERR_NOT_FOUND names the blob. The
 * source is closed before the store. Names that leave the root ("..", absolute) are ERR_FORMAT. */
int blob_store_source(struct blob_store *store, struct str name, struct bytes_source **out,
		      struct err *err);
/* As blob_store_source, of a blob that should have `size` bytes. ERR_FORMAT says how many it has,
 * now or, where opening costs a round trip that reading has anyway, with the first read. */
int blob_store_source_sized(struct blob_store *store, struct str name, uint64_t size,
			    struct bytes_source **out, struct err *err);
/* Writes a whole blob, which replaces what was there: readers see all of it or nothing, and it is
 * durable when this returns. Large ones go up in parts. Thread-safe. ERR_UNSUPPORTED where the
 * store is only read. */
int blob_store_put(struct blob_store *store, struct str name, struct str bytes, struct err *err);
/* Whether `text` names a store by scheme (s3://, gs://, azure://, file:…) rather than a path. */
bool blob_store_is_uri(const char *text);
bool blob_store_is_remote(const struct blob_store *store);
/* The whole blob into the arena, at most `limit` bytes. */
int blob_store_read(struct blob_store *store, struct str name, struct arena *mem, size_t limit,
		    struct str *out, struct err *err);
/* For stores, whose listings are sorted: for qsort over struct blob_info, by name. */
int blob_compare_names(const void *a, const void *b);
/* For stores: the ERR_FORMAT of a blob of another size than it should have. */
int blob_size_error(struct str name, uint64_t size, uint64_t expected, struct err *err);
/* Accepts NULL. */
void blob_store_close(struct blob_store *store);
/* For cleanup(). */
void blob_store_closep(struct blob_store **store);

#endif
