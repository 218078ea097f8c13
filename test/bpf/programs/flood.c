/* Writes 0 bytes to an invalid descriptor, argv[1] times: the cheapest observed call. With argv[2], stops itself first, so
 * that a test can prepare and continue it. */
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 2)
		raise(SIGSTOP);
	for (long left = argc > 1 ? atol(argv[1]) : 1; left > 0; left--)
		syscall(SYS_write, -1, "", 0);
	return 0;
}
