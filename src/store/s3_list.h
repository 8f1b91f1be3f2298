/* The objects of a folder of a bucket, page by page. */
#ifndef STORE_S3_LIST_H
#define STORE_S3_LIST_H

#include "store/s3_service.h"

struct s3_folder {
	struct s3_service *service;
	const char *uri;    /* of the store, for messages */
	const char *prefix; /* before every name: "" or "a/b/" */
	struct str folder;  /* below it; empty: the prefix itself */
	bool below;         /* also what is in the folders in it */
};

/* As blob_store_list. */
int s3_list(const struct s3_folder *place, struct arena *mem, struct blob_listing *out,
	    struct err *err);

#endif
