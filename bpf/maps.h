/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps and global variables: configuration and filters, rings, counters, groups, and state kept from enter to exit. */
#ifndef RINGSIDE_MAPS_H
#define RINGSIDE_MAPS_H

enum { GROUPS_DEFAULT = 32768 }; /* per half: 6 MiB */

/* User space mmaps these: reading and changing them costs no system call. */
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

/* Exec, fork and exit have a ring that nothing else can fill, and connections one that no flood of files or reads can
 * fill. User space sets the sizes before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} process_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} security_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} other_events SEC(".maps");

/* A thread's cache of groups, which saves a look-up in the index. */
struct cached_group {
	__u32 key; /* GROUP_KEY | CACHED; 0: free */
	__u32 group;
};
enum { CACHED_GROUPS = 16, CACHED = 1U << 31 };

/* Of a sockaddr argument: struct sockaddr_un has 110, rounded up to whole words. */
enum { ADDRESS_BYTES = 112 };

/* The fields of an event that describe a task. */
struct subject {
	__u64 start_ns;
	__u64 cgroup_id;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	__u32 euid;
	__u32 exec_id;
	char comm[RINGSIDE_COMM_SIZE];
};

/* A mode of task_state: exit does not emit this call. */
enum { MODE_IGNORE = 3 };

/* State of one thread: its current call and its filter verdict. */
struct task_state {
	__u64 enter_ns;
	__u64 args[6];
	__u64 css_set;		/* task_struct.cgroups when `observed` was decided */
	__u32 generation;	/* config.generation when `observed` was decided; 0: undecided */
	__u32 ended;		/* of a thread group's leader: its exit was emitted; 32 bits, for an atomic */
	__u8 observed;
	__u8 mode;		/* enum ringside_mode or MODE_IGNORE between enter and exit of an observed call, else OFF */
	__u8 call;		/* the current or last call: entry of config.call_of */
	__u8 abi;
	__u16 nr;
	__u16 entered;		/* the number at enter; differs from nr for an alias */
	struct ringside_socket socket;	/* of close: gone at exit; of connect: as the SYN was sent */
	__u64 connecting;	/* key of the connect that the current call began; 0: none */
	__u32 given_bytes;	/* of the sockaddr argument, as read at enter; 0: unreadable then */
	__u8 given[ADDRESS_BYTES];
	__u8 taken[ADDRESS_BYTES];	/* the same at exit: scratch */
	__u32 epoch;		/* config.epoch of `groups` */
	__u8 activation;	/* activation of `entered` */
	__u8 not_entered;	/* the kernel did not enter the call that exits */
	__u8 beyond_bound;	/* the current call is beyond the bound, whatever its exit finds */
	__u8 reserved_too;
	__u16 resumed;		/* number + 1 of the call that restart_syscall resumes; 0: unknown */
	__u16 reserved_also;
	__u32 enter_generation;	/* config.generation at the last enter of an observed call; 0: of another */
	__s64 ret;		/* of the call that exits */
	__s32 target;		/* of ptrace, found at enter */
	__s32 reserved;
	struct subject subject;	/* at the exit of an emitted call */
	struct cached_group groups[CACHED_GROUPS];
	/* Of a thread group's leader, for the whole process: */
	__u64 window_begin_ns;	/* begin of its current second */
	__u32 attempts;		/* events in that second, emitted or not */
	__u32 bound;		/* events that it may emit in that second, as last found */
	__u32 groups_epoch;	/* epoch of `groups_taken` */
	__u32 groups_taken;	/* groups that it allocated in that epoch */
};

/* Freed with its task: a hash map would keep the entry of every thread that exits in a call. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* State that exec overwrites, kept from its enter to its exit. */
struct exec_state {
	struct subject subject;
	__u32 path_bytes;	/* 0: unknown */
	__u32 stack_bytes;	/* of `stack`; 0: none */
	__u64 stack[RINGSIDE_STACK_MAX];
	bool is_whole;
	char path[RINGSIDE_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct exec_state);
} execs SEC(".maps");

/* A path under construction, from begin to end: it grows downwards from RINGSIDE_PATH_MAX, a path argument lies behind that. In a
 * map, since the verifier would take seconds to follow it on the stack. Two per CPU are enough: the programs that use them
 * run with preemption disabled, never in an interrupt, and never nested. */
struct path_walk {
	struct dentry *dentry;
	struct mount *mount;
	struct cgroup *cgroup;
	__u32 begin;
	__u32 end;
	bool is_deleted;	/* the file, or the folder that an argument is relative to, has no name any more */
	char name[256];
	char text[4 * RINGSIDE_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct path_walk);
} path_walks SEC(".maps");

/* Bytes in kernel memory that go into a record. */
struct text {
	const char *at;
	__u32 bytes;
	bool is_whole;
	bool is_deleted;
};

/* A record with strings under construction: its size is known only when it is complete. One per CPU, as path_walks. */
enum { DRAFT_BYTES = sizeof(struct ringside_event) + 4 * RINGSIDE_PATH_MAX };
struct draft {
	__u64 words[DRAFT_BYTES / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct draft);
} drafts SEC(".maps");

/* Who acts next on a pending connect: its call, which has not returned, or its outcome. */
enum connect_phase { CONNECT_IN_CALL, CONNECT_RETURNED, CONNECT_ENDED };

/* An outbound TCP connect whose outcome is not emitted yet. Call and outcome may end at once on two CPUs: whichever
 * exchanges `phase` second emits the outcome. */
struct pending_connect {
	__u64 syn_ns;
	__u64 end_ns;
	__u64 call_seq;		/* of the call's record; 0: none */
	struct subject subject;
	struct ringside_socket socket;
	__s32 fd;
	__s32 result;
	__u16 call_cpu;
	__u16 protocol;		/* of the call's socket: MPTCP connects by TCP sockets of its own */
	__u32 phase;		/* enum connect_phase; a word, for an atomic */
};

/* Keyed by the address of struct sock. Hosts have far fewer than 16,384 connects at once; an attack that exceeds it
 * loses the oldest outcomes, never the connect calls themselves. */
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
	__type(value, __u64); /* start of the process that first had the number; 0: none yet */
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
