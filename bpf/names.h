/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names that the kernel keeps piece by piece: the path of a file within its mount namespace, as /proc/PID/exe
 * shows it, and the cgroup that may be a container's. */
#ifndef RINGSIDE_NAMES_H
#define RINGSIDE_NAMES_H

enum {
	PATH_DEPTH = 128,	/* folders and mounts that a path is followed through; typically below 20 */
	NAME_BYTES = 256,	/* NAME_MAX with its NUL: the longest name of a folder or a cgroup */
	CGROUP_DEPTH = 8,	/* levels from a process up to its container; typically none or one */
	CONTAINER_ID_BYTES = 64,
};

/* Puts a name of `bytes` before what there is; false when the path would be longer than a record can carry. */
static __always_inline bool prepend(struct path_walk *walk, const void *name, __u32 bytes)
{
	__u32 begin = walk->begin;

	bytes &= NAME_BYTES - 1;
	if (begin <= bytes)
		return false;
	begin -= bytes;
	barrier_var(begin); /* clang 14 drops the masks, and the verifier then sees no bound */
	begin &= RINGSIDE_PATH_MAX - 1;
	barrier_var(bytes);
	bytes &= NAME_BYTES - 1;
	bpf_probe_read_kernel(walk->text + begin, bytes, name);
	walk->begin = begin;
	return true;
}

static __always_inline bool prepend_component(struct path_walk *walk, struct dentry *dentry)
{
	const char slash = '/';

	return prepend(walk, BPF_CORE_READ(dentry, d_name.name), BPF_CORE_READ(dentry, d_name.len)) &&
	       prepend(walk, &slash, 1);
}

static __always_inline void prepend_deleted(struct path_walk *walk)
{
	const char deleted[] = " (deleted)";

	prepend(walk, deleted, sizeof(deleted) - 1);
}

static __always_inline struct path_walk *own_walk(void)
{
	const __u32 first = 0;

	return bpf_map_lookup_elem(&path_walks, &first);
}

/* One step from a folder to the one above it, through mounts; false at the root, and when there is no more room.
 * Global, so that it is verified once and not for each step; and a function, since of a long loop that the compiler
 * lays out to fall from its end into its beginning the verifiers of Linux 5.15 and 6.1 see no end ("back-edge"). */
__noinline bool step_up(void)
{
	struct path_walk *walk = own_walk();
	struct dentry *dentry, *parent;
	struct mount *mount;

	if (!walk)
		return false;
	dentry = walk->dentry;
	parent = BPF_CORE_READ(dentry, d_parent);
	mount = walk->mount;
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == parent) {
		walk->mount = BPF_CORE_READ(mount, mnt_parent);
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		return walk->mount != mount;
	}
	if (!prepend_component(walk, dentry))
		return false;
	walk->dentry = parent;
	return true;
}

/* Puts the path of `file` together, as d_path() would with the root of the file's mount namespace. Of a path that
 * is too long or too deep it is the end; says whether it is whole. */
static __always_inline bool read_file_path(struct path_walk *walk, struct file *file)
{
	struct vfsmount *mount = BPF_CORE_READ(file, f_path.mnt);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	bool is_root = dentry == BPF_CORE_READ(dentry, d_parent);
	struct mount *top;

	walk->begin = RINGSIDE_PATH_MAX;
	walk->dentry = dentry;
	walk->mount = (void *)mount - bpf_core_field_offset(struct mount, mnt);
	/* a file without a folder, as of memfd_create (simple_dname, fs/d_path.c) */
	if (BPF_CORE_READ(dentry, d_op, d_dname) && (!is_root || dentry != BPF_CORE_READ(mount, mnt_root))) {
		prepend_deleted(walk);
		return prepend_component(walk, dentry);
	}
	if (!is_root && !BPF_CORE_READ(dentry, d_hash.pprev))
		prepend_deleted(walk);
	for (int depth = 0; depth < PATH_DEPTH; depth++) {
		if (!step_up())
			break;
	}
	/* at the root, where a mount is its own parent, and not where the room or the depth came to an end */
	top = walk->mount;
	return top == BPF_CORE_READ(top, mnt_parent) && walk->dentry == BPF_CORE_READ(top, mnt_mountpoint);
}

/* the name of the cgroup or the nearest above it that may hold a container's id */
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

/* A container engine has a cgroup for a container in the default hierarchy (v2), or in each of v1's. */
static __always_inline const char *find_container(struct task_struct *task)
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
