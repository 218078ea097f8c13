/* Duplicates a TCP socket and /dev/null with dup2 and dup3; closes the socket, its copy, and a descriptor that is no socket.
 * Fails to bind to an address of no interface. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in elsewhere = { .sin_family = AF_INET, .sin_port = htons(81) };
	int null = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

#ifdef SYS_dup2
	syscall(SYS_dup2, fd, 20);
#else
	syscall(SYS_dup3, fd, 20, 0);
#endif
	syscall(SYS_dup3, fd, 21, O_CLOEXEC);
	syscall(SYS_dup3, null, 22, 0);
	syscall(SYS_dup3, -1, 23, 0);
	syscall(SYS_close, null);
	syscall(SYS_close, 20);
	syscall(SYS_close, fd);
	syscall(SYS_close, fd);

	inet_pton(AF_INET, "203.0.113.9", &elsewhere.sin_addr);
	syscall(SYS_bind, socket(AF_INET, SOCK_STREAM, 0), &elsewhere, sizeof(elsewhere));
	return 0;
}
