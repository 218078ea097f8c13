/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The life of processes: exec, fork, exit. Threads and kernel threads are not told of. */
#ifndef RINGSIDE_PROCESS_H
#define RINGSIDE_PROCESS_H

static __always_inline void write_task(struct ringside_event *event, struct task_struct *task)
{
	struct subject subject;

	describe(&subject, task);
	write_subject(event, &subject);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
	struct task_state *state = state_of(task);
	struct ringside_event *event;
	struct exec_state *exec;
	long bytes;

	if (!state)
		return 0;
	/* the path was not readable at enter, and is not in the new program's memory */
	exec = bpf_task_storage_get(&execs, task, 0, 0);
	if (exec && exec->path_bytes <= 1) {
		bytes = bpf_probe_read_kernel_str(exec->path, sizeof(exec->path), bprm->filename);
		exec->path_bytes = bytes > 0 ? bytes : 0;
	}
	if (!is_observed(task, state))
		return 0;
	event = reserve_event(RINGSIDE_KIND_EXEC, RINGSIDE_CLASS_PROCESS, sizeof(*event) + RINGSIDE_PATH_SHORT);
	if (!event)
		return 0;
	event->time_ns = bpf_ktime_get_ns();
	write_task(event, task);
	submit_with_path(event, bprm->filename, false);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_state *state;
	struct ringside_event *event;

	if (child->pid != child->tgid || (child->flags & PF_KTHREAD))
		return 0;
	state = state_of(parent);
	if (!state || !is_observed(parent, state))
		return 0;
	event = reserve_event(RINGSIDE_KIND_FORK, RINGSIDE_CLASS_PROCESS, sizeof(*event));
	if (!event)
		return 0;
	event->time_ns = bpf_ktime_get_ns();
	write_task(event, child);
	submit_event(event);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct signal_struct *signal = task->signal;
	struct task_state *state, *process;
	struct ringside_event *event;

	if (signal->live.counter || (task->flags & PF_KTHREAD))
		return 0;
	state = state_of(task);
	if (!state || !is_observed(task, state))
		return 0;
	/* two threads that end at once may both find nobody left */
	process = state_of(leader);
	if (!process || __sync_lock_test_and_set(&process->ended, 1))
		return 0;
	event = reserve_event(RINGSIDE_KIND_EXIT, RINGSIDE_CLASS_PROCESS, sizeof(*event));
	if (!event)
		return 0;
	event->time_ns = bpf_ktime_get_ns();
	event->duration_ns = event->time_ns - leader->start_time;
	event->ret = (signal->flags & SIGNAL_GROUP_EXIT) ? signal->group_exit_code : leader->exit_code;
	write_task(event, task);
	submit_event(event);
	return 0;
}

#endif
