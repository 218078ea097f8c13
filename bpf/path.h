/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The path of an open file within its mount namespace, as /proc/PID/exe shows it; the kernel keeps it in pieces. */
#ifndef RINGSIDE_PATH_H
#define RINGSIDE_PATH_H

enum {
	PATH_DEPTH = 128,	/* folders and mounts followed; typically below 20 */
	NAME_BYTES = 256,	/* NAME_MAX, NUL included: the longest name of a folder or a cgroup */
};

/* Prepends a name of `bytes`; false if the path would not fit into a record. */
static __always_inline bool prepend(struct path_walk *walk, const void *name, __u32 bytes)
{
	__u32 begin = walk->begin;

	bytes &= NAME_BYTES - 1;
	if (begin <= bytes)
		return false;
	begin -= bytes;
	barrier_var(begin); /* clang 14 removes the masks that the verifier needs */
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

/* Prepends the current folder and moves to its parent, across mounts; false at the root, or without room. Global, so that
 * the verifier checks it once instead of for each iteration. Not inlined: Linux 5.15 and 6.1 reject the long loop as
 * endless ("back-edge") when the compiler puts its condition at the end. */
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

/* Reads the path of `file`, as d_path() does with the root of the file's mount namespace. A path that is too long or too
 * deep keeps its end only; returns whether the path is whole. */
static __always_inline bool read_file_path(struct path_walk *walk, struct file *file)
{
	struct vfsmount *mount = BPF_CORE_READ(file, f_path.mnt);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	bool is_root = dentry == BPF_CORE_READ(dentry, d_parent);
	struct mount *top;

	walk->begin = RINGSIDE_PATH_MAX;
	walk->dentry = dentry;
	walk->mount = (void *)mount - bpf_core_field_offset(struct mount, mnt);
	/* a file in no folder, for example of memfd_create (simple_dname, fs/d_path.c) */
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
	/* whole if the walk ended at the root, where a mount is its own parent */
	top = walk->mount;
	return top == BPF_CORE_READ(top, mnt_parent) && walk->dentry == BPF_CORE_READ(top, mnt_mountpoint);
}

#endif
