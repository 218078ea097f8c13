/* A child interrupts calls of this process, each time when it waits in the call, and the kernel restarts them: an accept five
 * times by a handler with SA_RESTART, then the child connects; a nanosleep by SIGSTOP and SIGCONT, so that restart_syscall
 * resumes it. At last a handler without SA_RESTART ends an accept with EINTR. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int *handled;

static void on_signal(int signal)
{
	(void)signal;
	++*handled;
}

static void handle(int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(SIGUSR1, &action, NULL);
}

/* The second word of a line in /proc/PID/syscall or of the state in /proc/PID/stat. */
static int file_begins(pid_t pid, const char *name, const char *text)
{
	char path[64], line[256] = "";
	const char *begin = line;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	if (!strcmp(name, "stat"))
		begin = strrchr(line, ')') + 2;
	return !strncmp(begin, text, strlen(text));
}

static void wait_for_call(pid_t pid, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld ", number);
	while (!file_begins(pid, "stat", "S") || !file_begins(pid, "syscall", text))
		usleep(1000);
}

static void interrupt(pid_t pid, long number, int times)
{
	for (int i = 0; i < times; i++) {
		int before = *handled;

		wait_for_call(pid, number);
		kill(pid, SIGUSR1);
		while (*handled == before)
			usleep(1000);
	}
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timespec pause = { .tv_nsec = 300000000 };
	int server = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t bytes = sizeof(address);
	pid_t pid = getpid();

	handled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bind(server, (struct sockaddr *)&address, bytes) != 0 || listen(server, 1) != 0 ||
	    getsockname(server, (struct sockaddr *)&address, &bytes) != 0)
		return 1;
	handle(SA_RESTART);
	if (fork() == 0) {
		interrupt(pid, SYS_accept, 5);
		wait_for_call(pid, SYS_accept);
		connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, bytes);
		wait_for_call(pid, SYS_clock_nanosleep);
		kill(pid, SIGSTOP);
		while (!file_begins(pid, "stat", "T"))
			usleep(1000);
		kill(pid, SIGCONT);
		interrupt(pid, SYS_accept4, 1);
		_exit(0);
	}
	syscall(SYS_accept, server, NULL, NULL);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
	handle(0);
	syscall(SYS_accept4, server, NULL, NULL, 0);
	wait(NULL);
	return 0;
}
