/* Makes argv[1] calls of getppid, which do little but enter and leave the kernel, and prints the thread's
 * CPU time for each, in nanoseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 1;
	double start = now();

	for (long left = calls; left > 0; left--)
		syscall(SYS_getppid, -1);
	printf("%.3f\n", (now() - start) / calls);
	return 0;
}
