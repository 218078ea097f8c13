/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* All that outlives a single run of a program: what user space writes, what it reads, and what
 * enter leaves for exit. */
#ifndef RINGSIDE_MAPS_H
#define RINGSIDE_MAPS_H

enum { GROUPS_DEFAULT = 32768 }; /* of a half: 6 MiB */

/* All are mmapped by user space: reading and changing them costs no system call. */
struct ringside_config config SEC(".data.config") = { .groups = GROUPS_DEFAULT };
struct ringside_counters counters[RINGSIDE_CPU_MAX] SEC(".data.counters") = {};
struct ringside_used used[2] SEC(".data.used") = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * GROUPS_DEFAULT);
	__type(key, __u32);
	__type(value, struct ringside_group);
} groups SEC(".maps");

/* Processes and connections have a ring of their own, which no flood of reads and writes can fill. Sizes
 * are set by user space before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} security_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} other_events SEC(".maps");

/* Where a thread counts, so that it need not look for it. */
struct cached_group {
	__u32 key; /* with CACHED; 0: nothing */
	__u32 group;
};
enum { CACHED_GROUPS = 16, CACHED = 1U << 31 };

/* One thread: the call it is in, and whether it is observed. */
struct task_state {
	__u64 enter_ns;
	__u64 args[6];
	__u64 css_set;		/* task_struct.cgroups that the decision below was made for */
	__u32 generation;	/* config.generation likewise; 0: not decided */
	__u32 ended;		/* of a thread group's leader: its exit was told; a word, for an atomic */
	__u8 observed;
	__u8 mode;		/* enum ringside_mode between enter and exit of an observed call, else OFF */
	__u8 call;		/* the call it is in, or was in last: as config.call_of has it */
	__u8 abi;
	__u16 nr;
	__u16 entered;		/* the number it came in by, which may stand for nr */
	struct ringside_socket socket;	/* of close: at exit it is gone */
	__u32 epoch;		/* config.epoch that `groups` are of */
	__u8 activation;		/* of the number it came in by */
	__u8 reserved[3];
	struct cached_group groups[CACHED_GROUPS];
};

/* Goes with its task: a hash map would keep an entry for every process that exits in a call. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* Who did it: what an event says about a task. */
struct subject {
	__u64 start_ns;
	__u64 cgroup_id;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	char comm[RINGSIDE_COMM_SIZE];
};

/* What exec overwrites; lives from the enter of an exec to its exit. */
struct exec_state {
	struct subject subject;
	__u32 path_bytes; /* with NUL; at most 1: not known yet */
	__u32 reserved;
	char path[RINGSIDE_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct exec_state);
} execs SEC(".maps");

/* A path while it is put together, from its end at RINGSIDE_PATH_MAX to its beginning. All of it is in the map, since
 * the verifier follows what is on the stack through every step, for seconds. Its one program runs with preemption
 * disabled, and neither in an interrupt nor within itself: a CPU has one at a time. */
struct path_walk {
	struct dentry *dentry;
	struct mount *mount;
	__u32 begin;
	__u32 reserved;
	char text[2 * RINGSIDE_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_walk);
} path_walks SEC(".maps");

/* An outbound TCP connect between its SYN and its outcome. */
struct pending_connect {
	__u64 syn_ns;
	struct subject subject;
	__s32 fd;
	__u32 reserved;
};

/* By address of struct sock. 16,384 connects at once is far beyond what a host does; an attack
 * that goes beyond loses the oldest outcomes, never the connect calls themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct pending_connect);
} connects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} filter_pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, char[RINGSIDE_COMM_SIZE]);
	__type(value, __u8);
} filter_comms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} filter_cgroups SEC(".maps");

static __always_inline struct ringside_counters *own_counters(void)
{
	return &counters[bpf_get_smp_processor_id() & (RINGSIDE_CPU_MAX - 1)];
}

#endif
