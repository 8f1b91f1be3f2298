/* Option groups that several commands share. */
#ifndef CLI_COMMON_OPTIONS_H
#define CLI_COMMON_OPTIONS_H

#include "base/opt.h"
#include "net/http_client.h"
#include "store/blob_store.h"

/* -v, --json, --log-format, --state-dir */
struct general_fields {
	bool verbose, json;
	const char *log_format;
	const char *state_dir;
};
extern const struct opt general_options[];
/* The same without their first row, --json, for commands where that has a value. */
#define GENERAL_OPTIONS_WITHOUT_JSON (general_options + 1)

/* --s3-endpoint and the like, of struct blob_store_options */
extern const struct opt store_options[];

/* --repo-uri, --snapshot-name and --from REPO-URI#SNAPSHOT */
struct repository_fields {
	const char *from;
	const char *repo_uri;
	const char *snapshot_name;
	struct blob_store_options store; /* of store_options, a part of its own */
};
extern const struct opt repository_options[];
/* Resolves --from into the other two; ERR_USAGE when nothing or both are given. */
int repository_fields_resolve(struct repository_fields *fields, bool needs_snapshot,
			      struct arena *mem, struct err *err);

/* --target-host and the ways to be let in */
struct target_fields {
	const char *to;
	const char *host; /* URL, dir:PATH, file:PATH or null: */
	const char *username, *password, *api_key;
	const char *cacert, *client_cert, *client_cert_key;
	const char *aws_region, *aws_service;
	bool insecure, disable_compression, gzip_answers;
	int64_t connect_timeout_ms, request_timeout_ms, retry_ms;
};
extern const struct opt target_options[];

enum target_kind { TARGET_CLUSTER, TARGET_FILES, TARGET_NULL };
/* Resolves --to, tells what kind of target it is, and for files the path. ERR_USAGE for what does
 * not go together. */
int target_fields_resolve(struct target_fields *fields, enum target_kind *kind, const char **path,
			  struct err *err);
/* Borrows the fields' strings. */
struct http_options target_http_options(const struct target_fields *fields);

#endif
