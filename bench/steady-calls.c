/* Makes argv[1] system calls a second for argv[2] seconds, under the name "rs-steady". argv[3] "emitted": nine openat
 * of a missing file per connect of a datagram socket, which the edge emits by default; "counted": reads of /dev/null,
 * which it counts. Prints the number of calls and the nanoseconds of CPU time that they took. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TICKS = 100 };	/* per second */

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9) };
	long rate, ticks, made = 0;
	struct timespec next, used;
	int emitted, datagrams, nothing;

	if (argc != 4)
		return 64;
	rate = atol(argv[1]);
	ticks = atol(argv[2]) * TICKS;
	emitted = strcmp(argv[3], "emitted") == 0;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	datagrams = socket(AF_INET, SOCK_DGRAM, 0);
	nothing = open("/dev/null", O_RDONLY);
	prctl(PR_SET_NAME, "rs-steady");

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (long tick = 0; tick < ticks; tick++) {
		char byte;

		for (long due = rate * (tick + 1) / TICKS; made < due; made++) {
			if (!emitted)
				(void)!read(nothing, &byte, 1);
			else if (made % 10)
				open("/nonexistent/ringside", O_RDONLY);
			else
				connect(datagrams, (struct sockaddr *)&address, sizeof(address));
		}
		next.tv_nsec += 1000000000 / TICKS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	printf("%ld %lld\n", made, used.tv_sec * 1000000000LL + used.tv_nsec);
	return 0;
}
