/* Fails to execute /nowhere/at-all, then executes argv[1]: from a thread that is not the leader if argv[2] is "thread", by
 * descriptor if it is "descriptor". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *const no_environment[] = { NULL };

static void *execute(void *path)
{
	char *const arguments[] = { path, NULL };

	syscall(SYS_execve, "/nowhere/at-all", arguments, no_environment);
	syscall(SYS_execve, path, arguments, no_environment);
	return NULL;
}

int main(int argc, char **argv)
{
	char *const arguments[] = { argv[1], NULL };
	pthread_t thread;

	if (argc > 2 && !strcmp(argv[2], "thread")) {
		pthread_create(&thread, NULL, execute, argv[1]);
		pthread_join(thread, NULL);
	} else if (argc > 2) {
		int fd = syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY | O_CLOEXEC);

		syscall(SYS_execveat, fd, "", arguments, no_environment, AT_EMPTY_PATH);
	} else {
		execute(argv[1]);
	}
	return 1;
}
