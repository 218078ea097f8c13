/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Absolute paths: of an open file, as /proc/PID/exe shows it, and of a path argument. The kernel keeps them in pieces. */
#ifndef RINGSIDE_PATH_H
#define RINGSIDE_PATH_H

enum {
	PATH_DEPTH = 128,	/* folders and mounts followed; typically below 20 */
	NAME_BYTES = 256,	/* NAME_MAX, NUL included: the longest name of a folder or a cgroup */
	AT_FDCWD = -100,
};

/* The scratch walks of this CPU: two paths can be under construction at once. */
enum walk_index { WALK_PATH, WALK_EXTRA };

static __always_inline struct path_walk *own_walk(__u32 index)
{
	return bpf_map_lookup_elem(&path_walks, &index);
}

static __always_inline struct file *file_of(struct task_struct *task, __u32 fd)
{
	struct files_struct *files = task->files;
	struct fdtable *fdt;
	struct file *file = 0;

	if (!files)
		return 0;
	fdt = files->fdt;
	if (!fdt || fd >= fdt->max_fds)
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file;
}

/* Prepends a name of `bytes`; false if the path would not fit into a record. */
static __always_inline bool prepend(struct path_walk *walk, const void *name, __u32 bytes)
{
	__u32 begin = walk->begin;

	bytes &= NAME_BYTES - 1;
	if (begin <= bytes)
		return false;
	begin -= bytes;
	barrier_var(begin); /* clang 14 removes the masks that the verifier needs */
	begin &= 2 * RINGSIDE_PATH_MAX - 1;
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

/* Prepends the current folder and moves to its parent, across mounts; false at the root, or without room. Global, so that
 * the verifier checks it once instead of for each iteration. Not inlined: Linux 5.15 and 6.1 reject the long loop as
 * endless ("back-edge") when the compiler puts its condition at the end. */
__noinline bool step_up(__u32 index)
{
	struct path_walk *walk = own_walk(index);
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

/* Prepends the path that begin_walk() chose, as d_path() does with the root of its mount namespace; of the root itself
 * nothing. A path that is too long or too deep keeps its end only; returns whether it is whole. Global, so that the
 * verifier checks it once. */
__noinline bool prepend_path(__u32 index)
{
	struct path_walk *walk = own_walk(index);
	struct dentry *dentry;
	struct mount *mount, *top;
	bool is_root;

	if (!walk)
		return false;
	dentry = walk->dentry;
	mount = walk->mount;
	is_root = dentry == BPF_CORE_READ(dentry, d_parent);
	/* a file in no folder, for example of memfd_create (simple_dname, fs/d_path.c) */
	if (BPF_CORE_READ(dentry, d_op, d_dname) && (!is_root || dentry != BPF_CORE_READ(mount, mnt.mnt_root))) {
		prepend_deleted(walk);
		return prepend_component(walk, dentry);
	}
	if (!is_root && !BPF_CORE_READ(dentry, d_hash.pprev))
		prepend_deleted(walk);
	for (int depth = 0; depth < PATH_DEPTH; depth++) {
		if (!step_up(index))
			break;
	}
	/* whole if the walk ended at the root, where a mount is its own parent */
	top = walk->mount;
	return top == BPF_CORE_READ(top, mnt_parent) && walk->dentry == BPF_CORE_READ(top, mnt_mountpoint);
}

static __always_inline void begin_walk(struct path_walk *walk, struct vfsmount *mount, struct dentry *dentry)
{
	walk->dentry = dentry;
	walk->mount = (void *)mount - bpf_core_field_offset(struct mount, mnt);
}

/* Fills the walk with the path of an open file, "/" for the root. */
static __always_inline struct text read_file_path(__u32 index, struct file *file)
{
	struct path_walk *walk = own_walk(index);
	struct text text = {};
	const char slash = '/';

	if (!walk)
		return text;
	walk->begin = RINGSIDE_PATH_MAX;
	begin_walk(walk, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry));
	text.is_whole = prepend_path(index);
	if (walk->begin == RINGSIDE_PATH_MAX)
		prepend(walk, &slash, 1);
	text.at = walk->text + (walk->begin & (RINGSIDE_PATH_MAX - 1));
	text.bytes = RINGSIDE_PATH_MAX - walk->begin;
	return text;
}

/*
 * Fills the walk with a path argument, made absolute: behind the directory that it is relative to (dirfd, or the
 * working directory), or behind the process's root, which differs from that of its mount namespace in a chroot. "." and
 * ".." stay as they are.
 */
static __always_inline struct text read_path_argument(__u32 index, struct task_struct *task, __s32 dirfd,
						      const char *from, bool is_user)
{
	struct path_walk *walk = own_walk(index);
	struct text text = {};
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct file *directory;
	bool has_base = true;
	long bytes;
	__u32 end;
	char *to;

	if (!walk)
		return text;
	to = walk->text + RINGSIDE_PATH_MAX;
	bytes = is_user ? bpf_probe_read_user_str(to + 1, RINGSIDE_PATH_MAX, from) :
			  bpf_probe_read_kernel_str(to + 1, RINGSIDE_PATH_MAX, from);
	if (bytes <= 1)
		return text;
	text.is_whole = true;
	if (to[1] == '/') {
		begin_walk(walk, BPF_CORE_READ(fs, root.mnt), BPF_CORE_READ(fs, root.dentry));
		walk->begin = RINGSIDE_PATH_MAX + 1;
	} else {
		to[0] = '/';
		walk->begin = RINGSIDE_PATH_MAX;
		if (dirfd == AT_FDCWD) {
			begin_walk(walk, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry));
		} else {
			directory = file_of(task, dirfd);
			has_base = directory;
			if (directory)
				begin_walk(walk, BPF_CORE_READ(directory, f_path.mnt),
					   BPF_CORE_READ(directory, f_path.dentry));
			else
				walk->begin = RINGSIDE_PATH_MAX + 1;
		}
	}
	if (has_base)
		text.is_whole = prepend_path(index);
	end = RINGSIDE_PATH_MAX + (__u32)bytes;
	text.bytes = end - walk->begin;
	text.at = walk->text + (walk->begin & (2 * RINGSIDE_PATH_MAX - 1));
	if (text.bytes >= RINGSIDE_PATH_MAX) {
		text.bytes = RINGSIDE_PATH_MAX - 1;
		text.is_whole = false;
	}
	return text;
}

#endif
