/* Sends datagrams to 127.0.0.1:argv[1]: by sendto with and without an address, by sendmsg with and without a name, by
 * write, and from an IPv6 socket to the mapped IPv4 address. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons(argc > 1 ? atoi(argv[1]) : 9),
	};
	struct iovec data = { .iov_base = "12345", .iov_len = 5 };
	struct msghdr named = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1 };
	struct msghdr unnamed = { .msg_iov = &data, .msg_iovlen = 1 };
	int unconnected = socket(AF_INET, SOCK_DGRAM, 0), connected = socket(AF_INET, SOCK_DGRAM, 0);
	int six = socket(AF_INET6, SOCK_DGRAM, 0);

	syscall(SYS_sendto, unconnected, "1", 1, 0, &to, sizeof(to));
	syscall(SYS_sendmsg, unconnected, &named, 0);
	syscall(SYS_connect, connected, &to, sizeof(to));
	syscall(SYS_sendto, connected, "12", 2, 0, NULL, 0);
	syscall(SYS_sendmsg, connected, &unnamed, 0);
	syscall(SYS_write, connected, "123", 3);
	syscall(SYS_sendto, six, "1234", 4, 0, &to, sizeof(to));
	syscall(SYS_sendto, -1, "1", 1, 0, &to, sizeof(to));
	return 0;
}
