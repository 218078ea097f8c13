/* An io_uring by raw system calls: submits one request at a time and waits for its completion. */
#ifndef URING_QUEUE_H
#define URING_QUEUE_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct io_uring_sqe *entries;
static struct io_uring_cqe *completions;
static unsigned *tail, *mask, *array, *done_head, *done_mask;
static int ring;

/* False without io_uring. */
static bool open_queue(void)
{
	struct io_uring_params parameters = {};
	char *queue;

	ring = syscall(SYS_io_uring_setup, 32, &parameters);
	if (ring < 0)
		return false;
	queue = mmap(NULL, parameters.cq_off.cqes + parameters.cq_entries * sizeof(*completions),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, parameters.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (queue == MAP_FAILED || entries == MAP_FAILED)
		_exit(1);
	tail = (unsigned *)(queue + parameters.sq_off.tail);
	mask = (unsigned *)(queue + parameters.sq_off.ring_mask);
	array = (unsigned *)(queue + parameters.sq_off.array);
	done_head = (unsigned *)(queue + parameters.cq_off.head);
	done_mask = (unsigned *)(queue + parameters.cq_off.ring_mask);
	completions = (struct io_uring_cqe *)(queue + parameters.cq_off.cqes);
	return true;
}

/* Returns the result of the request. */
static int submit(struct io_uring_sqe entry)
{
	unsigned at = *tail & *mask;
	int result;

	entries[at] = entry;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		_exit(1);
	result = completions[*done_head & *done_mask].res;
	__atomic_store_n(done_head, *done_head + 1, __ATOMIC_RELEASE);
	return result;
}

#endif
