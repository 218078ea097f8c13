/* Connects to itself twice over loopback, by IPv4 or IPv6 (argv[1]: 4 or 6); prints the listener's port. Reads and writes
 * both ends; the first accept asks for no address, the last finds no connection. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int six = argc > 1 && argv[1][0] == '6';
	struct sockaddr *address = six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t bytes = six ? sizeof(v6) : sizeof(v4), peer_bytes = bytes;
	struct sockaddr_storage peer;
	char buffer[8] = "payload";
	int listener, first, second, accepted;

	listener = socket(address->sa_family, SOCK_STREAM, 0);
	if (syscall(SYS_bind, listener, address, bytes) != 0)
		return 1;
	getsockname(listener, address, &bytes);
	syscall(SYS_listen, listener, 8);

	first = socket(address->sa_family, SOCK_STREAM, 0);
	syscall(SYS_connect, first, address, bytes);
#ifdef SYS_accept
	accepted = syscall(SYS_accept, listener, NULL, NULL);
#else
	accepted = syscall(SYS_accept4, listener, NULL, NULL, 0);
#endif
	syscall(SYS_write, first, buffer, 7);
	syscall(SYS_read, accepted, buffer, 8);
	syscall(SYS_close, accepted);

	second = socket(address->sa_family, SOCK_STREAM, 0);
	syscall(SYS_connect, second, address, bytes);
	accepted = syscall(SYS_accept4, listener, &peer, &peer_bytes, 0);
	syscall(SYS_close, accepted);

	fcntl(listener, F_SETFL, O_NONBLOCK);
	syscall(SYS_accept4, listener, NULL, NULL, 0);
	printf("%d\n", ntohs(six ? v6.sin6_port : v4.sin_port));
	return 0;
}
