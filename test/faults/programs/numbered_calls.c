/* Numbered calls: number n is a connect of a datagram socket to the address 127.0.0.0 + n.
 * Arguments: MODE FIRST COUNT PER_MS. Numbers FIRST to FIRST + COUNT - 1, PER_MS in each millisecond, 0 without pause.
 *   steady     one process makes them, and as many calls of getppid
 *   processes  a new process makes each, at most 64 at once
 *   bomb       as processes, but process n starts n * 2 and n * 2 + 1, without a limit
 * A SIGTERM ends it early. Prints the number of calls as JSON. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t should_end;

static void on_term(int signal)
{
	(void)signal;
	should_end = 1;
}

static void make(int fd, unsigned n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7f000000 + n) };

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		perror("connect");
}

static void make_alone(unsigned n)
{
	make(socket(AF_INET, SOCK_DGRAM, 0), n);
}

static void explode(unsigned n, unsigned first, unsigned count)
{
	for (unsigned child = n * 2; child <= n * 2 + 1 && child <= count; child++) {
		if (fork() == 0) {
			explode(child, first, count);
			make_alone(first + child - 1);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
}

static void pace(struct timespec *next)
{
	next->tv_nsec += 1000000;
	if (next->tv_nsec >= 1000000000) {
		next->tv_sec++;
		next->tv_nsec -= 1000000000;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

int main(int argc, char **argv)
{
	const char *mode = argc == 5 ? argv[1] : "";
	const unsigned first = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	const unsigned count = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	const unsigned per_ms = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	struct timespec next;
	unsigned made = 0, asked = 0;

	signal(SIGTERM, on_term);
	clock_gettime(CLOCK_MONOTONIC, &next);
	if (strcmp(mode, "steady") == 0) {
		const int fd = socket(AF_INET, SOCK_DGRAM, 0);

		for (; made < count && !should_end; asked++) {
			make(fd, first + made++);
			syscall(SYS_getppid);
			if (per_ms > 0 && made % per_ms == 0)
				pace(&next);
		}
	} else if (strcmp(mode, "processes") == 0) {
		for (unsigned running = 0; made < count; made++) {
			if (running == 64) {
				wait(NULL);
				running--;
			}
			running++;
			if (fork() == 0) {
				make_alone(first + made);
				_exit(0);
			}
			if (per_ms > 0 && made % per_ms == 0)
				pace(&next);
		}
		while (wait(NULL) > 0)
			;
	} else if (strcmp(mode, "bomb") == 0) {
		explode(1, first, count);
		make_alone(first);
		made = count;
	} else {
		return 64;
	}
	printf("{\"first\":%u,\"made\":%u,\"asked\":%u}\n", first, made, asked);
	return 0;
}
