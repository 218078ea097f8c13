/* Prints the bucket of each value on stdin, one per line. */
#include <stdio.h>

#include "../../../bpf/log_linear.h"

int main(void)
{
	unsigned long long value;

	while (scanf("%llu", &value) == 1)
		printf("%u\n", bucket_of(value));
	return 0;
}
