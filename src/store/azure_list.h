/* The answers of Azure Blob Storage to a list of blobs. */
#ifndef STORE_AZURE_LIST_H
#define STORE_AZURE_LIST_H

#include "store/object_store.h"

/* See object_store_ops. Source: "List Blobs" of the Azure Storage REST reference. */
int azure_list_parse(struct str body, struct arena *mem, struct object_page *page, struct err *err);

#endif
