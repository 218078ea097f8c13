/* Calls through the 32-bit entry of a 64-bit kernel, where the numbers mean other calls: 3 is read there, close here.
 * Exits with 2 where the kernel has no such entry. */
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
#ifdef __x86_64__
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20) : "memory", "r8", "r9", "r10", "r11"); /* getpid */
	if (ret != getpid())
		return 2;
	/* read, write, close, pipe, geteuid there; close, stat, lstat, connect, bind here */
	const long numbers[] = { 3, 4, 6, 42, 49 };
	for (int i = 0; i < 5; i++)
		__asm__ volatile("int $0x80"
				 : "=a"(ret)
				 : "a"(numbers[i]), "b"(-1L), "c"(0L), "d"(0L)
				 : "memory", "r8", "r9", "r10", "r11");
	return 0;
#else
	return 2;
#endif
}
