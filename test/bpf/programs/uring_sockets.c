/* Makes requests to an io_uring and prints the operation and result of each, and the port of the server: makes a socket;
 * binds one to a port of 127.0.0.1; listens; sends to that port by SEND and SENDMSG with an address, and by a
 * registered socket; opens argv[1] as registered file 2 and, with RESOLVE_NO_MAGICLINKS, as one that the kernel chooses;
 * opens a link to argv[1], argv[2], and a path that does not exist; makes a registered socket, and closes it; reads a
 * registered file; accepts a connection. Exits with 2 without io_uring. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring_queue.h"

/* of Linux 6.11: linux/io_uring.h may be older */
enum { BIND = 56, LISTEN = 57 };

#define ADDRESS(pointer) .addr = (unsigned long)(pointer)

static void request(struct io_uring_sqe entry)
{
	int result = submit(entry);

	printf("%d %d\n", entry.opcode, result);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_NO_MAGICLINKS };
	struct iovec piece = { "abcd", 4 };
	struct msghdr message = { .msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &piece, .msg_iovlen = 1 };
	int listener, server, client, files[8];
	socklen_t bytes = sizeof(address);
	char buffer[8];

	if (argc < 3 || !open_queue())
		return 2;
	server = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(server, (struct sockaddr *)&address, bytes) != 0 ||
	    getsockname(server, (struct sockaddr *)&address, &bytes) != 0)
		return 1;
	client = socket(AF_INET, SOCK_DGRAM, 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	memset(files, 0xff, sizeof(files));
	files[0] = open(argv[1], O_RDONLY);
	files[1] = client;
	syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, files, 8);
	printf("%d %d %d\n", ntohs(address.sin_port), client, listener);

	request((struct io_uring_sqe){ .opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_DGRAM });
	request((struct io_uring_sqe){ .opcode = BIND, .fd = listener, ADDRESS(&address), .addr2 = bytes });
	request((struct io_uring_sqe){ .opcode = LISTEN, .fd = listener, .len = 1 });
	request((struct io_uring_sqe){ .opcode = IORING_OP_SEND,
				       .fd = client,
				       ADDRESS("abc"),
				       .len = 3,
				       .addr2 = (unsigned long)&address,
				       .addr_len = bytes });
	request((struct io_uring_sqe){ .opcode = IORING_OP_SENDMSG, .fd = client, ADDRESS(&message), .len = 1 });
	request((struct io_uring_sqe){ .opcode = IORING_OP_SENDMSG,
				       .fd = 1,
				       .flags = IOSQE_FIXED_FILE,
				       ADDRESS(&message),
				       .len = 1 });
	request((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
				       .fd = AT_FDCWD,
				       ADDRESS(argv[1]),
				       .open_flags = O_RDONLY,
				       .file_index = 3 });
	request((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT2,
				       .fd = AT_FDCWD,
				       ADDRESS(argv[1]),
				       .len = sizeof(how),
				       .addr2 = (unsigned long)&how,
				       .file_index = IORING_FILE_INDEX_ALLOC });
	request((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, ADDRESS(argv[2]) });
	request((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, ADDRESS("/nowhere/at-all") });
	request((struct io_uring_sqe){ .opcode = IORING_OP_SOCKET,
				       .fd = AF_INET,
				       .off = SOCK_STREAM,
				       .file_index = 6 });
	request((struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .file_index = 6 });
	request((struct io_uring_sqe){ .opcode = IORING_OP_READ,
				       .fd = 0,
				       .flags = IOSQE_FIXED_FILE,
				       ADDRESS(buffer),
				       .len = sizeof(buffer) });
	connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, bytes);
	request((struct io_uring_sqe){ .opcode = IORING_OP_ACCEPT, .fd = listener, .file_index = 7 });
	return 0;
}
