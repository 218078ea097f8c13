/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits ptrace with its target in the initial pid namespace: a caller in another one names it by a pid of its own. */
#ifndef RINGSIDE_TRACEE_H
#define RINGSIDE_TRACEE_H

/* The tracees of one thread that are looked at: debuggers and sandboxes have a few, strace -f as many as it follows. */
enum { TRACEES_MAX = 128, UNKNOWN_PID = -1 };

/* include/uapi/linux/ptrace.h */
enum { PTRACE_TRACEME = 0, PTRACE_ATTACH = 16, PTRACE_SEIZE = 0x4206 };

/* The pid of a task in the namespace of the caller, at `level`; 0 if it is in no namespace below that. */
static __always_inline __s32 pid_at_level(struct task_struct *task, __u32 level)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct upid *numbers;

	if (level > BPF_CORE_READ(pid, level))
		return 0;
	numbers = __builtin_preserve_access_index(&pid->numbers[0]);
	return BPF_CORE_READ((struct upid *)((void *)numbers + level * bpf_core_type_size(struct upid)), nr);
}

/* The tracee that the caller knows as `wanted`. Global, so that the verifier checks it once. */
__noinline __s32 find_tracee(__s32 wanted)
{
	struct task_struct *task = bpf_get_current_task_btf(), *tracee;
	__u32 level = BPF_CORE_READ(task, thread_pid, level);
	struct list_head *entry = BPF_CORE_READ(task, ptraced.next);

	if (!level)
		return wanted;
	for (int i = 0; i < TRACEES_MAX; i++) {
		if (entry == __builtin_preserve_access_index(&task->ptraced))
			break;
		tracee = (void *)entry - bpf_core_field_offset(struct task_struct, ptrace_entry);
		if (pid_at_level(tracee, level) == wanted)
			return BPF_CORE_READ(tracee, pid);
		entry = BPF_CORE_READ(entry, next);
	}
	return UNKNOWN_PID;
}

/* At enter: a request may end the tracing of its target. */
static __always_inline void save_tracee(struct task_state *state)
{
	state->target = find_tracee(state->args[1]);
}

static __always_inline __s32 target_of(const struct call_exit *exit)
{
	__u64 request = exit->state->args[0];

	if (request == PTRACE_TRACEME)
		return exit->task->pid;
	if ((request == PTRACE_ATTACH || request == PTRACE_SEIZE) && exit->ret == 0)
		return find_tracee(exit->state->args[1]);
	return exit->state->target;
}

static __always_inline void exit_ptrace(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit);

	if (!event)
		return;
	event->arg = exit->state->args[0];
	event->target = exit->state->args[1];
	event->reference = target_of(exit);
	submit_with_stack(event, exit->stack_bytes);
}

#endif
