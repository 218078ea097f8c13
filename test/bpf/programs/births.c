/* Makes a child in the way that argv[1] names, which executes the file argv[2]. Prints the child's pid in this process's
 * pid namespace, and in its own. Then opens /nowhere/by-the-parent. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *program;

static int execute(void)
{
	char *const arguments[] = { program, "1", NULL }, *const environment[] = { NULL };

	syscall(SYS_execve, program, arguments, environment);
	return 1;
}

static pid_t clone_with(uint64_t flags)
{
	struct clone_args arguments = { .flags = flags, .exit_signal = SIGCHLD };

	return syscall(SYS_clone3, &arguments, sizeof(arguments));
}

int main(int argc, char **argv)
{
	const char *way = argc > 2 ? argv[1] : "";
	int ends[2], own = 0;
	pid_t child = -1;

	program = argv[2];
	if (pipe(ends))
		return 1;
	if (!strcmp(way, "vfork")) {
		child = vfork();
		if (child == 0)
			_exit(execute());
	} else if (!strcmp(way, "clone3")) {
		child = clone_with(0);
	} else if (!strcmp(way, "pidns")) {
		child = clone_with(CLONE_NEWPID);
	} else if (!strcmp(way, "name")) {
		/* a name for a terminal to act on, in two lines, and no UTF-8 */
		prctl(PR_SET_NAME, "a\n\x1b[31mb\x07\x9b\xff");
		child = clone_with(0);
	}
	if (child == 0) {
		own = getpid();
		if (write(ends[1], &own, sizeof(own)) != sizeof(own))
			_exit(1);
		_exit(execute());
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		return 1;
	close(ends[1]);
	if (read(ends[0], &own, sizeof(own)) != sizeof(own))
		own = child;
	printf("%d %d\n", child, own);
	syscall(SYS_openat, AT_FDCWD, "/nowhere/by-the-parent", O_RDONLY);
	return 0;
}
