/* Sends by sendmmsg: two datagrams of i bytes to port 9 of each 127.0.0.i for i in 2..31; one byte to each of 100 addresses;
 * then 1,024 datagrams of 5 bytes to one address. Then sends from three sockets and receives them by one recvmmsg; prints
 * the ports of the three. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct mmsghdr messages[1024];
static struct sockaddr_in addresses[1024];
static struct iovec pieces[1024];
static char bytes[64];

static void address_message(int at, int host, int size)
{
	addresses[at] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(9) };
	addresses[at].sin_addr.s_addr = htonl(INADDR_LOOPBACK + host - 1);
	pieces[at] = (struct iovec){ bytes, size };
	messages[at] = (struct mmsghdr){};
	messages[at].msg_hdr.msg_name = &addresses[at];
	messages[at].msg_hdr.msg_namelen = sizeof(addresses[at]);
	messages[at].msg_hdr.msg_iov = &pieces[at];
	messages[at].msg_hdr.msg_iovlen = 1;
}

static int bound(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	if (bind(fd, (struct sockaddr *)address, size) != 0 || getsockname(fd, (struct sockaddr *)address, &size) != 0)
		_exit(1);
	return fd;
}

int main(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), server, at = 0;
	struct sockaddr_in to, from[3];

	for (int i = 2; i <= 31; i++) {
		address_message(at++, i, i);
		address_message(at++, i, i);
	}
	if (syscall(SYS_sendmmsg, fd, messages, at, 0) != at)
		return 1;
	for (at = 0; at < 100; at++)
		address_message(at, 2 + at, 1);
	if (syscall(SYS_sendmmsg, fd, messages, at, 0) != at)
		return 1;
	for (at = 0; at < 1024; at++)
		address_message(at, 2, 5);
	if (syscall(SYS_sendmmsg, fd, messages, at, 0) != at)
		return 1;

	server = bound(&to);
	for (int i = 0; i < 3; i++)
		sendto(bound(&from[i]), bytes, i + 1, 0, (struct sockaddr *)&to, sizeof(to));
	for (at = 0; at < 3; at++)
		address_message(at, 1, sizeof(bytes));
	syscall(SYS_recvmmsg, server, messages, 3, 0, NULL);
	printf("%d %d %d\n", ntohs(from[0].sin_port), ntohs(from[1].sin_port), ntohs(from[2].sin_port));
	return 0;
}
