/* A blob store in a bucket or container of an object store: blobs are objects below a prefix. What
 * the stores of clouds share, by way of their dialects. Thread-safe: a request uses a connection
 * that no other one does, and connections are kept.
 *
 * What is read is held to be what was opened: an object that another one replaced meanwhile is
 * ERR_UNREADABLE. A blob's size comes with the first range of it. */
#ifndef STORE_OBJECT_STORE_H
#define STORE_OBJECT_STORE_H

#include "base/buf.h"
#include "store/object_service.h"

/* One answer to a list. */
struct object_page {
	struct buf *objects; /* of struct blob_info, whose names are whole keys */
	struct str next;     /* the token of the next page; empty: this was the last */
};

struct object_store_ops {
	/* Path and query of a request, encoded. `tag`: the version that must be there still; empty:
	 * any. */
	void (*write_get)(void *account, struct str key, const char *tag, struct buf *target);
	/* `prefix` ends with '/' unless it is empty; what has another '/' behind it is left out
	 * unless `below`. */
	void (*write_list)(void *account, struct str prefix, bool below, struct str token,
			   struct buf *target);
	/* Appends to page->objects, and sets page->next in `mem`. ERR_FORMAT says what is wrong. */
	int (*parse_list)(struct str body, struct arena *mem, struct object_page *page,
			  struct err *err);
	/* Writes a whole object. */
	int (*put)(struct object_service *service, const char *uri, struct str key,
		   struct str bytes, struct err *err);
	/* The prefix in a URI of the same bucket; see object_split_place. */
	int (*parse_uri)(const char *uri, struct str *bucket, struct str *prefix, struct err *err);
};

/* Owns one reference to `service` from here on. `uri` and `prefix` (without slashes around it) are
 * copied. */
struct blob_store *object_store_new(const char *uri, struct str prefix,
				    const struct object_dialect *dialect,
				    const struct object_store_ops *ops,
				    struct object_service *service);

/* Splits "first/second/third" behind a scheme into "first" and "second/third", without slashes
 * around either. */
void object_split_place(struct str place, struct str *first, struct str *rest);
/* Appends a key percent-encoded, its slashes kept. */
void object_append_path(struct buf *out, struct str key);

#endif
