/* Maps of the reference's programs, shared with their loader. */
#ifndef LATENCY_REFERENCE_H
#define LATENCY_REFERENCE_H

enum { CALL_ACCEPT4, CALL_CONNECT, CALL_READ, CALL_WRITE, CALLS };

/* 512 equal steps to each doubling, up to 2^40 ns (18 minutes): 0.1 % to 0.2 % wide. Below 1024 ns a step is 1 ns. */
enum { STEP_BITS = 9, STEPS = 1 << STEP_BITS, DOUBLINGS = 40 - STEP_BITS, BUCKETS = (DOUBLINGS + 2) * STEPS };

struct measured {
	unsigned long long count;
	unsigned long long total_ns;
	unsigned long long gap_ns;	/* from one program of a tracepoint to the next, sum over the calls */
	unsigned long long buckets[BUCKETS];
};

struct reference {
	int pid;	/* whose calls: 0 while nobody's */
	int numbers[CALLS];
	struct measured calls[CALLS];
};

#endif
