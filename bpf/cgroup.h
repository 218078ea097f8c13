/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The path of a task's cgroup, from which user space reads the container's id. */
#ifndef RINGSIDE_CGROUP_H
#define RINGSIDE_CGROUP_H

enum { CGROUP_DEPTH = 32 };	/* levels from a process's cgroup to the root; typically below 8 */

/* Prepends one cgroup's name and moves to its parent; false at the root. Global: verified once. */
__noinline bool step_up_cgroup(__u32 index)
{
	struct path_walk *walk = own_walk(index);
	const char slash = '/';
	struct cgroup *cgroup, *parent;
	long bytes;

	if (!walk)
		return false;
	cgroup = walk->cgroup;
	parent = BPF_CORE_READ(cgroup, self.parent, cgroup);
	if (!parent)
		return false;
	bytes = bpf_probe_read_kernel_str(walk->name, sizeof(walk->name), BPF_CORE_READ(cgroup, kn, name));
	if (bytes <= 1 || !prepend(walk, walk->name, bytes - 1) || !prepend(walk, &slash, 1))
		return false;
	walk->cgroup = parent;
	return true;
}

static __always_inline void prepend_cgroup(struct path_walk *walk, __u32 index, struct cgroup *cgroup)
{
	walk->cgroup = cgroup;
	for (int depth = 0; depth < CGROUP_DEPTH; depth++) {
		if (!step_up_cgroup(index))
			break;
	}
}

/* The cgroup in v1's hierarchy of the memory controller, or of pids without it; NULL on hosts with v2 alone. */
static __always_inline struct cgroup *legacy_cgroup(struct css_set *sets, struct cgroup *unified)
{
	struct cgroup_subsys_state *state = 0;
	struct cgroup *cgroup;
	__u32 id;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	else if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		id = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	else
		return 0;
	bpf_probe_read_kernel(&state, sizeof(state),
			      (void *)sets + bpf_core_field_offset(struct css_set, subsys) + id * sizeof(state));
	cgroup = BPF_CORE_READ(state, cgroup);
	return BPF_CORE_READ(cgroup, root) == BPF_CORE_READ(unified, root) ? 0 : cgroup;
}

/* The path in the default hierarchy (v2), and behind a newline that in v1's; empty for the roots of both. */
static __always_inline struct text read_cgroup_path(__u32 index, struct task_struct *task)
{
	struct path_walk *walk = own_walk(index);
	struct css_set *sets = BPF_CORE_READ(task, cgroups);
	struct cgroup *unified = BPF_CORE_READ(sets, dfl_cgrp);
	struct cgroup *legacy = legacy_cgroup(sets, unified);
	struct text none = {};
	const char newline = '\n';

	if (!walk)
		return none;
	walk->is_deleted = false;
	walk->begin = walk->end = RINGSIDE_PATH_MAX;
	if (legacy)
		prepend_cgroup(walk, index, legacy);
	if (walk->begin < RINGSIDE_PATH_MAX)
		prepend(walk, &newline, 1);
	prepend_cgroup(walk, index, unified);
	return text_of(walk, true);
}

#endif
