/* Processes that outlive the engine that started them (proxies, replayers), known by their files:
 *
 *     <state>/run/<name>.pid      who it is, and what it was started with; removed when reset
 *     <state>/run/<name>.exit     why it ended, written by the process itself
 *     <state>/run/<name>.status   how far it is, written by a replayer
 *     <state>/run/<name>.sock     the control socket of a proxy
 *
 * .pid is JSON: pid, start, boot, namespace (base/process_identity.h; numbers as text), command (a
 * checksum), log (path below the state directory), time. .exit is JSON: code, reason, time. */
#ifndef WORKFLOW_SERVICE_H
#define WORKFLOW_SERVICE_H

#include "base/arena.h"
#include "base/json.h"
#include "base/process_identity.h"

struct service {
	struct process_identity process; /* pid 0: none */
	struct str command, log;
};

/* 1; 0: none was started, or its files tell nothing. */
int service_read(const char *state_dir, struct str name, struct arena *mem, struct service *out,
		 struct err *err);
/* Durable when it returns. Removes what told of one before it. */
int service_write(const char *state_dir, struct str name, const struct service *service,
		  struct arena *mem, struct err *err);
/* One of another container counts as gone: it ended with that. */
bool service_is_gone(const struct process_identity *process, const struct process_identity *self);
/* Why it ended: "code 3: cannot reach …"; one that left no word was killed. */
struct str service_last_words(const char *state_dir, struct str name, struct arena *mem);
/* The code that it ended with; -1: it was killed. */
int64_t service_last_code(const char *state_dir, struct str name, struct arena *mem);
/* What a file of it says; NULL: there is none, or it cannot be read now. `kind` is status or exit.
 */
struct json *service_file(const char *state_dir, struct str name, const char *kind,
			  struct arena *mem);
/* Asks it to end, waits, kills it after `patience_ms`, removes its files. ERR_TIMEOUT: it does not
 * go. One that is not there is a success. */
int service_remove(const char *state_dir, struct str name, int64_t patience_ms, struct err *err);

#endif
