/* Forbids itself calls by seccomp, then makes them: they exit without an enter. openat and connect answer EPERM, getppid
 * answers 0 as if it had succeeded, mkdir answers by a signal, and i386's mkdir EACCES. Writes to an invalid descriptor
 * before and after them. With argument "kill" the filter kills the process at mkdir. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANSWER(number, answer) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, answer)

enum { I386_MKDIR = 39 };

static void on_signal(int signal)
{
	(void)signal;
}

static void call_i386(void)
{
#ifdef __x86_64__
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(I386_MKDIR), "b"(0), "c"(0) : "memory", "r8", "r9", "r10", "r11");
#endif
}

int main(int argc, char **argv)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ANSWER(I386_MKDIR, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ANSWER(SYS_openat, SECCOMP_RET_ERRNO | EPERM),
		ANSWER(SYS_connect, SECCOMP_RET_ERRNO | EPERM),
		ANSWER(SYS_getppid, SECCOMP_RET_ERRNO),
		ANSWER(SYS_mkdirat, argc > 1 ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(rules) / sizeof(rules[0]), .filter = rules };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)argv;
	signal(SIGSYS, on_signal);
	address.sin_addr.s_addr = inet_addr("203.0.113.5");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	syscall(SYS_write, -1, "", 0);
	syscall(SYS_openat, AT_FDCWD, "/forbidden", O_RDONLY);
	syscall(SYS_connect, fd, &address, sizeof(address));
	syscall(SYS_getppid);
	syscall(SYS_mkdirat, AT_FDCWD, "/forbidden", 0700);
	call_i386();
	syscall(SYS_write, -1, "", 0);
	return 0;
}
