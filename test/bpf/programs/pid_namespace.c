/* In a pid namespace of its own, seizes a child, interrupts it, and detaches from it; then asks for a pid that does not
 * exist. The child asks to be traced before. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void trace(void)
{
	int child = fork();

	if (child == 0)
		for (;;)
			pause();
	syscall(SYS_ptrace, PTRACE_SEIZE, child, 0, 0);
	syscall(SYS_ptrace, PTRACE_INTERRUPT, child, 0, 0);
	waitpid(child, NULL, __WALL);
	syscall(SYS_ptrace, PTRACE_DETACH, child, 0, 0);
	syscall(SYS_ptrace, PTRACE_SEIZE, 77, 0, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	child = fork();
	if (child == 0) {
		syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

int main(void)
{
	int child;

	if (unshare(CLONE_NEWPID) != 0)
		return 1;
	child = fork();
	if (child == 0) {
		trace();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
