/* Handles argv[1] signals that it sends to itself. */
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int handled;

static void on_signal(int signal)
{
	(void)signal;
	handled++;
}

int main(int argc, char **argv)
{
	int signals = argc > 1 ? atoi(argv[1]) : 1;

	signal(SIGUSR1, on_signal);
	while (handled < signals)
		syscall(SYS_kill, getpid(), SIGUSR1);
	return 0;
}
