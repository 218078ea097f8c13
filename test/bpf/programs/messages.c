/* Sends datagrams between two sockets over loopback by sendmmsg; receives them by recvfrom, recvmsg and recvmmsg, with and
 * without asking for the sender's address. Prints the ports of sender and receiver. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bound(struct sockaddr_in *address)
{
	socklen_t bytes = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	if (bind(fd, (struct sockaddr *)address, bytes) != 0 || getsockname(fd, (struct sockaddr *)address, &bytes) != 0)
		_exit(1);
	return fd;
}

int main(void)
{
	struct sockaddr_in from, to, sender = {};
	int client = bound(&from), server = bound(&to);
	char text[8] = "ringside";
	struct iovec piece = { text, 3 };
	struct msghdr header = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &piece, .msg_iovlen = 1 };
	struct mmsghdr messages[6] = {};
	socklen_t bytes = sizeof(sender);

	for (int i = 0; i < 6; i++)
		messages[i].msg_hdr = header;
	syscall(SYS_sendmmsg, client, messages, 6, 0);
	header.msg_name = &sender;
	header.msg_namelen = sizeof(sender);
	syscall(SYS_recvfrom, server, text, sizeof(text), 0, &sender, &bytes);
	syscall(SYS_recvfrom, server, text, sizeof(text), 0, NULL, NULL);
	syscall(SYS_recvmsg, server, &header, 0);
	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr = header;
		messages[i].msg_hdr.msg_namelen = sizeof(sender);
	}
	syscall(SYS_recvmmsg, server, messages, 2, 0, NULL);
	header.msg_name = NULL;
	syscall(SYS_recvmsg, server, &header, 0);
	/* fails with EAGAIN: the contents of `sender` are of an earlier call */
	bytes = sizeof(sender);
	syscall(SYS_recvfrom, server, text, sizeof(text), MSG_DONTWAIT, &sender, &bytes);
	printf("%d %d\n", ntohs(from.sin_port), ntohs(to.sin_port));
	return 0;
}
