/* A repository in memory whose blobs can be damaged. */
#ifndef SWEEP_BLOBS_H
#define SWEEP_BLOBS_H

#include "store/blob_store.h"

struct blob {
	char *name;  /* relative to the repository */
	char *bytes; /* exactly `size` of them, so that a read past the end is seen */
	size_t size;
	size_t visible; /* what the store shows; less than size: cut off */
};

struct blobs {
	struct blob_store store; /* the repository as it is now */
	struct blob *all;
	size_t count;
};

/* Reads every file below `folder`. -ERR_IO names what could not be read. */
int blobs_load(const char *folder, struct blobs *out, struct err *err);
void blobs_release(struct blobs *blobs);

#endif
