/* An attacker: its connects and an open block while it rewrites their arguments; argv[1] is a folder of its own. It gives
 * itself a name that a terminal would act on. Its network namespace has 203.0.113.0/24 on loopback. Prints its pid. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CONNECTS = 25, PORT = 4444 };

static void need(int ok)
{
	if (!ok) {
		perror("rewritten_arguments");
		exit(1);
	}
}

static struct sockaddr_in in4(const char *ip, int port)
{
	return (struct sockaddr_in){ AF_INET, htons(port), { inet_addr(ip) }, {} };
}

static void own_network(void)
{
	struct ifreq up = { .ifr_flags = IFF_UP | IFF_RUNNING }, alias = {};
	int fd;

	need(unshare(CLONE_NEWNET) == 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	strcpy(up.ifr_name, "lo");
	need(ioctl(fd, SIOCSIFFLAGS, &up) == 0);
	strcpy(alias.ifr_name, "lo:1");
	*(struct sockaddr_in *)&alias.ifr_addr = in4("203.0.113.1", 0);
	need(ioctl(fd, SIOCSIFADDR, &alias) == 0);
	*(struct sockaddr_in *)&alias.ifr_netmask = in4("255.255.255.0", 0);
	need(ioctl(fd, SIOCSIFNETMASK, &alias) == 0);
	close(fd);
}

static struct sockaddr_in targets[CONNECTS];
static char name[256] = "queue";
static pid_t threads[CONNECTS + 1];

static void *connect_to(void *index)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	__atomic_store_n(&threads[(long)index], gettid(), __ATOMIC_RELEASE);
	need(syscall(SYS_connect, fd, &targets[(long)index], sizeof(targets[0])) == 0);
	return 0;
}

static void *open_name(void *unused)
{
	__atomic_store_n(&threads[CONNECTS], gettid(), __ATOMIC_RELEASE);
	need(syscall(SYS_openat, AT_FDCWD, name, O_RDONLY) >= 0);
	return unused;
}

/* Waits until a thread sleeps in a call. */
static void until_in(int index, long call)
{
	char path[64], text[64] = {};
	FILE *file;
	pid_t tid;

	while (!(tid = __atomic_load_n(&threads[index], __ATOMIC_ACQUIRE)))
		usleep(1000);
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	for (;;) {
		file = fopen(path, "r");
		need(file != NULL);
		/* "running" while it does not sleep */
		if (fgets(text, sizeof(text), file) && strncmp(text, "running", 7) && atol(text) == call)
			break;
		fclose(file);
		usleep(1000);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	struct sockaddr_in any = in4("0.0.0.0", PORT), local = in4("127.0.0.1", PORT);
	pthread_t runners[CONNECTS + 1];
	int listener, filler;

	need(argc > 1 && chdir(argv[1]) == 0 && mkfifo(name, 0600) == 0);
	prctl(PR_SET_NAME, "a\n\x1b[31mb\x07");
	own_network();
	listener = socket(AF_INET, SOCK_STREAM, 0);
	filler = socket(AF_INET, SOCK_STREAM, 0);
	need(bind(listener, (void *)&any, sizeof(any)) == 0 && listen(listener, 0) == 0);
	/* fills the queue, so that further connects wait */
	need(connect(filler, (void *)&local, sizeof(local)) == 0);
	for (long i = 0; i < CONNECTS; i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "203.0.113.%ld", 10 + i);
		targets[i] = in4(ip, PORT);
		need(pthread_create(&runners[i], 0, connect_to, (void *)i) == 0);
	}
	need(pthread_create(&runners[CONNECTS], 0, open_name, 0) == 0);
	for (int i = 0; i < CONNECTS; i++)
		until_in(i, SYS_connect);
	until_in(CONNECTS, SYS_openat);
	for (int i = 0; i < CONNECTS; i++)
		targets[i] = in4("127.0.0.1", 80);
	strcpy(name, "/nowhere/at-all");
	need(listen(listener, 2 * CONNECTS) == 0);
	for (int i = 0; i < CONNECTS + 1; i++)
		need(accept(listener, 0, 0) >= 0);
	need(open("queue", O_WRONLY) >= 0);
	for (int i = 0; i < CONNECTS + 1; i++)
		pthread_join(runners[i], 0);
	printf("%d\n", getpid());
	return 0;
}
