#include "workflow/platform.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"

enum workflow_platform workflow_platform(void)
{
	const char *wanted = getenv("SHARDLIFT_PLATFORM");

	if (wanted && *wanted)
		return strcmp(wanted, "kubernetes") == 0 ? PLATFORM_KUBERNETES : PLATFORM_LOCAL;
	return getenv("KUBERNETES_SERVICE_HOST") && access(TOKEN, F_OK) == 0 ? PLATFORM_KUBERNETES
									     : PLATFORM_LOCAL;
}
