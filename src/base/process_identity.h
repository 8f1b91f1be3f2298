/* Which process of this machine: its number is used again, so its start and the boot are kept with
 * it. Thread-safe. */
#ifndef BASE_PROCESS_IDENTITY_H
#define BASE_PROCESS_IDENTITY_H

#include "base/compiler.h"

#define PROCESS_BOOT_ID_SIZE 40

struct process_identity {
	char boot_id[PROCESS_BOOT_ID_SIZE]; /* of the kernel; "" if not known */
	uint64_t pid_namespace;             /* that pid counts in; 0 if not known */
	int64_t pid;
	uint64_t start_ticks; /* since boot, from /proc/<pid>/stat; 0 if not known */
};

void process_identity_self(struct process_identity *out);
/* Whether a process of this machine is gone for certain, as seen by `self`: of an earlier boot, or
 * no process has its number, or one that started at another time, or only its exit status is left.
 * False in doubt, such as for one in another PID namespace. */
bool process_is_gone(const struct process_identity *process, const struct process_identity *self);

#endif
