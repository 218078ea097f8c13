/* Submits requests to an io_uring by raw system calls: a nop; openat, renameat and unlinkat in the folder argv[1]; a connect
 * to port argv[2] of 127.0.0.1; a read of a file and one of a registered file; a close of the file and one of the socket.
 * Prints the descriptors of socket and file. Exits with 2 without io_uring. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring_queue.h"

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	char buffer[8];
	int file, connection;

	if (argc < 3 || chdir(argv[1]) != 0)
		return 1;
	address.sin_port = htons(atoi(argv[2]));
	if (!open_queue())
		return 2;
	file = open("a", O_RDONLY);
	connection = socket(AF_INET, SOCK_STREAM, 0);
	syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &file, 1);

	submit((struct io_uring_sqe){ .opcode = IORING_OP_NOP });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
				      .fd = AT_FDCWD,
				      .addr = (unsigned long)"a",
				      .open_flags = O_RDONLY });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_CONNECT,
				      .fd = connection,
				      .addr = (unsigned long)&address,
				      .off = sizeof(address) });
	submit((struct io_uring_sqe){
		.opcode = IORING_OP_READ, .fd = file, .addr = (unsigned long)buffer, .len = sizeof(buffer) });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_READ,
				      .flags = IOSQE_FIXED_FILE,
				      .fd = 0,
				      .addr = (unsigned long)buffer,
				      .len = sizeof(buffer) });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_RENAMEAT,
				      .fd = AT_FDCWD,
				      .addr = (unsigned long)"a",
				      .len = AT_FDCWD,
				      .addr2 = (unsigned long)"b" });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (unsigned long)"b" });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .fd = file });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .fd = connection });
	printf("%d %d\n", connection, file);
	return 0;
}
