/* Uses up the only local port of its network namespace by a connect to a listener of its own. Then a connect, a TCP fast open
 * by sendto, and a connect by io_uring, all to that listener, fail with EADDRNOTAVAIL. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring_queue.h"

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };
	const struct sockaddr *to = (struct sockaddr *)&address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, to, sizeof(address)) != 0 || listen(listener, 8) != 0)
		return 1;
	if (connect(socket(AF_INET, SOCK_STREAM, 0), to, sizeof(address)) != 0)
		return 1;
	syscall(SYS_connect, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), to, sizeof(address));
	syscall(SYS_sendto, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "x", 1, MSG_FASTOPEN, to, sizeof(address));
	if (!open_queue())
		return 2;
	submit((struct io_uring_sqe){ .opcode = IORING_OP_CONNECT,
				      .fd = socket(AF_INET, SOCK_STREAM, 0),
				      .addr = (unsigned long)to,
				      .off = sizeof(address) });
	return 0;
}
