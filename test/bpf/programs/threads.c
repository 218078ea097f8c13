/* Starts argv[1] threads, distributed over all CPUs. Each makes argv[2] writes to /dev/null; write i has 1 + i modulo 1000
 * bytes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_BYTES = 1000, MOST_THREADS = 64 };
static int null;
static long writes;

static void *write_all(void *number)
{
	static const char bytes[MOST_BYTES];
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((long)number % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (long i = 0; i < writes; i++) {
		if (write(null, bytes, 1 + i % MOST_BYTES) < 0)
			exit(1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[1]) : 1;
	pthread_t threads[MOST_THREADS];

	if (count > MOST_THREADS)
		return 1;
	writes = argc > 2 ? atol(argv[2]) : 1;
	null = open("/dev/null", O_WRONLY);
	for (long i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, write_all, (void *)i))
			return 1;
	}
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
