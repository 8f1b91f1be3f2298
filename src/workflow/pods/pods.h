/* A step of a workflow as pods of Kubernetes: what stands in for its process (workflow/platform.h).
 *
 * A task says what is wanted, as JSON in a file that the engine writes; it holds no secrets:
 *
 *     name        of the Job, or of the Deployment
 *     kind        job: one pod that ends
 *                 workers: pods of a Deployment that share work, and end when there is none left
 *                 lasting: pods of a Deployment that go on (proxies, replayers)
 *     replicas    of workers and lasting ones, as configured
 *     argv        the command, without the program's name
 *     variables   {name: value}
 *     secrets     [{variable, name, key}]: a variable that takes a key of a Secret
 *     folders     [name]: Secrets whose keys are files in stateDir/secrets/NAME
 *     resources   {requests, limits} of a pod; may be absent
 *     labels      {name: value}
 *     mark        of this attempt: what is found with another mark is taken down and made anew,
 *                 of lasting ones replaced pod by pod
 *     stateDir    where a pod keeps what it keeps, in a volume that ends with it
 *     stateMb     that it may take, in MiB; may be absent: all that the node has
 *     note        file for one line of what is in the way; not there: nothing is
 *     watch       {argv, secrets, path}, of workers: a command that runs beside the engine now and
 *                 then, and the file that has its last output; may be absent
 *
 * and of lasting ones, all of which may be absent:
 *
 *     service     {name, port, type, internetFacing}: the Service in front of them
 *     probe       [word]: the command that ends well once a pod is ready
 *     graceSeconds  that a pod has to come to its end
 *     status      file for how far they are, JSON: state (starting, running, scaled to 0), time,
 *                 pods (as many as are wanted), ready, service {name, port}; of replayers sums
 *                 (lag, requests, …), and what is the most or true of all (source_lag_ms,
 *                 caught_up), from what each says in its log
 *
 * What is made belongs to what owns the engine's pod, so that nothing of it outlives that, and
 * looks like the engine's pod: its image, account, security context, tolerations. */
#ifndef WORKFLOW_PODS_H
#define WORKFLOW_PODS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

#include <stdatomic.h>

#define PODS_LABEL "migrations.opensearch.org/"

struct pods_options {
	const char *namespace; /* NULL: the pod's own */
	const atomic_bool *stop;
	/* Of pods_run: lines as they come, each whole, with its end. */
	void (*log)(struct str line);
	void (*output)(struct str line);
};

/* Carries a task out; 0, and the exit code of what it ran in *code. Its log goes to standard error,
 * its output to standard output. Once *stop is set, all is taken down: ERR_CANCELLED. Killed, it
 * leaves all as it is, and the next one that is started for the same task goes on with it. An API
 * that does not answer or refuses is waited for.
 *
 * Lasting pods are left as they are whatever happens, and it ends with *stop, or by an error that
 * waiting does not mend; pods_remove ends them. */
int pods_run(const struct pods_options *options, const char *task_path, int *code, struct err *err);

/* Sets the replicas of the Deployment with a label ("session", "resource"). ERR_NOT_FOUND: there is
 * none. *before: how many there were. */
int pods_scale(const struct pods_options *options, const char *label, const char *value,
	       unsigned replicas, unsigned *before, struct err *err);
/* How many workers of a session run; 0: there is no Deployment of it either. */
int pods_count(const struct pods_options *options, const char *session, unsigned *running,
	       struct err *err);
/* Takes down all that is there for a resource ("kind.name"), and waits until its pods are gone.
 * What keeps it there must have ended. */
int pods_remove(const struct pods_options *options, struct str resource, int64_t patience_ms,
		struct err *err);

/* The pod of a task for a controller of others, {metadata, spec}, by the image that is named; in
 * `mem`, which may fail. */
struct json *pods_template(const struct json *task, const char *image, struct arena *mem);

/* A name for objects: small letters, digits and '-', at most 46 of them, the same for the same
 * text; ptr NULL at the arena's ceiling. */
struct str pods_object_name(struct str text, struct arena *mem);
/* A value of a label, as near to the text as there can be one. */
struct str pods_label_value(struct str text, struct arena *mem);

#endif
