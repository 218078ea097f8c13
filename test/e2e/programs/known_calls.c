/* Makes a known number of each call under the name "known-calls", and prints its pid and its ports as JSON.
 * usage: known_calls ROUNDS FILE  (FILE exists; FILE.missing does not) */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void need(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		_exit(1);
	}
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static int bound_port(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	need(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
	return ntohs(address.sin_port);
}

int main(int argc, char **argv)
{
	int rounds, i, pipes[2], listener, udp, refused_port, port, udp_port;
	char buffer[100] = { 0 }, missing[4096];
	struct sockaddr_in address;

	if (argc != 3)
		return 64;
	rounds = atoi(argv[1]);
	snprintf(missing, sizeof(missing), "%s.missing", argv[2]);

	need(pipe(pipes) == 0, "pipe");
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	/* Connects to a port that was just closed are refused. */
	refused_port = socket(AF_INET, SOCK_STREAM, 0);
	address = loopback(0);
	need(bind(refused_port, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	i = bound_port(refused_port);
	close(refused_port);
	refused_port = i;

	/* The test counts every call from here on. */
	prctl(PR_SET_NAME, "known-calls");

	address = loopback(0);
	need(bind(udp, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	udp_port = bound_port(udp);
	address = loopback(0);
	need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	need(listen(listener, 16) == 0, "listen");
	port = bound_port(listener);

	for (i = 0; i < rounds; i++) {
		int fd = open(argv[2], O_RDONLY); /* openat in glibc */
		int client, server;

		need(fd >= 0, "open");
		need(openat(AT_FDCWD, missing, O_RDONLY) == -1 && errno == ENOENT, "openat");
		need(write(pipes[1], buffer, sizeof(buffer)) == sizeof(buffer), "write");
		need(read(pipes[0], buffer, sizeof(buffer)) == sizeof(buffer), "read");
		close(fd); /* not a socket: no event */
		getppid(); /* counted in the kernel: no event */

		client = socket(AF_INET, SOCK_STREAM, 0);
		address = loopback(port);
		need(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
		server = accept4(listener, NULL, NULL, 0);
		need(server >= 0, "accept4");
		close(client);
		close(server);

		client = socket(AF_INET, SOCK_STREAM, 0);
		address = loopback(refused_port);
		need(connect(client, (struct sockaddr *)&address, sizeof(address)) == -1, "connect");
		close(client);

		address = loopback(udp_port);
		need(sendto(udp, buffer, 10, 0, (struct sockaddr *)&address, sizeof(address)) == 10, "sendto");
	}
	prctl(PR_SET_NAME, "done");
	printf("{\"pid\":%d,\"port\":%d,\"refused_port\":%d,\"udp_port\":%d}\n", getpid(), port, refused_port, udp_port);
	fflush(stdout);
	_exit(0);
}
