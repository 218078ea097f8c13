/* Makes argv[1] rounds of: connect and accept4 over loopback, sendto, and a child that executes this program, which then
 * exits. Exits with an error if a call fails. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(int ok)
{
	if (!ok)
		_exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	char *const arguments[] = { argv[0], NULL };
	socklen_t bytes = sizeof(address);
	int listener, udp;

	if (argc < 2)
		return 0;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	need(bind(listener, (struct sockaddr *)&address, bytes) == 0 && listen(listener, 8) == 0);
	need(getsockname(listener, (struct sockaddr *)&address, &bytes) == 0);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	for (int left = atoi(argv[1]); left > 0; left--) {
		int client = socket(AF_INET, SOCK_STREAM, 0), server, status;
		pid_t child;

		need(connect(client, (struct sockaddr *)&address, bytes) == 0);
		server = accept4(listener, NULL, NULL, 0);
		need(server >= 0);
		close(client);
		close(server);
		need(syscall(SYS_sendto, udp, "1", 1, 0, &address, bytes) == 1);
		child = vfork();
		need(child >= 0);
		if (child == 0) {
			syscall(SYS_execve, argv[0], arguments, NULL);
			_exit(1);
		}
		need(waitpid(child, &status, 0) == child && status == 0);
	}
	return 0;
}
