/* Sockets whose addresses are easily mistaken; argv[1] names the case. Prints the port of the listening socket, and what
 * else a test needs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(int ok)
{
	if (!ok) {
		perror("peers");
		exit(1);
	}
}

static struct sockaddr_in address;
static socklen_t bytes = sizeof(address);

static int listen_on_loopback(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	need(bind(fd, (void *)&address, bytes) == 0 && listen(fd, 4) == 0);
	need(getsockname(fd, (void *)&address, &bytes) == 0);
	printf("%d\n", ntohs(address.sin_port));
	return fd;
}

/* IPv4 by IPv6 sockets: one that accepts, one that connects. */
static void mapped(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, peer = { .sin6_family = AF_INET6 };
	int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), off = 0;
	socklen_t size = sizeof(any);

	setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	need(bind(listener, (void *)&any, size) == 0 && listen(listener, 4) == 0);
	need(getsockname(listener, (void *)&any, &size) == 0);
	printf("%d\n", ntohs(any.sin6_port));
	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	address.sin_port = any.sin6_port;
	need(syscall(SYS_connect, client, &address, bytes) == 0);
	need(syscall(SYS_accept4, listener, NULL, NULL, 0) >= 0);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &peer.sin6_addr);
	peer.sin6_port = any.sin6_port;
	need(syscall(SYS_connect, socket(AF_INET6, SOCK_STREAM, 0), &peer, sizeof(peer)) == 0);
}

/* A connected socket of each type is disconnected by AF_UNSPEC. */
static void unspecified(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	listen_on_loopback();
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int fd = socket(AF_INET, type, 0);

		need(syscall(SYS_connect, fd, &address, bytes) == 0);
		need(syscall(SYS_connect, fd, &nobody, sizeof(nobody)) == 0);
		syscall(SYS_sendto, fd, "x", 1, MSG_NOSIGNAL, NULL, 0);
	}
}

/* TCP fast open: sendto connects, and sends. */
static void fast_open(void)
{
	listen_on_loopback();
	need(syscall(SYS_sendto, socket(AF_INET, SOCK_STREAM, 0), "hello", 5, MSG_FASTOPEN, &address, bytes) == 5);
}

static void pass(int to, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = { "x", 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	need(sendmsg(to, &message, 0) == 1);
}

static int take(int from)
{
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	int fd;

	need(recvmsg(from, &message, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* A connection and a listener that a process got from another, by SCM_RIGHTS. */
static void passed(void)
{
	int listener = listen_on_loopback(), ends[2], client = socket(AF_INET, SOCK_STREAM, 0);
	pid_t child;

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		int connection, received;

		close(listener);
		close(client);
		connection = take(ends[0]);
		received = take(ends[0]);
		need(syscall(SYS_sendto, connection, "hello", 5, 0, NULL, 0) == 5);
		need(syscall(SYS_accept4, received, NULL, NULL, 0) >= 0);
		_exit(0);
	}
	need(syscall(SYS_connect, client, &address, bytes) == 0);
	pass(ends[1], client);
	pass(ends[1], listener);
	printf("%d\n", child);
	need(waitpid(child, NULL, 0) == child);
}

static void bind_name(const char *name, size_t length)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, name, length);
	syscall(SYS_bind, socket(AF_UNIX, SOCK_DGRAM, 0), &to, offsetof(struct sockaddr_un, sun_path) + length);
}

/* Names of unix sockets: relative, as long as the field and without a NUL, abstract with a NUL inside and no UTF-8, and one
 * that the kernel chooses. */
static void names(const char *folder)
{
	char longest[108];

	need(chdir(folder) == 0);
	memset(longest, 'l', sizeof(longest));
	bind_name("relative", sizeof("relative"));
	bind_name(longest, sizeof(longest));
	bind_name("\0ringside\0\xff", 11);
	bind_name("", 0);
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "";

	if (!strcmp(which, "mapped"))
		mapped();
	else if (!strcmp(which, "unspecified"))
		unspecified();
	else if (!strcmp(which, "fast-open"))
		fast_open();
	else if (!strcmp(which, "passed"))
		passed();
	else if (!strcmp(which, "names"))
		names(argv[2]);
	else
		return 64;
	return 0;
}
