/* Opens files in places where their path is not what was asked for; argv[1] names the place, argv[2] is a folder of its
 * own. Prints a line for each file: what the kernel says that its descriptor is, or "-" if it was not opened. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void need(int ok)
{
	if (!ok) {
		perror("places");
		exit(1);
	}
}

static int show(int fd)
{
	char name[64], target[8192];
	ssize_t bytes = -1;

	if (fd >= 0) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		bytes = readlink(name, target, sizeof(target));
	}
	printf("%.*s\n", bytes < 0 ? 1 : (int)bytes, bytes < 0 ? "-" : target);
	return fd;
}

/* openat, past the C library, which may call another */
static int open_at(int dirfd, const char *path, int flags)
{
	return syscall(SYS_openat, dirfd, path, flags, 0600);
}

/* The file of a descriptor, opened once more. */
static void reopen(int fd)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	show(open_at(AT_FDCWD, name, O_RDONLY));
}

/* Names that are no UTF-8, and one that ends as the kernel marks a file without a name. */
static void odd_names(void)
{
	show(open_at(AT_FDCWD, "\xff\xfe\x01name", O_CREAT | O_WRONLY));
	show(open_at(AT_FDCWD, "a\nb\x1b[31m", O_CREAT | O_WRONLY));
	show(open_at(AT_FDCWD, "name (deleted)", O_CREAT | O_WRONLY));
}

/* Files without a name: deleted, never named, in memory, a pipe, a namespace; and a folder that is gone. */
static void nameless(void)
{
	int file = open("gone", O_CREAT | O_RDWR, 0600), ends[2];

	need(unlink("gone") == 0);
	reopen(file);
	/* in memory, since not every file system can */
	show(open_at(AT_FDCWD, "/dev/shm", O_TMPFILE | O_RDWR));
	reopen(memfd_create("in memory", 0));
	need(pipe(ends) == 0);
	reopen(ends[0]);
	show(open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY));
	need(mkdir("lost", 0700) == 0 && chdir("lost") == 0 && rmdir("../lost") == 0);
	show(open_at(AT_FDCWD, "file", O_RDONLY));
}

/* A file whose path has exactly 4,095 bytes, then folders below it until no path reaches the bottom; a file there, and one
 * that does not exist. */
static void deep(const char *folder)
{
	static char path[8192], name[256];
	size_t left;

	memset(name, 'd', 255);
	strcpy(path, folder);
	while (strlen(path) + 256 < 4095 - 2) {
		strcat(strcat(path, "/"), name);
		need(mkdir(path, 0700) == 0);
	}
	left = 4095 - strlen(path) - 1;
	memset(name, 'f', left);
	name[left] = 0;
	strcat(strcat(path, "/"), name);
	show(open_at(AT_FDCWD, path, O_CREAT | O_WRONLY));
	need(chdir(folder) == 0);
	memset(name, 'd', 255);
	for (int i = 0; i < 20; i++) {
		mkdir(name, 0700);
		need(chdir(name) == 0);
	}
	show(open_at(AT_FDCWD, "bottom", O_CREAT | O_WRONLY));
	show(open_at(AT_FDCWD, "nothing", O_RDONLY));
}

static void make(const char *path)
{
	close(open(path, O_CREAT | O_WRONLY, 0600));
}

/* A folder as the root: a file in it, one that does not exist, and one reached by a descriptor from outside. */
static void in_chroot(void)
{
	int outside;

	need(mkdir("root", 0700) == 0);
	make("root/file");
	make("file");
	outside = open(".", O_PATH);
	need(chroot("root") == 0 && chdir("/") == 0);
	show(open_at(AT_FDCWD, "/file", O_RDONLY));
	show(open_at(AT_FDCWD, "/nothing", O_RDONLY));
	show(open_at(outside, "file", O_RDONLY));
}

/* A mount namespace with a folder mounted at another, and a file at a file. */
static void mounts(void)
{
	need(mkdir("here", 0700) == 0 && mkdir("there", 0700) == 0);
	make("here/file");
	make("here/other");
	make("target");
	need(unshare(CLONE_NEWNS) == 0 && mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) == 0);
	need(mount("here", "there", 0, MS_BIND, 0) == 0 && mount("here/other", "target", 0, MS_BIND, 0) == 0);
	show(open_at(AT_FDCWD, "there/file", O_RDONLY));
	show(open_at(AT_FDCWD, "target", O_RDONLY));
	show(open_at(AT_FDCWD, "there/nothing", O_RDONLY));
}

/* A file system that is no longer mounted, and a folder as one that never was: both are their own root. */
static void unmounted(void)
{
	int folder, tree;

	need(mkdir("etc", 0700) == 0);
	make("etc/passwd");
	need(unshare(CLONE_NEWNS) == 0 && mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) == 0);
	tree = syscall(SYS_open_tree, AT_FDCWD, ".", 1 /* OPEN_TREE_CLONE */);
	need(tree >= 0 && mkdir("disk", 0700) == 0 && mount("disk", "disk", "tmpfs", 0, 0) == 0);
	need(mkdir("disk/etc", 0700) == 0);
	make("disk/etc/passwd");
	folder = open("disk", O_PATH);
	need(umount2("disk", MNT_DETACH) == 0);
	show(open_at(tree, "etc/passwd", O_RDONLY));
	show(open_at(folder, "etc/passwd", O_RDONLY));
	show(open_at(folder, "etc/nothing", O_RDONLY));
}

int main(int argc, char **argv)
{
	const char *place = argc > 2 ? argv[1] : "";

	need(chdir(argv[2]) == 0);
	if (!strcmp(place, "odd-names"))
		odd_names();
	else if (!strcmp(place, "nameless"))
		nameless();
	else if (!strcmp(place, "deep"))
		deep(argv[2]);
	else if (!strcmp(place, "chroot"))
		in_chroot();
	else if (!strcmp(place, "mounts"))
		mounts();
	else if (!strcmp(place, "unmounted"))
		unmounted();
	else
		return 64;
	return 0;
}
