/* Values that Elasticsearch keeps aside of an index with a synthetic source, each with a byte
 * before it that tells its type: in _ignored_source and in "<field>._ignore_malformed". */
#ifndef DOCUMENTS_REBUILD_XCONTENT_H
#define DOCUMENTS_REBUILD_XCONTENT_H

#include "base/json.h"

/* 1: *out is the value; 0: "void", which says only that doc values of the field are not of the
 * source. ERR_FORMAT, ERR_UNSUPPORTED: it cannot be decoded. *out may point into `bytes`. */
int rebuild_xcontent(struct str bytes, struct arena *mem, struct json **out, struct err *err);

/* What one entry of _ignored_source says. */
struct ignored_entry {
	struct str parent; /* path of the object it is a member of; empty: the document */
	struct str name;   /* in that object */
	struct str value;  /* for rebuild_xcontent */
};
int ignored_entry_read(struct str bytes, struct ignored_entry *out, struct err *err);

#endif
