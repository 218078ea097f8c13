/* Makes calls through the 32-bit entry of a 64-bit kernel, with the numbers and structures of i386, then calls with x32
 * numbers. All their pointers are below 4 GiB. argv[1] is a file. Prints the port of the receiving socket. Exits with 2 if
 * the kernel has no 32-bit entry. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__

enum { GETPID = 20, READ = 3, WRITE = 4, OPEN = 5, RENAME = 38, UNLINK = 10, SOCKETCALL = 102, OPENAT = 295 };
enum { SOCKET = 359, CONNECT = 362, SENDMSG = 370, RECVFROM = 371, MKDIR = 39, PTRACE = 26, SENDMMSG = 345 };
enum { X32 = 0x40000000 };

struct message32 {
	uint32_t name, name_bytes, pieces, piece_count, control, control_bytes, flags;
};

/* the memory of all pointers */
static struct {
	char path[64], other[64], buffer[8];
	struct sockaddr_in address, sender;
	uint32_t sender_bytes;
	struct {
		uint32_t at, bytes;
	} piece;
	struct message32 message;
	uint32_t words[6];
	struct {
		struct message32 message;
		uint32_t bytes;
	} messages[2];
	struct sockaddr_in second;
} *low;

static uint32_t at(const void *pointer)
{
	return (uint32_t)(uintptr_t)pointer;
}

static long call(long number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
	register long ebp __asm__("r12") = f;
	long ret;

	__asm__ volatile("push %%rbp; mov %%r12, %%rbp; int $0x80; pop %%rbp"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "r"(ebp)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static long socketcall(int which, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
	const uint32_t words[6] = { a, b, c, d, e, f };

	memcpy(low->words, words, sizeof(words));
	return call(SOCKETCALL, which, at(low->words), 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
	socklen_t bytes = sizeof(low->address);
	int server, client;

	if (argc < 2 || call(GETPID, 0, 0, 0, 0, 0, 0) != getpid())
		return 2;
	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED)
		return 1;
	server = socket(AF_INET, SOCK_DGRAM, 0);
	low->address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	if (bind(server, (struct sockaddr *)&low->address, bytes) != 0 ||
	    getsockname(server, (struct sockaddr *)&low->address, &bytes) != 0)
		return 1;
	printf("%d\n", ntohs(low->address.sin_port));
	fflush(stdout);

	strncpy(low->path, argv[1], sizeof(low->path) - 1);
	strcpy(low->other, "/nowhere/at-all");
	call(OPENAT, AT_FDCWD, at(low->path), O_WRONLY, 0, 0, 0);
	call(OPEN, at(low->other), O_RDWR | O_EXCL, 0, 0, 0, 0);
	call(WRITE, -1, at(low->buffer), 4, 0, 0, 0);
	call(RENAME, at(low->other), at(low->path), 0, 0, 0, 0);
	call(UNLINK, at(low->other), 0, 0, 0, 0, 0);
	call(MKDIR, at(low->other), 0, 0, 0, 0, 0);
	call(PTRACE, 16, -1, 0, 0, 0, 0);

	low->piece.at = at(low->buffer);
	low->piece.bytes = 5;
	low->message = (struct message32){ at(&low->address), sizeof(low->address), at(&low->piece), 1, 0, 0, 0 };
	low->messages[0].message = low->messages[1].message = low->message;
	low->second = low->address;
	low->second.sin_port = htons(9);
	low->messages[1].message.name = at(&low->second);
	client = call(SOCKET, AF_INET, SOCK_DGRAM, 0, 0, 0, 0);
	call(SENDMSG, client, at(&low->message), 0, 0, 0, 0);
	call(SENDMMSG, client, at(low->messages), 2, 0, 0, 0);
	low->sender_bytes = sizeof(low->sender);
	call(RECVFROM, server, at(low->buffer), 8, 0, at(&low->sender), at(&low->sender_bytes));
	call(CONNECT, client, at(&low->address), sizeof(low->address), 0, 0, 0);

	/* socketcall: socket, connect, send, sendto, recvmsg, shutdown, and an invalid one */
	client = socketcall(1, AF_INET, SOCK_DGRAM, 0, 9, 9, 9);
	socketcall(3, client, at(&low->address), sizeof(low->address), 9, 9, 9);
	socketcall(9, client, at(low->buffer), 6, 0, at(&low->sender), 9);
	socketcall(11, client, at(low->buffer), 7, 0, at(&low->address), sizeof(low->address));
	low->message.name = at(&low->sender);
	socketcall(17, server, at(&low->message), 0, 9, 9, 9);
	socketcall(13, client, 0, 9, 9, 9, 9);
	call(SOCKETCALL, 3, 8, 0, 0, 0, 0);
	call(SOCKETCALL, 77, at(low->words), 0, 0, 0, 0);

	low->message.name = at(&low->address);
	/* x32: openat has its 64-bit number, sendmsg an x32 number */
	syscall(X32 + SYS_openat, AT_FDCWD, low->other, O_RDONLY);
	syscall(X32 + 518, client, &low->message, 0);
	return 0;
}

#else

int main(void)
{
	return 2;
}

#endif
