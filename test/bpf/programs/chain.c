/* Forks argv[1] processes, each of which executes itself argv[2] times, by the paths argv[3], argv[4], … in turn, and
 * waits for them. The nth path counts n getppid and emits an open of /nowhere/ and its own name. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(int execs, char **argv)
{
	int paths = 0, own = 0;
	char name[64], left[16];

	while (argv[3 + paths]) {
		if (!strcmp(argv[3 + paths], argv[0]))
			own = paths;
		paths++;
	}
	for (int i = 0; i <= own; i++)
		syscall(SYS_getppid);
	snprintf(name, sizeof(name), "/nowhere/%s", strrchr(argv[0], '/') + 1);
	syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
	if (execs == 0)
		return 0;
	snprintf(left, sizeof(left), "%d", execs - 1);
	argv[0] = argv[3 + (own + 1) % paths];
	argv[1] = "0";
	argv[2] = left;
	execv(argv[0], argv);
	return 1;
}

int main(int argc, char **argv)
{
	int processes = atoi(argv[1]), status, failed = 0;

	if (processes == 0)
		return run(atoi(argv[2]), argv);
	for (int i = 0; i < processes; i++)
		if (fork() == 0)
			return run(atoi(argv[2]), argv);
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
