/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Stacks of calls of Go processes, found by frame pointers, which Go's compiler always keeps. Only for processes that
 * user space marked: no other process pays for it. */
#ifndef RINGSIDE_STACK_H
#define RINGSIDE_STACK_H

struct stack_walk {
	__u64 addresses[RINGSIDE_STACK_MAX];
};

/* One entry per CPU is enough: the programs that use it run with preemption disabled, never in an interrupt, and never
 * nested. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_walk);
} stack_walks SEC(".maps");

static __always_inline struct stack_walk *own_stack(void)
{
	const __u32 first = 0;

	return bpf_map_lookup_elem(&stack_walks, &first);
}

static __always_inline struct ringside_go_process *go_slot(__u32 pid, __u32 way)
{
	return &config.go[((pid & (RINGSIDE_GO_SETS - 1)) * RINGSIDE_GO_WAYS + way) & (RINGSIDE_GO_MAX - 1)];
}

/* Programs and user space take slots side by side. */
static __always_inline bool take_go_slot(struct ringside_go_process *slot)
{
	return !slot->pid && !__sync_val_compare_and_swap(&slot->pid, 0, RINGSIDE_GO_TAKEN);
}

/* Marks a child, which runs the program of its marked creator until its exec. */
static __always_inline void mark_go(__u32 pid, __u64 start_ns, __u32 exec_id)
{
#pragma clang loop unroll(full)
	for (__u32 way = 0; way < RINGSIDE_GO_WAYS; way++) {
		struct ringside_go_process *slot = go_slot(pid, way);

		if (!take_go_slot(slot))
			continue;
		slot->start_ns = start_ns;
		slot->exec_id = exec_id;
		/* a full barrier: a reader of pid sees the other fields */
		__sync_lock_test_and_set(&slot->pid, pid);
		return;
	}
}

static __always_inline bool is_go(const struct subject *subject)
{
#pragma clang loop unroll(full)
	for (__u32 way = 0; way < RINGSIDE_GO_WAYS; way++) {
		const struct ringside_go_process *slot = go_slot(subject->pid, way);

		if (slot->pid == subject->pid && slot->start_ns == subject->start_ns &&
		    slot->exec_id == subject->exec_id)
			return true;
	}
	return false;
}

/* At exec and exit: frees the slot for others. */
static __always_inline void unmark_go(__u32 pid)
{
#pragma clang loop unroll(full)
	for (__u32 way = 0; way < RINGSIDE_GO_WAYS; way++)
		__sync_val_compare_and_swap(&go_slot(pid, way)->pid, pid, 0);
}

/* The two words at a frame pointer. */
struct frame {
	__u64 caller;
	__u64 address;
};

/* Writes the current thread's addresses to own_stack() and returns their number. Frame pointers need not increase: Go
 * switches stacks. Global, so that the verifier checks it once instead of on each path that leads here. */
__noinline int walk_stack(__u64 ip, __u64 sp, __u64 frame_pointer)
{
	struct stack_walk *walk = own_stack();
	struct frame frame = { .caller = frame_pointer };
	int count = 2;

	if (!walk)
		return 0;
	walk->addresses[0] = ip;
	walk->addresses[1] = 0;
	bpf_probe_read_user(&walk->addresses[1], sizeof(__u64), (void *)sp);
#pragma clang loop unroll(full)
	for (int i = 2; i < RINGSIDE_STACK_MAX; i++) {
		if (!frame.caller || bpf_probe_read_user(&frame, sizeof(frame), (void *)frame.caller) || !frame.address)
			break;
		walk->addresses[i] = frame.address;
		count = i + 1;
	}
	return count;
}

/* Fills own_stack() and returns its bytes; 0 for a process that is not marked. */
static __always_inline __u32 find_stack(struct pt_regs *regs, const struct subject *subject)
{
	struct user_registers registers;

	if (!config.go_functions || !is_go(subject) || !read_user_registers(&registers, regs))
		return 0;
	return (__u32)walk_stack(registers.ip, registers.sp, registers.frame_pointer) * sizeof(__u64);
}

/* Keeps own_stack() until it is needed again. */
static __always_inline void copy_stack(struct stack_walk *to, const struct stack_walk *from)
{
	if (to && from)
		__builtin_memcpy(to, from, sizeof(*to));
}

/* Appends own_stack() to a record without strings that has room for RINGSIDE_STACK_BYTES. */
static __always_inline void append_stack(struct ringside_event *event, __u32 stack_bytes)
{
	struct stack_walk *walk = own_stack();
	__u64 bytes = stack_bytes;

	barrier_var(bytes); /* the compiler may test one copy and use another, for which the verifier has no bound */
	if (!walk || bytes > RINGSIDE_STACK_BYTES)
		return;
	if (bpf_probe_read_kernel(event->path, bytes, walk->addresses))
		return;
	event->flags |= RINGSIDE_HAS_STACK;
	event->size += stack_bytes;
}

#endif
