/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps a call number to its ringside_call, its class, and the mode that user space chose for it. */
#ifndef RINGSIDE_CALLS_H
#define RINGSIDE_CALLS_H

const __u8 class_of_call[RINGSIDE_CALL_MASK + 1] = {
	[RINGSIDE_CALL_OPEN] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_OPENAT] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_OPENAT2] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_UNLINK] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_UNLINKAT] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_RENAME] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_RENAMEAT] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_RENAMEAT2] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_CREAT] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_OPEN_BY_HANDLE_AT] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_LINK] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_LINKAT] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_SYMLINK] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_SYMLINKAT] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_TRUNCATE] = RINGSIDE_CLASS_FILE,
	[RINGSIDE_CALL_MOUNT] = RINGSIDE_CLASS_PROCESS,
	[RINGSIDE_CALL_MEMFD_CREATE] = RINGSIDE_CLASS_PROCESS,
	[RINGSIDE_CALL_SOCKET] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_CONNECT] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_ACCEPT] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_ACCEPT4] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_BIND] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_LISTEN] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_SENDTO] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_SENDMSG] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_SENDMMSG] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_DUP2] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_DUP3] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_DUP] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_FCNTL] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_CLOSE] = RINGSIDE_CLASS_NETWORK,
	[RINGSIDE_CALL_EXECVE] = RINGSIDE_CLASS_PROCESS,
	[RINGSIDE_CALL_EXECVEAT] = RINGSIDE_CLASS_PROCESS,
	[RINGSIDE_CALL_PTRACE] = RINGSIDE_CLASS_PROCESS,
	[RINGSIDE_CALL_READ] = RINGSIDE_CLASS_IO,
	[RINGSIDE_CALL_WRITE] = RINGSIDE_CLASS_IO,
	[RINGSIDE_CALL_RECVFROM] = RINGSIDE_CLASS_IO,
	[RINGSIDE_CALL_RECVMSG] = RINGSIDE_CLASS_IO,
	[RINGSIDE_CALL_RECVMMSG] = RINGSIDE_CLASS_IO,
	[RINGSIDE_CALL_NONE] = RINGSIDE_CLASS_IO,
	[RINGSIDE_CALL_OTHER] = RINGSIDE_CLASS_IO,
};

/* A call number of one ABI, with its entries in the configuration. */
struct known_call {
	__u16 nr;
	__u8 abi;
	__u8 call;	/* entry of config.call_of */
	__u8 mode;
	__u8 activation;
};

static __always_inline __u8 class_of(__u8 call)
{
	/* The verifier does not know the table's values, and Linux 5.15 also follows dead branches: call needs a mask
	 * that the compiler cannot remove. */
	barrier_var(call);
	return class_of_call[call & RINGSIDE_CALL_MASK] & (RINGSIDE_CLASS_COUNT - 1);
}

static __always_inline void look_up(struct known_call *known, __u8 abi, __u16 nr)
{
	__u32 at = abi * RINGSIDE_NR_MAX + nr;

	barrier_var(at); /* keeps the compiler from removing the mask that the verifier needs */
	at &= RINGSIDE_ABI_COUNT * RINGSIDE_NR_MAX - 1;
	known->nr = nr;
	known->abi = abi;
	known->call = config.call_of[0][at];
	known->mode = config.mode_of[0][at] & RINGSIDE_MODE_MASK;
	known->activation = config.mode_of[0][at] / RINGSIDE_MODE_ACTIVATION;
}

/* task is current; a number beyond the table has mode OFF */
static __always_inline struct known_call find_call(struct task_struct *task, __u64 number)
{
	__u8 abi = is_compat(task) ? RINGSIDE_ABI_COMPAT : RINGSIDE_ABI_NATIVE;
	struct known_call known = { .abi = abi };

	number = number_in_table(number);
	if (number < RINGSIDE_NR_URING)
		look_up(&known, abi, number);
	return known;
}

#endif
