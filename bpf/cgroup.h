/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The name of the cgroup that may contain a container's id. */
#ifndef RINGSIDE_CGROUP_H
#define RINGSIDE_CGROUP_H

enum {
	CGROUP_DEPTH = 8,	/* levels searched from a process's cgroup upwards; a container is typically 0 or 1 above */
	CONTAINER_ID_BYTES = 64,
};

/* the first name, from a cgroup upwards, that is long enough for a container's id */
static __always_inline const char *find_long_name(struct cgroup *cgroup)
{
	char beginning[CONTAINER_ID_BYTES + 1];

	for (int level = 0; level < CGROUP_DEPTH && cgroup; level++) {
		const char *name = BPF_CORE_READ(cgroup, kn, name);

		if (bpf_probe_read_kernel_str(beginning, sizeof(beginning), name) == sizeof(beginning))
			return name;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return 0;
}

/* Container engines create a cgroup per container in the default hierarchy (v2), or in each hierarchy of v1. */
static __always_inline const char *find_container_cgroup(struct task_struct *task)
{
	struct css_set *sets = BPF_CORE_READ(task, cgroups);
	struct cgroup *cgroup = BPF_CORE_READ(sets, dfl_cgrp);
	struct cgroup_root *root = BPF_CORE_READ(cgroup, root);
	struct cgroup_subsys_state *state = 0;
	const char *name = find_long_name(cgroup);
	__u32 id;

	if (name)
		return name;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	else if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		id = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	else
		return 0;
	bpf_probe_read_kernel(&state, sizeof(state),
			      (void *)sets + bpf_core_field_offset(struct css_set, subsys) + id * sizeof(state));
	cgroup = BPF_CORE_READ(state, cgroup);
	return BPF_CORE_READ(cgroup, root) == root ? 0 : find_long_name(cgroup);
}

#endif
