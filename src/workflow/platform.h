/* Where the work of a workflow runs: as processes of this machine, or as pods of Kubernetes.
 *
 * The engine is the same for both. All it asks of a step is a process: it starts one with a command
 * line and an environment, reads its log (standard error) and its output (standard output), learns
 * its exit code, and ends it with SIGTERM. On this machine that process does the work. On
 * Kubernetes it is `shardlift pods run`, which stands in for it: it makes the Job or the
 * Deployment, brings its log, its output and its exit code here, and takes it down again. */
#ifndef WORKFLOW_PLATFORM_H
#define WORKFLOW_PLATFORM_H

#include "base/compiler.h"

enum workflow_platform { PLATFORM_LOCAL, PLATFORM_KUBERNETES };

/* $SHARDLIFT_PLATFORM (local, kubernetes); without it, kubernetes inside a pod that was given a
 * token for the API, else local. */
enum workflow_platform workflow_platform(void);

#endif
