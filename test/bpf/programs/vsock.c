/* Binds an AF_VSOCK socket to port 5000 of any cid; connects another to port 9999 of cid 3, which no transport reaches.
 * Exits with 2 without AF_VSOCK. */
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_port = 5000, .svm_cid = VMADDR_CID_ANY };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return 2;
	syscall(SYS_bind, fd, &address, sizeof(address));
	fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK, 0);
	address.svm_port = 9999;
	address.svm_cid = 3;
	syscall(SYS_connect, fd, &address, sizeof(address));
	return 0;
}
