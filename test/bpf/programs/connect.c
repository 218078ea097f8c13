/* Connects without blocking to each port of 127.0.0.1 in argv, waits for the outcome, and closes. With "give-up" as
 * argv[1], closes while the SYN to 203.0.113.1 is unanswered. Ports behind "mptcp" are connected by Multipath TCP. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int protocol;

static int begin(const char *host, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, protocol);

	inet_pton(AF_INET, host, &to.sin_addr);
	syscall(SYS_connect, fd, &to, sizeof(to));
	return fd;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct pollfd wait = { .events = POLLOUT };

		if (!strcmp(argv[i], "give-up")) {
			syscall(SYS_close, begin("203.0.113.1", 80));
			continue;
		}
		if (!strcmp(argv[i], "mptcp")) {
			protocol = IPPROTO_MPTCP;
			continue;
		}
		wait.fd = begin("127.0.0.1", atoi(argv[i]));
		poll(&wait, 1, 5000);
		syscall(SYS_close, wait.fd);
	}
	return 0;
}
