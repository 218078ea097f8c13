/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits exec, fork and exit of processes; not of threads, nor of kernel threads. */
#ifndef RINGSIDE_PROCESS_H
#define RINGSIDE_PROCESS_H

static __always_inline void write_task(struct ringside_event *event, struct task_struct *task)
{
	struct subject subject;

	describe(&subject, task);
	write_subject(event, &subject);
}

static __always_inline void emit_exec(struct task_struct *task, struct file *file)
{
	struct ringside_event *draft = begin_draft(RINGSIDE_KIND_EXEC, RINGSIDE_CLASS_PROCESS);
	struct text text;

	if (!draft)
		return;
	draft->time_ns = bpf_ktime_get_ns();
	write_task(draft, task);
	text = read_file_path(WALK_PATH, file);
	append_text(draft, &text, false);
	text = read_cgroup_path(WALK_EXTRA, task);
	append_text(draft, &text, true);
	submit_process_draft(draft, 0);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
	struct task_state *state = state_of(task);
	struct exec_state *exec;
	struct text path;

	if (config.go_functions)
		unmark_go(task->tgid);
	if (!state)
		return 0;
	/* the path was unreadable at enter, and the new program's memory does not contain it */
	exec = bpf_task_storage_get(&execs, task, 0, 0);
	if (exec && !exec->path_bytes) {
		path = read_path_argument(WALK_PATH, task, AT_FDCWD, bprm->filename, false);
		save_exec_path(exec, &path);
	}
	/* the groups of the previous program */
	__builtin_memset(state->groups, 0, sizeof(state->groups));
	if (is_observed(task, state))
		emit_exec(task, bprm->file);
	return 0;
}

/* Marks the child of a marked process, and fills own_stack() with the stack of the call that makes it. */
static __always_inline __u32 inherit_go(struct task_struct *creator, struct task_struct *child)
{
	struct subject subject;
	__u32 stack_bytes;

	if (!config.go_functions)
		return 0;
	describe(&subject, creator);
	stack_bytes = find_stack((struct pt_regs *)bpf_task_pt_regs(creator), &subject);
	if (stack_bytes)
		mark_go(child->tgid, child->group_leader->start_boottime, subject.exec_id);
	return stack_bytes;
}

/* The creator is the caller, which is not the parent for a child of clone(CLONE_PARENT). */
static __always_inline void emit_fork(struct task_struct *creator, struct task_struct *child)
{
	__u32 stack_bytes = inherit_go(creator, child);
	struct ringside_event *draft = begin_draft(RINGSIDE_KIND_FORK, RINGSIDE_CLASS_PROCESS);
	struct text cgroup;

	if (!draft)
		return;
	draft->time_ns = bpf_ktime_get_ns();
	draft->origin = creator->tgid;
	draft->origin_id = creator->group_leader->start_boottime;
	write_task(draft, child);
	cgroup = read_cgroup_path(WALK_EXTRA, child);
	append_text(draft, &cgroup, true);
	submit_process_draft(draft, stack_bytes);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *creator, struct task_struct *child)
{
	struct task_state *state;

	if (child->pid != child->tgid || (child->flags & PF_KTHREAD))
		return 0;
	state = state_of(creator);
	if (state && is_observed(creator, state)) {
		inherit_bound(creator, state, child);
		emit_fork(creator, child);
	}
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
	if (config.go_functions)
		unmark_go(task->tgid);
	state = state_of(task);
	if (!state || !is_observed(task, state))
		return 0;
	/* two threads that end at once may both be the last */
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
