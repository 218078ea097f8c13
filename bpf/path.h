/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Absolute paths: of an open file, as /proc/PID/exe shows it, and of a path argument. The kernel keeps them in pieces. */
#ifndef RINGSIDE_PATH_H
#define RINGSIDE_PATH_H

enum {
	PATH_DEPTH = 128,	/* folders and mounts followed; typically below 20 */
	NAME_BYTES = 256,	/* NAME_MAX, NUL included: the longest name of a folder or a cgroup */
	AT_FDCWD = -100,
};

/* U+2026 in UTF-8 */
#define CUT_MARK "\xe2\x80\xa6"
enum { CUT_MARK_BYTES = 3 };

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

	/* some file systems have longer names than NAME_MAX */
	if (bytes >= NAME_BYTES || begin <= bytes)
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

/* Stands for the missing beginning of a path, so that no reader takes the rest for a whole, absolute path. */
static __always_inline void prepend_cut_mark(struct path_walk *walk)
{
	const char mark[] = CUT_MARK;

	if (walk->begin <= CUT_MARK_BYTES)
		walk->begin = CUT_MARK_BYTES + 1;
	prepend(walk, mark, CUT_MARK_BYTES);
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

/* The text of a namespace or a pipe, which have a number in place of a name (ns_dname, fs/nsfs.c; pipefs_dname,
 * fs/pipe.c). */
static __always_inline bool prepend_number(struct path_walk *walk, struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	__u64 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	__u64 values[] = { 0, BPF_CORE_READ(inode, i_ino) };
	static const char format[] = "%s:[%llu]";
	static const char pipe[] = "pipe";
	struct ns_common *namespace = BPF_CORE_READ(inode, i_private);
	long bytes;

	if (magic == NSFS_MAGIC)
		values[0] = (__u64)BPF_CORE_READ(namespace, ops, name);
	else if (magic == PIPEFS_MAGIC)
		values[0] = (__u64)pipe;
	else
		return false;
	bytes = bpf_snprintf(walk->name, sizeof(walk->name), format, values, sizeof(values));
	return bytes > 1 && prepend(walk, walk->name, bytes - 1);
}

/* True if the walk ended at the root of a mount namespace, where a mount is its own parent. So is one that was unmounted
 * while in use, or never mounted (open_tree): it is in no namespace, or in one of its own without a number. */
static __always_inline bool is_at_root(const struct path_walk *walk)
{
	struct mount *top = walk->mount;
	__u32 namespace = BPF_CORE_READ(top, mnt_ns, ns.inum);

	return top == BPF_CORE_READ(top, mnt_parent) && walk->dentry == BPF_CORE_READ(top, mnt_mountpoint) &&
	       namespace && namespace != MNT_NS_ANON_INO;
}

/* Prepends the path that begin_walk() chose, as d_path() does with the root of its mount namespace, but without its
 * " (deleted)", which a name can have, too; of the root itself nothing. A path that is too long or too deep keeps its end
 * only; returns whether it is whole. Global, so that the verifier checks it once. */
__noinline bool prepend_path(__u32 index)
{
	struct path_walk *walk = own_walk(index);
	struct dentry *dentry;
	struct mount *mount;
	bool is_root;

	if (!walk)
		return false;
	dentry = walk->dentry;
	mount = walk->mount;
	is_root = dentry == BPF_CORE_READ(dentry, d_parent);
	/* a file in no folder, for example of memfd_create (simple_dname, fs/d_path.c) */
	if (BPF_CORE_READ(dentry, d_op, d_dname) && (!is_root || dentry != BPF_CORE_READ(mount, mnt.mnt_root))) {
		if (prepend_number(walk, dentry))
			return true;
		/* longer than "/", the name of a dentry without one (d_alloc_anon, fs/dcache.c) */
		walk->is_deleted = BPF_CORE_READ(dentry, d_name.len) > 1;
		if (walk->is_deleted)
			return prepend_component(walk, dentry);
		prepend_cut_mark(walk);
		return false;
	}
	walk->is_deleted = !is_root && !BPF_CORE_READ(dentry, d_hash.pprev);
	for (int depth = 0; depth < PATH_DEPTH; depth++) {
		if (!step_up(index))
			break;
	}
	if (is_at_root(walk))
		return true;
	prepend_cut_mark(walk);
	return false;
}

/* Cuts the text between begin and end to the size of a record: its beginning, or without `cut_beginning` its end, becomes
 * the mark; returns whether it is whole. Global, so that the verifier checks it once. */
__noinline bool limit_text(__u32 index, bool cut_beginning)
{
	struct path_walk *walk = own_walk(index);
	const char mark[] = CUT_MARK;
	__u32 at;

	if (!walk)
		return false;
	if (walk->end - walk->begin < RINGSIDE_PATH_MAX)
		return true;
	if (cut_beginning) {
		walk->begin = walk->end - (RINGSIDE_PATH_MAX - 1) + CUT_MARK_BYTES;
		prepend_cut_mark(walk);
		return false;
	}
	walk->end = walk->begin + RINGSIDE_PATH_MAX - 1;
	at = walk->end - CUT_MARK_BYTES;
	barrier_var(at); /* clang 14 removes the mask that the verifier needs */
	at &= 4 * RINGSIDE_PATH_MAX - 1;
	if (at < 4 * RINGSIDE_PATH_MAX - CUT_MARK_BYTES)
		bpf_probe_read_kernel(walk->text + at, CUT_MARK_BYTES, mark);
	return false;
}

static __always_inline struct text text_of(struct path_walk *walk, bool is_whole)
{
	struct text text = { .is_whole = is_whole, .is_deleted = walk->is_deleted };

	text.at = walk->text + (walk->begin & (2 * RINGSIDE_PATH_MAX - 1));
	text.bytes = walk->end - walk->begin;
	return text;
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
	struct text none = {};
	const char slash = '/';
	bool is_whole;

	if (!walk)
		return none;
	walk->is_deleted = false;
	walk->begin = walk->end = RINGSIDE_PATH_MAX;
	begin_walk(walk, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry));
	is_whole = prepend_path(index);
	if (walk->begin == walk->end)
		prepend(walk, &slash, 1);
	return text_of(walk, is_whole);
}

/* Reads an argument behind the room for the folder that it is relative to; returns its bytes, one more than a path has
 * if it is longer than any path. */
static __always_inline __u32 read_argument(struct path_walk *walk, const char *from, bool is_user)
{
	char *to = walk->text + RINGSIDE_PATH_MAX + 1;
	long bytes = is_user ? bpf_probe_read_user_str(to, RINGSIDE_PATH_MAX + 1, from) :
			       bpf_probe_read_kernel_str(to, RINGSIDE_PATH_MAX + 1, from);

	walk->is_deleted = false;
	walk->begin = RINGSIDE_PATH_MAX + 1;
	walk->end = walk->begin + (bytes > 1 ? (__u32)bytes - 1 : 0);
	return walk->end - walk->begin;
}

/* A path argument as it was passed. */
static __always_inline struct text read_plain(__u32 index, const char *from)
{
	struct path_walk *walk = own_walk(index);
	struct text none = { .is_whole = true };

	if (!walk || !read_argument(walk, from, true))
		return none;
	return text_of(walk, limit_text(index, false));
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
	struct text none = {};
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct file *directory;
	bool is_whole = true, is_path;
	__u32 bytes;

	if (!walk)
		return none;
	bytes = read_argument(walk, from, is_user);
	if (!bytes)
		return none;
	is_path = bytes < RINGSIDE_PATH_MAX;
	if (walk->text[RINGSIDE_PATH_MAX + 1] == '/') {
		begin_walk(walk, BPF_CORE_READ(fs, root.mnt), BPF_CORE_READ(fs, root.dentry));
		is_whole = prepend_path(index);
	} else if (dirfd == AT_FDCWD) {
		walk->text[--walk->begin & (2 * RINGSIDE_PATH_MAX - 1)] = '/';
		begin_walk(walk, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry));
		is_whole = prepend_path(index);
	} else {
		directory = file_of(task, dirfd);
		if (directory) {
			walk->text[--walk->begin & (2 * RINGSIDE_PATH_MAX - 1)] = '/';
			begin_walk(walk, BPF_CORE_READ(directory, f_path.mnt),
				   BPF_CORE_READ(directory, f_path.dentry));
			is_whole = prepend_path(index);
		}
	}
	/* the end of a path says more than its beginning; of what is no path only the beginning is known */
	return text_of(walk, limit_text(index, is_path) && is_whole);
}

#endif
