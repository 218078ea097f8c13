/* Renames and removes the files a and b of the folder argv[1], each call once; argv[2] is a name too long for a path
 * component. Then calls ptrace and socket, each successfully and not. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int folder, child;

	if (argc < 3 || chdir(argv[1]) != 0)
		return 1;
	folder = open(".", O_RDONLY | O_DIRECTORY);
#ifdef SYS_rename
	syscall(SYS_rename, "a", "c");
#endif
#ifdef SYS_renameat
	syscall(SYS_renameat, folder, "c", AT_FDCWD, "a");
#endif
	syscall(SYS_renameat2, AT_FDCWD, "a", folder, "b", RENAME_EXCHANGE);
	syscall(SYS_renameat2, AT_FDCWD, "a", folder, argv[2], 0);
	syscall(SYS_renameat2, AT_FDCWD, (char *)8, folder, "c", 0);
#ifdef SYS_unlink
	syscall(SYS_unlink, "a");
#endif
	syscall(SYS_unlinkat, folder, "b", 0);
	syscall(SYS_unlinkat, AT_FDCWD, "nowhere", AT_REMOVEDIR);

	child = fork();
	if (child == 0)
		for (;;)
			pause();
	printf("%d\n", child);
	fflush(stdout);
	syscall(SYS_ptrace, PTRACE_SEIZE, child, 0, 0);
	syscall(SYS_ptrace, PTRACE_ATTACH, -1, 0, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);

	syscall(SYS_socket, AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
	syscall(SYS_socket, 99, SOCK_STREAM | SOCK_CLOEXEC, 7);
	return 0;
}
