/* Forks argv[1] children in sequence; child i exits with i modulo 256, after running one thread, or executes argv[2] if it
 * is given. Finally forks a child that kills itself with SIGKILL. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *unused)
{
	return unused;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;
	pthread_t thread;

	for (int i = 0; i <= count; i++) {
		pid_t child = fork();

		if (child == 0 && i == count)
			raise(SIGKILL);
		if (child == 0 && argc > 2)
			execl(argv[2], argv[2], NULL);
		if (child == 0) {
			pthread_create(&thread, NULL, nothing, NULL);
			pthread_join(thread, NULL);
			_exit(i);
		}
		waitpid(child, NULL, 0);
	}
	return 0;
}
