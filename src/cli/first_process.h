/* What is asked of the first process of a container, which no signal ends that it does not catch.
 */
#ifndef CLI_FIRST_PROCESS_H
#define CLI_FIRST_PROCESS_H

/* In a process with number 1: SIGTERM and SIGINT end it (143, 130), unless a command catches them
 * afterwards. Does nothing in any other. */
void first_process_init(void);
/* Waits for SIGTERM or SIGINT and reaps whoever was left to it meanwhile. */
void first_process_wait(void);

#endif
