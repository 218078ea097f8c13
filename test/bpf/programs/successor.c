/* Forks until a child has the pid argv[1], which then executes argv[2] with the arguments behind it. Needs root, to set
 * the pid that the kernel gives next. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t wanted = atoi(argv[1]), child;
	char last[16];
	int status;

	snprintf(last, sizeof(last), "%d", wanted - 1);
	/* others fork, too */
	for (int tries = 0; tries < 1000; tries++) {
		int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);

		if (fd < 0 || write(fd, last, strlen(last)) < 0)
			return 2;
		close(fd);
		child = fork();
		if (child == 0) {
			if (getpid() != wanted)
				_exit(0);
			execv(argv[2], argv + 2);
			_exit(3);
		}
		waitpid(child, &status, 0);
		if (child == wanted)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
	}
	return 5;
}
