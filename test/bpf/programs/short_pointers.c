/* Compiled for 32 bits: calls as the C library of a 32-bit process makes them. argv[1] is a file. Executes itself once, and
 * prints the port of its socket. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct iovec piece = { "ringside", 8 };
	struct msghdr header = { .msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &piece, .msg_iovlen = 1 };
	socklen_t bytes = sizeof(address);
	int server, client;

	if (argc == 2)
		execl(argv[0], argv[0], argv[1], "again", NULL);
	server = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(server, (struct sockaddr *)&address, bytes) != 0 ||
	    getsockname(server, (struct sockaddr *)&address, &bytes) != 0)
		return 1;
	client = socket(AF_INET, SOCK_DGRAM, 0);
	sendmsg(client, &header, 0);
	connect(client, (struct sockaddr *)&address, bytes);
	send(client, "1", 1, 0);
	close(open(argv[1], O_RDWR));
	rename(argv[1], argv[1]);
	printf("%d\n", ntohs(address.sin_port));
	return 0;
}
