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

/* `room` for the path is a constant, a power of two, and more than `bytes` of it; behind it is room for NAME_BYTES. */
static __always_inline void submit_with_names(struct ringside_event *event, __u32 room, const char *path, __u32 bytes,
					      const char *more)
{
	long more_bytes = 0;

	bytes &= room - 1;
	barrier_var(bytes); /* clang 14 drops the mask, and the verifier then sees no bound */
	bytes &= room - 1;
	bpf_probe_read_kernel(event->path, bytes, path);
	if (more)
		more_bytes = bpf_probe_read_kernel_str(event->path + bytes, NAME_BYTES, more);
	set_sizes(event, bytes, length_of(more_bytes));
	submit_event(event);
}

static __always_inline void tell_exec(struct task_struct *task, struct file *file)
{
	const char *container = find_container(task);
	const __u32 first = 0;
	struct path_walk *walk = bpf_map_lookup_elem(&path_walks, &first);
	struct ringside_event *event;
	__u32 begin, bytes, room;
	bool is_whole;

	if (!walk)
		return;
	is_whole = read_file_path(walk, file);
	begin = walk->begin & (RINGSIDE_PATH_MAX - 1);
	bytes = RINGSIDE_PATH_MAX - begin;
	room = sizeof(*event) + NAME_BYTES;
	if (bytes < RINGSIDE_PATH_SHORT)
		event = reserve_event(RINGSIDE_KIND_EXEC, RINGSIDE_CLASS_PROCESS, room + RINGSIDE_PATH_SHORT);
	else
		event = reserve_event(RINGSIDE_KIND_EXEC, RINGSIDE_CLASS_PROCESS, room + RINGSIDE_PATH_MAX);
	if (!event)
		return;
	event->time_ns = bpf_ktime_get_ns();
	write_task(event, task);
	if (!is_whole)
		event->flags |= RINGSIDE_PATH_TRUNCATED;
	if (bytes < RINGSIDE_PATH_SHORT)
		submit_with_names(event, RINGSIDE_PATH_SHORT, walk->text + begin, bytes, container);
	else
		submit_with_names(event, RINGSIDE_PATH_MAX, walk->text + begin, bytes, container);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
	struct task_state *state = state_of(task);
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
	if (is_observed(task, state))
		tell_exec(task, bprm->file);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_state *state;
	struct ringside_event *event;
	const char *container;

	if (child->pid != child->tgid || (child->flags & PF_KTHREAD))
		return 0;
	state = state_of(parent);
	if (!state || !is_observed(parent, state))
		return 0;
	container = find_container(child);
	if (container)
		event = reserve_event(RINGSIDE_KIND_FORK, RINGSIDE_CLASS_PROCESS, sizeof(*event) + NAME_BYTES);
	else
		event = reserve_event(RINGSIDE_KIND_FORK, RINGSIDE_CLASS_PROCESS, sizeof(*event));
	if (!event)
		return 0;
	event->time_ns = bpf_ktime_get_ns();
	write_task(event, child);
	if (container)
		set_sizes(event, 0, length_of(bpf_probe_read_kernel_str(event->path, NAME_BYTES, container)));
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
