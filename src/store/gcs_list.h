/* The answers of Google Cloud Storage (JSON API) to a list of objects. */
#ifndef STORE_GCS_LIST_H
#define STORE_GCS_LIST_H

#include "store/object_store.h"

/* See object_store_ops. Source: "Objects: list" of the JSON API. */
int gcs_list_parse(struct str body, struct arena *mem, struct object_page *page, struct err *err);

#endif
