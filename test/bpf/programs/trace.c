/* Asks ptrace argv[1] times for what it refuses: a call that nothing else on a machine makes. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (long left = argc > 1 ? atol(argv[1]) : 1; left > 0; left--)
		syscall(SYS_ptrace, -1, -1, 0, 0);
	return 0;
}
