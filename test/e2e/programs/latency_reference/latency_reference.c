/*
 * latency_reference OBJECT COMMAND...: measures the calls of a command with latency_reference.bpf.c. It attaches the first
 * programs and prints "attached"; on a line of input it attaches the others and starts the command; on a second line it
 * ends the command and prints a line for each call: name, count, sum of nanoseconds, sum of the nanoseconds between two
 * programs, then the highest nanosecond and the count of each bucket that is not empty.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libbpf.h"
#include "latency_reference.h"

static const char *const names[CALLS] = { "accept4", "connect", "read", "write" };
static const int numbers[CALLS] = { SYS_accept4, SYS_connect, SYS_read, SYS_write };

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void attach(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	check(program && bpf_program__attach(program), name);
}

static void wait_for_line(void)
{
	char byte = 0;

	while (byte != '\n')
		if (read(0, &byte, 1) != 1)
			exit(1);
}

/* Starts the command stopped, before its first measured call. */
static pid_t start(char **command)
{
	pid_t pid = fork();
	int status;

	check(pid >= 0, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		raise(SIGSTOP);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	check(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "waitpid");
	return pid;
}

/* The highest nanosecond of a bucket. */
static unsigned long long top_of(unsigned bucket)
{
	unsigned doubling, step;

	if (bucket < 2 * STEPS)
		return bucket;
	doubling = bucket / STEPS - 1;
	step = bucket - doubling * STEPS;
	return ((step + 1ULL) << doubling) - 1;
}

static void print(const char *name, const struct measured *measured)
{
	printf("%s %llu %llu %llu", name, measured->count, measured->total_ns, measured->gap_ns);
	for (unsigned bucket = 0; bucket < BUCKETS; bucket++)
		if (measured->buckets[bucket])
			printf(" %llu:%llu", top_of(bucket), measured->buckets[bucket]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct reference *reference;
	size_t size;
	pid_t pid;

	check(argc > 2, "usage: latency_reference OBJECT COMMAND...");
	setlinebuf(stdout);
	object = bpf_object__open(argv[1]);
	check(object && bpf_object__load(object) == 0, argv[1]);
	reference = bpf_map__initial_value(bpf_object__find_map_by_name(object, ".bss"), &size);
	check(reference && size >= sizeof(*reference), ".bss");
	memcpy(reference->numbers, numbers, sizeof(numbers));
	attach(object, "before");
	attach(object, "left");
	puts("attached");

	wait_for_line();
	pid = start(argv + 2);
	attach(object, "entered");
	attach(object, "counted");
	reference->pid = pid;
	kill(pid, SIGCONT);

	wait_for_line();
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	for (int which = 0; which < CALLS; which++)
		print(names[which], &reference->calls[which]);
	return 0;
}
