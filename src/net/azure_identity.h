/* Tokens of the identity that a machine, a container or a pod has in Azure. */
#ifndef NET_AZURE_IDENTITY_H
#define NET_AZURE_IDENTITY_H

#include "net/token_cache.h"

/* From the first that is there: the federated token of a pod (AZURE_FEDERATED_TOKEN_FILE with
 * AZURE_TENANT_ID and AZURE_CLIENT_ID), $IDENTITY_ENDPOINT of App Service, the instance's metadata
 * ($AZURE_POD_IDENTITY_AUTHORITY_HOST). A token_fetch; `user` is not used. */
int azure_identity_fetch(void *user, struct arena *mem, struct access_token *out, struct err *err);

#endif
