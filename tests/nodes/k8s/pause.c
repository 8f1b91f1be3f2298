/* The first process of a pod's sandbox: holds its namespaces, reaps its children. */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal)
{
	(void)signal;
	_exit(0);
}

static void reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	const struct sigaction ends = {.sa_handler = end}, reaps = {.sa_handler = reap};

	sigaction(SIGINT, &ends, NULL);
	sigaction(SIGTERM, &ends, NULL);
	sigaction(SIGCHLD, &reaps, NULL);
	for (;;)
		pause();
}
