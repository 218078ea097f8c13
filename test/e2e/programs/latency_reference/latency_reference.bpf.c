/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Measures each call of one process in the kernel. Shares no code with the programs that it is compared with.
 *
 * Programs of one tracepoint run in the order in which they were attached, and a program between two readings of the clock
 * adds to the difference. So that both measure nearly the same time, `left` is attached before Ringside's programs,
 * `entered` and `counted` after them: on enter, Ringside reads its clock last and `entered` follows; on exit, `left` reads
 * its clock last and Ringside follows. Ringside's time is then longer by twice the distance of two programs, about 90 ns,
 * which `before` measures.
 */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
/* include/uapi/linux/bpf.h */
enum { BPF_MAP_TYPE_TASK_STORAGE = 29, BPF_F_NO_PREALLOC = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };

#include "bpf_helpers.h"
#include "bpf_tracing.h"
#include "latency_reference.h"

struct pt_regs;
struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

struct call {
	__u64 enter_ns;
	__u64 before_ns;	/* when the program before `left` ended */
	__u64 exit_ns;
	__u64 gap_ns;	/* from before_ns to `left` */
	int which;	/* of CALLS, or -1 */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

struct reference reference;

static int find_call(long number)
{
	for (int which = 0; which < CALLS; which++)
		if (reference.numbers[which] == number)
			return which;
	return -1;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(entered, struct pt_regs *regs, long number)
{
	__u64 now = bpf_ktime_get_ns();
	struct task_struct *task = bpf_get_current_task_btf();
	struct call *call;

	if (!reference.pid || task->tgid != reference.pid)
		return 0;
	call = bpf_task_storage_get(&calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call)
		return 0;
	call->which = find_call(number);
	call->enter_ns = now;
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(before, struct pt_regs *regs, long ret)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);

	if (call)
		call->before_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(left, struct pt_regs *regs, long ret)
{
	__u64 first = bpf_ktime_get_ns();
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);

	if (!call)
		return 0;
	call->gap_ns = first - call->before_ns;
	call->exit_ns = bpf_ktime_get_ns();
	return 0;
}

static __u32 bucket_of(__u64 ns)
{
	__u32 doubling = 0;

	for (int i = 0; i < DOUBLINGS && ns >= 2 * STEPS; i++) {
		ns >>= 1;
		doubling++;
	}
	if (ns >= 2 * STEPS)
		ns = 2 * STEPS - 1;
	return doubling * STEPS + ns;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(counted, struct pt_regs *regs, long ret)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);
	struct measured *measured;
	__u32 which, bucket;
	__u64 ns;

	if (!call)
		return 0;
	which = call->which;
	call->which = -1;
	if (which >= CALLS)
		return 0;
	measured = &reference.calls[which];
	ns = call->exit_ns - call->enter_ns;
	bucket = bucket_of(ns);
	__sync_fetch_and_add(&measured->count, 1);
	__sync_fetch_and_add(&measured->total_ns, ns);
	__sync_fetch_and_add(&measured->gap_ns, call->gap_ns);
	if (bucket < BUCKETS)
		__sync_fetch_and_add(&measured->buckets[bucket], 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
