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

/* The contents of an exec record. */
struct exec_details {
	struct subject subject;
	const char *path;
	const char *cgroup;
	__u32 path_bytes;
	bool is_whole;
};

/* `room` for the path is a constant power of two above path_bytes; NAME_BYTES for the cgroup's name follow it. Each room
 * has its own branch: Linux 6.1 loses the bounds of a 32-bit number that is spilled to the stack. */
static __always_inline void submit_exec(const struct exec_details *details, __u32 room)
{
	struct ringside_event *event = reserve_event(RINGSIDE_KIND_EXEC, RINGSIDE_CLASS_PROCESS,
						     sizeof(*event) + room + NAME_BYTES);
	__u32 bytes = details->path_bytes;
	long extra_bytes = 0;

	if (!event)
		return;
	event->time_ns = bpf_ktime_get_ns();
	write_subject(event, &details->subject);
	if (!details->is_whole)
		event->flags |= RINGSIDE_PATH_TRUNCATED;
	bytes &= room - 1;
	barrier_var(bytes); /* clang 14 removes the mask that the verifier needs */
	bytes &= room - 1;
	bpf_probe_read_kernel(event->path, bytes, details->path);
	if (details->cgroup)
		extra_bytes = bpf_probe_read_kernel_str(event->path + bytes, NAME_BYTES, details->cgroup);
	set_sizes(event, bytes, length_of(extra_bytes));
	submit_event(event);
}

static __always_inline void record_exec(struct task_struct *task, struct file *file)
{
	struct exec_details details = { .cgroup = find_container_cgroup(task) };
	struct path_walk *walk = own_walk();
	__u32 begin;

	if (!walk)
		return;
	details.is_whole = read_file_path(walk, file);
	begin = walk->begin & (RINGSIDE_PATH_MAX - 1);
	details.path = walk->text + begin;
	details.path_bytes = RINGSIDE_PATH_MAX - begin;
	describe(&details.subject, task);
	if (details.path_bytes < RINGSIDE_PATH_SHORT)
		submit_exec(&details, RINGSIDE_PATH_SHORT);
	else
		submit_exec(&details, RINGSIDE_PATH_MAX);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
	struct task_state *state = state_of(task);
	struct exec_state *exec;
	long bytes;

	if (config.go_functions)
		unmark_go(task->tgid);
	if (!state)
		return 0;
	/* the path was unreadable at enter, and the new program's memory does not contain it */
	exec = bpf_task_storage_get(&execs, task, 0, 0);
	if (exec && exec->path_bytes <= 1) {
		bytes = bpf_probe_read_kernel_str(exec->path, sizeof(exec->path), bprm->filename);
		exec->path_bytes = bytes > 0 ? bytes : 0;
	}
	if (is_observed(task, state))
		record_exec(task, bprm->file);
	return 0;
}

/* `room` for the cgroup's name is a constant: NAME_BYTES or 0. */
static __always_inline void submit_fork(struct task_struct *child, const char *cgroup, __u32 room)
{
	struct ringside_event *event =
		reserve_event(RINGSIDE_KIND_FORK, RINGSIDE_CLASS_PROCESS, sizeof(*event) + room);

	if (!event)
		return;
	event->time_ns = bpf_ktime_get_ns();
	write_task(event, child);
	if (room)
		set_sizes(event, 0, length_of(bpf_probe_read_kernel_str(event->path, room, cgroup)));
	submit_event(event);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_state *state;
	const char *cgroup;

	if (child->pid != child->tgid || (child->flags & PF_KTHREAD))
		return 0;
	state = state_of(parent);
	if (!state || !is_observed(parent, state))
		return 0;
	cgroup = find_container_cgroup(child);
	if (cgroup)
		submit_fork(child, cgroup, NAME_BYTES);
	else
		submit_fork(child, 0, 0);
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
