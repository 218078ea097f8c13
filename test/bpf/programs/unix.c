/* Binds, connects and accepts AF_UNIX sockets: one at the path argv[1], one named "\0argv[2]" in the abstract namespace.
 * Then connects to a path without a socket. */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void meet(const char *name, int is_abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t bytes = offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path + is_abstract, name);
	syscall(SYS_bind, listener, &address, bytes);
	syscall(SYS_listen, listener, 1);
	syscall(SYS_connect, client, &address, bytes);
	syscall(SYS_accept4, listener, NULL, NULL, 0);
	syscall(SYS_write, client, "hello", 5);
}

int main(int argc, char **argv)
{
	struct sockaddr_un nowhere = { .sun_family = AF_UNIX, .sun_path = "/nowhere/at-all" };

	(void)argc;
	meet(argv[1], 0);
	meet(argv[2], 1);
	syscall(SYS_connect, socket(AF_UNIX, SOCK_STREAM, 0), &nowhere, sizeof(nowhere));
	return 0;
}
