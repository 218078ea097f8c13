/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel types and fields that the programs read, kept by hand. Loading finds each field by name in the running
 * kernel's BTF (CO-RE): order and completeness do not matter, and a build needs no vmlinux.h. Constants are the
 * kernel's user ABI or, below the name of a file outside include/uapi, internal to it.
 */
#ifndef RINGSIDE_KERNEL_TYPES_H
#define RINGSIDE_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef signed short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

/* include/uapi/linux/bpf.h */
enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_PERCPU_ARRAY = 6 };
enum { BPF_MAP_TYPE_LRU_HASH = 9 };
enum { BPF_MAP_TYPE_RINGBUF = 27, BPF_MAP_TYPE_TASK_STORAGE = 29 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_ANY = 0, BPF_LOCAL_STORAGE_GET_F_CREATE = 1, BPF_RB_NO_WAKEUP = 1, BPF_RB_AVAIL_DATA = 0,
       BPF_RB_RING_SIZE = 1 };

enum { EINTR = 4, EALREADY = 114, EINPROGRESS = 115, ECANCELED = 125, ERESTARTSYS = 512, ERESTARTNOINTR = 513,
       ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516, ENOSYS = 38, MAX_ERRNO = 4095 };
enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_VSOCK = 40 };
enum { SOCK_STREAM = 1, SOCK_RAW = 3, SOCK_SEQPACKET = 5, SOCK_TYPE_MASK = 0xf, IPPROTO_TCP = 6, UNIX_PATH_MAX = 108 };
/* include/uapi/linux/io_uring.h */
enum { IOSQE_FIXED_FILE = 0x1, IOSQE_CQE_SKIP_SUCCESS = 0x40, IORING_OP_SENDMSG = 9, IORING_OP_SENDMSG_ZC = 48 };
#define IORING_FILE_INDEX_ALLOC (~0U)
enum { S_IFMT = 0170000, S_IFSOCK = 0140000 };
/* O_CREAT | O_WRONLY | O_TRUNC: what creat(2) stands for, include/uapi/asm-generic/fcntl.h */
enum { CREAT_FLAGS = 01101 };
/* include/uapi/linux/magic.h */
enum { NSFS_MAGIC = 0x6e736673, PIPEFS_MAGIC = 0x50495045 };
enum { F_DUPFD = 0, F_DUPFD_CLOEXEC = 1030 };
/* include/net/tcp_states.h */
enum { TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_SYN_RECV = 3, TCP_CLOSE = 7 };
enum { SIGKILL = 9, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, SIGURG = 23,
       SIGWINCH = 28, SIGSYS = 31, SIG_DFL = 0, SIG_IGN = 1, SA_RESTART = 0x10000000 };
/* include/linux/sched.h, include/linux/sched/signal.h */
enum { PF_KTHREAD = 0x00200000, SIGNAL_GROUP_EXIT = 0x4 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp, bx, r10, r9, r8, cx, dx, si, di, orig_ax, ip, sp;
};
struct thread_info {
	__u32 status;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	__s32 syscallno;
};
struct thread_info {
	unsigned long flags;
};
#else
#error "ringside supports x86-64 and arm64"
#endif

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
	kuid_t euid;
};

struct kernfs_node {
	const char *name;
	__u64 id;
};

struct cgroup;
struct cgroup_root;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

/* include/linux/cgroup_subsys.h; CO-RE sets the values */
enum cgroup_subsys_id { memory_cgrp_id, pids_cgrp_id };

struct css_set {
	struct cgroup_subsys_state *subsys[2];
	struct cgroup *dfl_cgrp;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct sigaction {
	void *sa_handler;
	unsigned long sa_flags;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct signal_struct {
	atomic_t live;
	struct sigpending shared_pending;
	int nr_threads;
	int group_exit_code;
	unsigned int flags;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct list_head {
	struct list_head *next;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	__u64 start_time;
	__u64 start_boottime;
	__u64 self_exec_id;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct list_head ptraced;
	struct list_head ptrace_entry;
	struct pid *thread_pid;
	struct sighand_struct *sighand;
	sigset_t blocked;
	struct sigpending pending;
	struct css_set *cgroups;
};

/* include/linux/proc_ns.h; an anonymous mount namespace has this number since Linux 6.18, before that 0 */
enum { MNT_NS_ANON_INO = 0xeffffff7 };
struct proc_ns_operations {
	const char *name;
};

struct ns_common {
	const struct proc_ns_operations *ops;
	unsigned int inum;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry_operations {
	void *d_dname;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	const struct dentry_operations *d_op;
};

struct vfsmount {
	struct dentry *mnt_root;
};

/* fs/mount.h */
struct mnt_namespace {
	struct ns_common ns;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct mnt_namespace *mnt_ns;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct path root;
	struct path pwd;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	void *i_private;
};

struct file {
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
};

struct linux_binprm {
	struct file *file;
	const char *filename;
};

struct filename {
	const char *name;
};

/* include/linux/io_uring_types.h */
struct io_cqe {
	__s32 res;
	int fd;
};

struct io_cmd_data {
	struct file *file;
};

/* a slot for a registered file: before Linux 6.13, and since */
struct io_fixed_file {
	unsigned long file_ptr;
};

struct io_rsrc_node {
	unsigned long file_ptr;
};

struct io_rsrc_data {
	unsigned int nr;
	struct io_rsrc_node **nodes;
};

struct io_file_table {
	struct io_rsrc_data data;
	struct io_fixed_file *files;
};

struct io_ring_ctx {
	struct io_file_table file_table;
	unsigned int nr_user_files;
};

struct io_kiocb {
	__u8 opcode;
	__u64 flags; /* 32 bits before Linux 6.9; the programs read its first byte */
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	void *async_data;
};

/* io_uring/openclose.c, fs.c, net.c: what the preparation of an operation writes over the beginning of its request */
struct open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

struct io_open {
	int dfd;
	__u32 file_slot;
	struct filename *filename;
	struct open_how how;
};

struct io_close {
	int fd;
	__u32 file_slot;
};

struct io_unlink {
	int dfd;
	struct filename *filename;
};

struct io_rename {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
};

struct io_connect {
	void *addr;
	int addr_len;
};

struct io_bind {
	int addr_len;
};

struct io_accept {
	__u32 file_slot;
};

struct io_socket {
	int domain;
	int type;
	int protocol;
	__u32 file_slot;
};

struct io_sr_msg {
	void *umsg;
	void *addr;	/* these two from Linux 6.0 to 6.11 */
	__u16 addr_len;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

struct __kernel_sockaddr_storage {
	unsigned short ss_family;
};

/* a copy that the preparation of a request makes: before Linux 6.10 of requests that run later only */
struct io_async_msghdr {
	struct msghdr msg;
	struct __kernel_sockaddr_storage addr;
};

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	__u16 sk_protocol;
	__u16 sk_type;
};

struct tcp_sock {
	__u32 retrans_stamp;	/* 0 until a SYN is sent */
};

struct socket {
	struct sock *sk;
};

struct sockaddr_un {
	char sun_path[UNIX_PATH_MAX];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct sockaddr_vm {
	unsigned int svm_port;
	unsigned int svm_cid;
};

struct vsock_sock {
	struct sock sk;
	struct sockaddr_vm local_addr;
	struct sockaddr_vm remote_addr;
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

#pragma clang attribute pop

#endif
