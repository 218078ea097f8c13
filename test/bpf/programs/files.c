/* Opens, reads and writes the existing file argv[1], each call once. The path of the last open is in an untouched page,
 * which is unreadable when the call enters. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct open_how how = { .flags = O_RDWR, .resolve = RESOLVE_NO_MAGICLINKS };
	char buffer[4] = "abcd";
	char *untouched;
	int fd, names;

	(void)argc;
#ifdef SYS_open
	syscall(SYS_open, argv[1], O_RDONLY);
#endif
	fd = syscall(SYS_openat, AT_FDCWD, argv[1], O_RDWR);
	syscall(SYS_openat2, AT_FDCWD, argv[1], &how, sizeof(how));
	syscall(SYS_openat, AT_FDCWD, "/nowhere/at-all", O_RDONLY);
	syscall(SYS_openat, AT_FDCWD, (char *)8, O_RDONLY);
	syscall(SYS_write, fd, buffer, 4);
	lseek(fd, 0, SEEK_SET);
	syscall(SYS_read, fd, buffer, 3);
	syscall(SYS_read, -1, buffer, 3);
	syscall(SYS_close, fd);

	/* the file argv[2] begins with the path of argv[1] and a NUL */
	names = syscall(SYS_openat, AT_FDCWD, argv[2], O_RDONLY);
	untouched = mmap(0, 4096, PROT_READ, MAP_PRIVATE, names, 0);
	syscall(SYS_openat, AT_FDCWD, untouched, O_RDONLY);
	return 0;
}
