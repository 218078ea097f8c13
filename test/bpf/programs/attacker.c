/* Makes argv[2] calls of the kind argv[1] in each of argv[3] threads of argv[4] processes, as an unprivileged user, and
 * prints the pids of the processes. Kinds: dup3, execve and ptrace, which fail, socket, with its close, connect, which does
 * not block, fork, whose children make ten dup3 each, and numbers, rounds of nearly every call with invalid arguments. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_THREADS = 64, CHILD_CALLS = 10, NUMBERS = 450 };
static const char *kind;
static long calls;
static struct sockaddr_in target;

static void need(int ok)
{
	if (!ok)
		_exit(1);
}

static void duplicate(void)
{
	syscall(SYS_dup3, 1, 2, 0);
}

static void execute(void)
{
	char *const none[] = { NULL };

	syscall(SYS_execve, "/nowhere", none, none);
}

static void trace(void)
{
	ptrace(PTRACE_PEEKDATA, 1, NULL, NULL);
}

static void open_socket(void)
{
	close(socket(AF_INET, SOCK_DGRAM, 0));
}

static void begin_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	connect(fd, (struct sockaddr *)&target, sizeof(target));
	close(fd);
}

static void fork_child(void)
{
	pid_t child = fork();

	need(child >= 0);
	if (child == 0) {
		for (int i = 0; i < CHILD_CALLS; i++)
			duplicate();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* Without those that block, end or signal the process, or take long. */
static void call_numbers(void)
{
#ifdef __x86_64__
	static const int skipped[] = { SYS_rt_sigreturn, SYS_pause, SYS_alarm, SYS_fork, SYS_vfork, SYS_exit, SYS_kill,
				       SYS_tkill, SYS_tgkill, SYS_sync, SYS_exit_group, 335, 336, SYS_close_range, SYS_set_tid_address };

	for (int nr = 0; nr < NUMBERS; nr++) {
		int is_skipped = 0;

		for (unsigned i = 0; i < sizeof(skipped) / sizeof(*skipped); i++)
			is_skipped |= nr == skipped[i];
		if (!is_skipped)
			syscall(nr, -1, -1, -1, -1, -1, -1);
	}
#endif
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{ "dup3", duplicate },	       { "execve", execute },  { "ptrace", trace },	    { "socket", open_socket },
	{ "connect", begin_connect },  { "fork", fork_child }, { "numbers", call_numbers },
};

static void *attack(void *unused)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, kind))
			continue;
		for (long call = 0; call < calls; call++)
			kinds[i].make();
		return unused;
	}
	_exit(1);
}

/* connect() needs an address that takes connections */
static void listen_for_connects(void)
{
	socklen_t bytes = sizeof(target);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	target.sin_family = AF_INET;
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(bind(listener, (struct sockaddr *)&target, bytes) == 0 && listen(listener, 4096) == 0);
	need(getsockname(listener, (struct sockaddr *)&target, &bytes) == 0);
}

int main(int argc, char **argv)
{
	pthread_t threads[MOST_THREADS];
	long thread_count, process_count;
	int status;

	need(argc == 5);
	kind = argv[1];
	calls = atol(argv[2]);
	thread_count = atol(argv[3]);
	process_count = atol(argv[4]);
	need(thread_count <= MOST_THREADS);
	listen_for_connects();
	if (geteuid() == 0)
		need(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	for (long process = 0; process < process_count; process++) {
		pid_t pid = fork();

		need(pid >= 0);
		if (pid) {
			printf("%d\n", pid);
			continue;
		}
		for (long i = 0; i < thread_count; i++)
			need(pthread_create(&threads[i], NULL, attack, NULL) == 0);
		for (long i = 0; i < thread_count; i++)
			pthread_join(threads[i], NULL);
		_exit(0);
	}
	while (wait(&status) > 0)
		need(status == 0);
	return 0;
}
