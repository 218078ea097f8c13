/* Plays an unprivileged attacker against the fields of events; argv[1] names the trick. Prints what a test needs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in in4(const char *ip, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { inet_addr(ip) } };

	return to;
}

/* A network namespace whose loopback also has 203.0.113.0/24. */
static void own_network(void)
{
	struct ifreq up = { .ifr_flags = IFF_UP | IFF_RUNNING }, alias = {};
	int fd;

	if (unshare(CLONE_NEWNET))
		exit(2);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	strcpy(up.ifr_name, "lo");
	ioctl(fd, SIOCSIFFLAGS, &up);
	strcpy(alias.ifr_name, "lo:1");
	*(struct sockaddr_in *)&alias.ifr_addr = in4("203.0.113.1", 0);
	ioctl(fd, SIOCSIFADDR, &alias);
	*(struct sockaddr_in *)&alias.ifr_netmask = in4("255.255.255.0", 0);
	ioctl(fd, SIOCSIFNETMASK, &alias);
	close(fd);
}

/* A child that names this process's parent as its own. */
static int clone_parent(void)
{
	long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (!child) {
		syscall(SYS_openat, AT_FDCWD, "/nowhere/by-the-child", O_RDONLY);
		_exit(0);
	}
	printf("%ld\n", child);
	usleep(100000);
	return 0;
}

static struct sockaddr_in target;
static struct sockaddr_un name;

static void *rewrite_target(void *unused)
{
	usleep(300000);
	target = in4("127.0.0.1", 80);
	return unused;
}

/* The sockaddr is rewritten while connect blocks on a full queue, which then has room. */
static int rewrite_connect(void)
{
	struct sockaddr_in address = in4("203.0.113.10", 4444);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fillers[4], fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t other;
	pid_t child;

	own_network();
	close(listener);
	close(fd);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	bind(listener, (void *)&address, sizeof(address));
	listen(listener, 0);
	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fillers[i], (void *)&address, sizeof(address));
	}
	target = address;
	pthread_create(&other, 0, rewrite_target, 0);
	child = fork();
	if (!child) {
		usleep(600000);
		for (;;)
			accept(listener, 0, 0);
	}
	syscall(SYS_connect, fd, &target, sizeof(target));
	pthread_join(other, 0);
	kill(child, SIGKILL);
	waitpid(child, 0, 0);
	return 0;
}

static void *rewrite_name(void *path)
{
	usleep(300000);
	strcpy(name.sun_path, "/nowhere/at-all");
	usleep(100000);
	recv((long)path, &(char[8]){}, 8, 0);
	return 0;
}

/* The sun_path is rewritten while sendto blocks on a full queue. */
static int rewrite_sendto(const char *path)
{
	int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	pthread_t other;

	name.sun_family = AF_UNIX;
	strcpy(name.sun_path, path);
	unlink(path);
	bind(receiver, (void *)&name, sizeof(name));
	while (sendto(fd, "x", 1, MSG_DONTWAIT, (void *)&name, sizeof(name)) == 1)
		;
	pthread_create(&other, 0, rewrite_name, (void *)(long)receiver);
	syscall(SYS_sendto, fd, "y", 1, 0, &name, sizeof(name));
	pthread_join(other, 0);
	return 0;
}

/* An address on a connected stream, which the kernel ignores. */
static int named_stream(void)
{
	struct sockaddr_in address = in4("127.0.0.1", 0), fake = in4("203.0.113.99", 9999);
	struct iovec data = { "x", 1 };
	struct msghdr message = { .msg_name = &fake, .msg_namelen = sizeof(fake), .msg_iov = &data, .msg_iovlen = 1 };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t bytes = sizeof(address);

	bind(listener, (void *)&address, bytes);
	listen(listener, 1);
	getsockname(listener, (void *)&address, &bytes);
	connect(fd, (void *)&address, sizeof(address));
	syscall(SYS_sendto, fd, "x", 1, 0, &fake, sizeof(fake));
	syscall(SYS_sendmsg, fd, &message, 0);
	printf("%d\n", ntohs(address.sin_port));
	return 0;
}

/* A secret under names that hide it. */
static int hidden_names(const char *folder, const char *secret)
{
	chdir(folder);
	symlink(secret, "innocent");
	syscall(SYS_openat, AT_FDCWD, "innocent", O_RDONLY);
	syscall(SYS_openat, AT_FDCWD, "./missing", O_RDONLY);
	syscall(SYS_openat, AT_FDCWD, secret, O_RDONLY);
	return 0;
}

/* A socket onto 0, 1 and 2 in every way, and duplicates above 2 as fast as it goes. */
static int duplicates(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), out = dup3(1, 10, 0);

	close(0);
	syscall(SYS_dup, fd);
	close(1);
	syscall(SYS_fcntl, fd, F_DUPFD, 1);
	syscall(SYS_dup3, fd, 2, 0);
	for (int i = 0; i < 20000; i++)
		syscall(SYS_dup3, fd, 20, 0);
	dprintf(out, "%d\n", fd);
	return 0;
}

/* Files made and changed without open, unlink or rename. */
static int other_ways(const char *folder)
{
	int fd;

	chdir(folder);
#ifdef SYS_creat
	fd = syscall(SYS_creat, "made", 0600);
#else
	fd = syscall(SYS_openat, AT_FDCWD, "made", O_CREAT | O_WRONLY, 0600);
#endif
	close(fd);
	syscall(SYS_linkat, AT_FDCWD, "made", AT_FDCWD, "linked", 0);
	syscall(SYS_symlinkat, "made", AT_FDCWD, "pointing");
	syscall(SYS_truncate, "made", 0);
	syscall(SYS_memfd_create, "nowhere", MFD_CLOEXEC);
	return 0;
}

int main(int argc, char **argv)
{
	const char *trick = argc > 1 ? argv[1] : "";

	if (!strcmp(trick, "clone-parent"))
		return clone_parent();
	if (!strcmp(trick, "rewrite-connect"))
		return rewrite_connect();
	if (!strcmp(trick, "rewrite-sendto"))
		return rewrite_sendto(argv[2]);
	if (!strcmp(trick, "named-stream"))
		return named_stream();
	if (!strcmp(trick, "hidden-names"))
		return hidden_names(argv[2], argv[3]);
	if (!strcmp(trick, "duplicates"))
		return duplicates();
	if (!strcmp(trick, "other-ways"))
		return other_ways(argv[2]);
	return 64;
}
