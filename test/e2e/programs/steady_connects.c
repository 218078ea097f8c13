/* Makes COUNT refused connects on loopback, INTERVAL_US apart, under the name "steady"; prints its pid.
 * usage: steady_connects COUNT INTERVAL_US */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int i, fd;

	if (argc != 3)
		return 64;
	printf("%d\n", getpid());
	fflush(stdout);

	/* Connects to a port that was just closed are refused. */
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&address, size) || getsockname(fd, (struct sockaddr *)&address, &size))
		return 1;
	close(fd);

	prctl(PR_SET_NAME, "steady");
	for (i = 0; i < atoi(argv[1]); i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, (struct sockaddr *)&address, size);
		close(fd);
		usleep(atoi(argv[2]));
	}
	_exit(0);
}
