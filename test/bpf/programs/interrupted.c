/* Reads from a pipe while signals of a timer arrive: the kernel restarts the read once, then it fails with EINTR. The first
 * handler writes to the pipe, so that the restarted read ends. */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static int ends[2];
static int writes = 1;

static void on_alarm(int signal)
{
	(void)signal;
	if (writes)
		syscall(SYS_write, ends[1], "x", 1);
}

static void read_until_alarm(int flags)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	char byte;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	syscall(SYS_read, ends[0], &byte, 1);
}

int main(void)
{
	if (pipe(ends))
		return 1;
	read_until_alarm(SA_RESTART);
	writes = 0;
	read_until_alarm(0);
	return 0;
}
