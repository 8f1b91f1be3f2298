/* put_and_read URI ENDPOINT NAME: writes what it reads as a blob, and prints what its store then
 * says of it: "NAME SIZE same", by way of listing all and reading it. For tests against servers. */
#include "store/blob_store.h"

#include "base/buf.h"
#include "base/limits.h"

#include <stdio.h>

static int put_and_read(struct blob_store *store, struct str name, struct str bytes,
			struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(128));
	struct blob_listing listing;
	struct str back;
	int rc = blob_store_put(store, name, bytes, err);

	if (rc == 0)
		rc = blob_store_list_below(store, STR(""), &mem, &listing, err);
	if (rc == 0)
		rc = blob_store_read(store, name, &mem, MIB(64), &back, err);
	for (size_t i = 0; rc == 0 && i < listing.count; i++)
		if (str_eq(listing.blobs[i].name, name))
			printf(STR_FMT " %llu %s\n", STR_ARG(name),
			       (unsigned long long)listing.blobs[i].size,
			       str_eq(back, bytes) ? "same" : "different");
	return rc;
}

int main(int argc, char **argv)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(MIB(64));
	cleanup(blob_store_closep) struct blob_store *store = NULL;
	struct blob_store_options options = {0};
	struct err err = {0};
	char part[4096];
	size_t got;
	int rc;

	if (argc != 4)
		return 2;
	options.gcs_endpoint = options.azure_endpoint = argv[2];
	while ((got = fread(part, 1, sizeof(part), stdin)) > 0)
		buf_append(&bytes, part, got);
	rc = blob_store_open_with(argv[1], &options, &store, &err);
	if (rc == 0)
		rc = put_and_read(store, str_from(argv[3]), buf_str(&bytes), &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.message);
	return rc < 0;
}
