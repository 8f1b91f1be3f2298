/* Output and log of a command that runs in a pod, whose log is all that comes out of it. */
#ifndef CLI_POD_OUTPUT_H
#define CLI_POD_OUTPUT_H

/* With $SHARDLIFT_OUTPUT_IN_LOG: keeps standard output back until the end. */
void pod_output_begin(void);
/* Writes what was kept to standard error, each line marked, and a line that says
 * that this is all (workflow/pods). */
void pod_output_end(void);

#endif
