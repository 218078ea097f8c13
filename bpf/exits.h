/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits a system call at its exit: the record that all calls share, and the handlers of calls with paths, of ptrace, of
 * exec, and of calls without arguments in their record. */
#ifndef RINGSIDE_EXITS_H
#define RINGSIDE_EXITS_H

/* Input of all handlers. It includes the subject, described before they diverge: each walk from the task costs the
 * verifier a search of the kernel's types, on every path that leads to it. */
struct call_exit {
	struct task_struct *task;
	struct task_state *state;
	struct subject subject;
	__u64 now;
	__s64 ret;
	__u32 stack_bytes;	/* of own_stack(); 0: no stack */
	__u8 call;
};

static __always_inline struct ringside_event *reserve_call(const struct call_exit *exit, __u64 bytes)
{
	struct ringside_event *event =
		reserve_event(RINGSIDE_KIND_SYSCALL, class_of(exit->call), bytes);

	if (!event)
		return 0;
	event->call = exit->call ?: RINGSIDE_CALL_OTHER;
	event->nr = exit->state->nr;
	if (exit->state->abi == RINGSIDE_ABI_COMPAT)
		event->flags = RINGSIDE_IS_COMPAT;
	event->time_ns = exit->now;
	event->duration_ns = exit->now - exit->state->enter_ns;
	event->ret = exit->ret;
	write_subject(event, &exit->subject);
	return event;
}

static __always_inline __u32 read_open_flags(const struct call_exit *exit)
{
	const __u64 *args = exit->state->args;
	__u64 flags = 0;

	if (exit->call == RINGSIDE_CALL_OPEN)
		return args[1];
	if (exit->call == RINGSIDE_CALL_OPENAT)
		return args[2];
	/* the first field of struct open_how */
	bpf_probe_read_user(&flags, sizeof(flags), (void *)args[2]);
	return flags;
}

/* open* and unlink* */
static __always_inline void exit_path(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + RINGSIDE_PATH_SHORT);
	__u64 path = exit->state->args[1];

	if (!event)
		return;
	if (exit->call == RINGSIDE_CALL_OPEN || exit->call == RINGSIDE_CALL_UNLINK)
		path = exit->state->args[0];
	else
		event->fd = exit->state->args[0];
	if (exit->call != RINGSIDE_CALL_UNLINK && exit->call != RINGSIDE_CALL_UNLINKAT)
		event->arg = read_open_flags(exit);
	submit_with_path(event, (const char *)path, true, exit->stack_bytes);
}

static __always_inline void exit_rename(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + 2 * RINGSIDE_PATH_SHORT);
	const __u64 *args = exit->state->args;
	__u64 from = args[1], to = args[3];

	if (!event)
		return;
	if (exit->call == RINGSIDE_CALL_RENAME) {
		from = args[0];
		to = args[1];
	} else {
		event->fd = args[0];
	}
	submit_with_paths(event, (const char *)from, (const char *)to, true, exit->stack_bytes);
}

static __always_inline void exit_ptrace(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event));

	if (!event)
		return;
	event->arg = exit->state->args[0];
	event->target = exit->state->args[1];
	submit_with_stack(event, 0, exit->stack_bytes);
}

static __always_inline void exit_exec(const struct call_exit *exit)
{
	struct exec_state *exec = bpf_task_storage_get(&execs, exit->task, 0, 0);
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + RINGSIDE_PATH_SHORT);
	__u64 path = exit->state->args[0];

	if (exit->call == RINGSIDE_CALL_EXECVEAT)
		path = exit->state->args[1];
	if (event && exit->call == RINGSIDE_CALL_EXECVEAT)
		event->fd = exit->state->args[0];
	if (event && exec) {
		write_subject(event, &exec->subject);
		if (exec->path_bytes > 1)
			submit_with_path(event, exec->path, false, exit->stack_bytes);
		else
			submit_with_path(event, (const char *)path, true, exit->stack_bytes);
	} else if (event) {
		submit_with_stack(event, RINGSIDE_PATH_SHORT, exit->stack_bytes);
	}
	bpf_task_storage_delete(&execs, exit->task);
}

/* A call without arguments in its record. */
static __always_inline void exit_other(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event));

	if (event)
		submit_with_stack(event, 0, exit->stack_bytes);
}

#endif
