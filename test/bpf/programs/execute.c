/* Executes the file argv[2] with the file's name as comm: by its path ("path"), after unlinking it ("deleted"), from a memfd
 * ("memfd"), or first by its path and then, when another file has taken that, from its old descriptor ("replaced"). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *const arguments[] = { "execute", "1", NULL }, *const environment[] = { NULL };
	struct stat status;
	int fd, memory;

	if (argc < 3)
		return 1;
	if (strcmp(argv[1], "path") == 0)
		execve(argv[2], arguments, environment);
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		return 1;
	if (strcmp(argv[1], "replaced") == 0) {
		pid_t child = vfork();

		if (child == 0) {
			execve(argv[2], arguments, environment);
			_exit(1);
		}
		if (waitpid(child, NULL, 0) != child || unlink(argv[2]) != 0)
			return 1;
		close(open(argv[2], O_CREAT | O_WRONLY, 0700));
		fexecve(fd, arguments, environment);
	}
	if (strcmp(argv[1], "deleted") == 0) {
		unlink(argv[2]);
		fexecve(fd, arguments, environment);
	}
	memory = memfd_create("ringside", MFD_CLOEXEC);
	if (sendfile(memory, fd, NULL, status.st_size) != status.st_size)
		return 1;
	fexecve(memory, arguments, environment);
	return 1;
}
