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
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct io_uring_sqe *entries;
static unsigned *tail, *mask, *array;
static int ring;

/* Submits one request and waits for its completion. */
static void submit(struct io_uring_sqe entry)
{
	unsigned at = *tail & *mask;

	entries[at] = entry;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		_exit(1);
}

int main(int argc, char **argv)
{
	struct io_uring_params parameters = {};
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	char buffer[8], *queue;
	int file, connection;

	if (argc < 3 || chdir(argv[1]) != 0)
		return 1;
	address.sin_port = htons(atoi(argv[2]));
	ring = syscall(SYS_io_uring_setup, 32, &parameters);
	if (ring < 0)
		return 2;
	queue = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, parameters.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (queue == MAP_FAILED || entries == MAP_FAILED)
		return 1;
	tail = (unsigned *)(queue + parameters.sq_off.tail);
	mask = (unsigned *)(queue + parameters.sq_off.ring_mask);
	array = (unsigned *)(queue + parameters.sq_off.array);
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
