/* Makes another failing call under each of its names: write under the original one, listen as "observed-name", dup3 as
 * "another-name". */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	syscall(SYS_write, -1, "", 1);
	prctl(PR_SET_NAME, "observed-name");
	syscall(SYS_listen, -1, 2);
	prctl(PR_SET_NAME, "another-name");
	syscall(SYS_dup3, -1, 3, 0);
	return 0;
}
