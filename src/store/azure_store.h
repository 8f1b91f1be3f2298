/* A blob store in a container of Azure Blob Storage; see object_store.h. */
#ifndef STORE_AZURE_STORE_H
#define STORE_AZURE_STORE_H

#include "store/blob_store.h"

/* `uri` is azure://account/container or azure://account/container/prefix (az:// as well). The
 * server is azure_endpoint, else that of $AZURE_STORAGE_CONNECTION_STRING where it is used, else
 * Azure's own of the account. ERR_USAGE for a URI, endpoint, key or SAS that is none. Asks the
 * server nothing yet. */
int azure_store_open(const char *uri, const struct blob_store_options *options,
		     struct blob_store **out, struct err *err);

#endif
