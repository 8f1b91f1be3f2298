#include "cli/first_process.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal_number)
{
	_exit(128 + signal_number);
}

void first_process_init(void)
{
	const struct sigaction action = {.sa_handler = end};

	if (getpid() != 1)
		return;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

void first_process_wait(void)
{
	sigset_t awaited;
	int signal_number = 0;

	sigemptyset(&awaited);
	sigaddset(&awaited, SIGTERM);
	sigaddset(&awaited, SIGINT);
	sigaddset(&awaited, SIGCHLD);
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	while (signal_number != SIGTERM && signal_number != SIGINT) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		signal_number = sigwaitinfo(&awaited, NULL);
	}
}
