#include "cli/interrupt.h"

#include "base/err.h"
#include "base/log.h"

#include <signal.h>
#include <unistd.h>

static atomic_bool interrupted;

static void handle(int signal_number)
{
	static const char notice[] = "\nshardlift: interrupted; ending after what is in flight "
				     "(once more: at once)\n";

	(void)signal_number;
	if (atomic_exchange(&interrupted, true))
		_exit(EXIT_CODE_INTERRUPTED);
	/* Who reads objects hears of it from the log when the run ends. */
	if (log_format_now() == LOG_JSON)
		return;
	if (write(STDERR_FILENO, notice, sizeof(notice) - 1) < 0)
		return; /* nobody reads it; the flag is set */
}

atomic_bool *interrupt_catch(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &interrupted;
}
