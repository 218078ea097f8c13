/* Makes argv[1] invalid ptrace calls, which nothing else on a test machine makes. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (long left = argc > 1 ? atol(argv[1]) : 1; left > 0; left--)
		syscall(SYS_ptrace, -1, -1, 0, 0);
	return 0;
}
