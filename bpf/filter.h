/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Task filter. The verdict is cached per task: a filtered task costs two look-ups. */
#ifndef RINGSIDE_FILTER_H
#define RINGSIDE_FILTER_H

/* any level matches: containers and services put their processes below the cgroup that users name */
static __noinline bool is_in_selected_cgroup(void)
{
	for (int level = 0; level < 32; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (!id)
			return false;
		if (bpf_map_lookup_elem(&filter_cgroups, &id))
			return true;
	}
	return false;
}

static __always_inline bool is_process(struct task_struct *task, __u32 tgid, __u64 start_ns)
{
	return (__u32)task->tgid == tgid && task->group_leader->start_boottime == start_ns;
}

/* By pid and start: a process that gets the pid of a dead edge is observed. */
static __always_inline bool is_family(struct task_struct *task)
{
	if (is_process(task, config.self_tgid, config.self_start_ns))
		return true;
	return config.family_tgid && (is_process(task, config.family_tgid, config.family_start_ns) ||
				      is_process(task->real_parent, config.family_tgid, config.family_start_ns));
}

/* A number in the filter names the process that has it then, or gets it first: a later process with the number does not
 * pass. */
static __always_inline bool is_in_selected_process(struct task_struct *task)
{
	__u64 start_ns = task->group_leader->start_boottime;
	__u32 tgid = task->tgid;
	__u64 *selected = bpf_map_lookup_elem(&filter_pids, &tgid);

	if (!selected)
		return false;
	/* every process passes here at its end, if it did nothing before */
	if (!*selected)
		*selected = start_ns;
	return *selected == start_ns;
}

/* task is current */
static __always_inline bool passes_filters(struct task_struct *task)
{
	__u32 filters = config.filters;
	char comm[RINGSIDE_COMM_SIZE] = {};

	if ((filters & RINGSIDE_FILTER_REJECT_ALL) || is_family(task))
		return false;
	if ((filters & RINGSIDE_FILTER_PIDS) && !is_in_selected_process(task))
		return false;
	if (filters & RINGSIDE_FILTER_COMMS) {
		bpf_get_current_comm(comm, sizeof(comm));
		if (!bpf_map_lookup_elem(&filter_comms, comm))
			return false;
	}
	return !(filters & RINGSIDE_FILTER_CGROUPS) || is_in_selected_cgroup();
}

/* task is current; a change of filters, name or cgroup expires the verdict */
static __always_inline bool is_observed(struct task_struct *task, struct task_state *state)
{
	__u64 css_set = (__u64)task->cgroups;

	if (state->generation != config.generation || state->css_set != css_set) {
		state->generation = config.generation;
		state->css_set = css_set;
		state->observed = passes_filters(task);
	}
	return state->observed;
}

/* NULL without memory; the call is then counted as untracked */
static __always_inline struct task_state *state_of(struct task_struct *task)
{
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		__sync_fetch_and_add(&own_counters()->untracked, 1);
	return state;
}

SEC("tp_btf/task_rename")
int BPF_PROG(task_rename, struct task_struct *task)
{
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);

	if (state)
		state->generation = 0;
	return 0;
}

struct identify_request {
	__u32 family; /* not 0: do not observe the caller's parent and the parent's children either */
};

/* User space runs it once: in a pid namespace, getpid() is not the kernel's tgid. */
SEC("syscall")
int identify(struct identify_request *request)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	config.self_tgid = BPF_CORE_READ(task, tgid);
	config.self_start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	config.family_tgid = request->family ? BPF_CORE_READ(task, real_parent, tgid) : 0;
	config.family_start_ns = BPF_CORE_READ(task, real_parent, group_leader, start_boottime);
	return 0;
}

#endif
