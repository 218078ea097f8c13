/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The one contract between the kernel programs and user space: the record that
 * travels through one of two rings, the configuration user space writes, and the counters
 * the programs keep. Included by the programs and by native/ring; the offsets that
 * producer/source/raw-event.ts reads are held against this file's BTF by a test.
 *
 * All integers are in the machine's byte order. No struct is packed: every field is
 * naturally aligned and every hole is named, so that all compilers agree.
 */
#ifndef RINGSIDE_EVENT_H
#define RINGSIDE_EVENT_H

/* Raised whenever a layout or a number below changes its meaning. */
#define RINGSIDE_EVENT_VERSION 3

/* PATH_MAX with its NUL: the longest path a record can carry. */
#define RINGSIDE_PATH_MAX 4096
/* The tail of an ordinary record; a longer path takes a second, longer reserve. */
#define RINGSIDE_PATH_SHORT 256
/* TASK_COMM_LEN, include/linux/sched.h */
#define RINGSIDE_COMM_SIZE 16
/* Numbers of what can be called: those of the ABI's system calls (x86-64 with x32 ends at 547), and from here on
 * the operations of io_uring (IORING_OP_*, include/uapi/linux/io_uring.h), which go without a system call. */
#define RINGSIDE_NR_URING 768
#define RINGSIDE_NR_MAX 1024
/* The ABIs, each with numbers of its own: the kernel's, and that of 32-bit processes. */
#define RINGSIDE_ABI_NATIVE 0
#define RINGSIDE_ABI_COMPAT 1
#define RINGSIDE_ABI_COUNT 2
/* Per-CPU counters live in one mmapped array, so that reading them costs no system call. */
#define RINGSIDE_CPU_MAX 1024
/* The cpu of summaries: they have a seq of their own, as if one more CPU had made them. */
#define RINGSIDE_CPU_SUMMARIES RINGSIDE_CPU_MAX

/* What happened. */
enum ringside_kind {
	RINGSIDE_KIND_SYSCALL = 1,	/* a system call returned */
	RINGSIDE_KIND_EXEC = 2,		/* a process began a new program; path is its file name */
	RINGSIDE_KIND_FORK = 3,		/* a process began; the event is the child's, ppid its parent */
	RINGSIDE_KIND_EXIT = 4,		/* the last thread of a process ended; ret is its wait(2) status */
	RINGSIDE_KIND_SOCKET_STATE = 5,	/* an outbound TCP connect ended; ret is 0 or -errno */
	RINGSIDE_KIND_IO_URING = 6,	/* a request was submitted to io_uring; its outcome is not told */
	RINGSIDE_KIND_SUMMARY = 7,	/* calls that were counted; path is a struct ringside_summary */
};

/* The unit in which loss is accounted for. */
enum ringside_class {
	RINGSIDE_CLASS_PROCESS = 0,	/* execve, execveat, ptrace, exec, fork, exit */
	RINGSIDE_CLASS_NETWORK = 1,	/* socket, connect, accept*, bind, listen, send*, dup*, close of a socket */
	RINGSIDE_CLASS_FILE = 2,	/* open*, unlink*, rename* */
	RINGSIDE_CLASS_IO = 3,		/* read, write, recv*, and every call that is not in another class */
	RINGSIDE_CLASS_COUNT = 4,
};
/* Which of the two rings a class goes through: the security ring, or that of the rest. */
#define RINGSIDE_IS_SECURITY(event_class) ((event_class) <= RINGSIDE_CLASS_NETWORK)

/* The calls that are known by more than their number, the same on every architecture. */
enum ringside_call {
	RINGSIDE_CALL_NONE = 0,
	RINGSIDE_CALL_OPEN = 1,
	RINGSIDE_CALL_OPENAT = 2,
	RINGSIDE_CALL_OPENAT2 = 3,
	RINGSIDE_CALL_READ = 4,
	RINGSIDE_CALL_WRITE = 5,
	RINGSIDE_CALL_CONNECT = 6,
	RINGSIDE_CALL_ACCEPT = 7,
	RINGSIDE_CALL_ACCEPT4 = 8,
	RINGSIDE_CALL_SENDTO = 9,
	RINGSIDE_CALL_SENDMSG = 10,
	RINGSIDE_CALL_BIND = 11,
	RINGSIDE_CALL_LISTEN = 12,
	RINGSIDE_CALL_DUP2 = 13,
	RINGSIDE_CALL_DUP3 = 14,
	RINGSIDE_CALL_EXECVE = 15,
	RINGSIDE_CALL_EXECVEAT = 16,
	RINGSIDE_CALL_CLOSE = 17,
	RINGSIDE_CALL_SENDMMSG = 18,
	RINGSIDE_CALL_RECVFROM = 19,
	RINGSIDE_CALL_RECVMSG = 20,
	RINGSIDE_CALL_RECVMMSG = 21,
	RINGSIDE_CALL_UNLINK = 22,
	RINGSIDE_CALL_UNLINKAT = 23,
	RINGSIDE_CALL_RENAME = 24,
	RINGSIDE_CALL_RENAMEAT = 25,
	RINGSIDE_CALL_RENAMEAT2 = 26,
	RINGSIDE_CALL_PTRACE = 27,
	RINGSIDE_CALL_SOCKET = 28,
	RINGSIDE_CALL_OTHER = 29,	/* any other; its number says which */
	RINGSIDE_CALL_COUNT = 30,
};
/* An entry of call_of is a call, with this bit if a result above 0 is a number of bytes that it moved. */
#define RINGSIDE_MOVES_BYTES 0x80
#define RINGSIDE_CALL_MASK 31

/* What is told of a call, by its number. */
enum ringside_mode {
	RINGSIDE_MODE_OFF = 0,
	RINGSIDE_MODE_EMIT = 1,		/* an event each */
	RINGSIDE_MODE_COUNT = 2,	/* counted here, by process and call; a summary each second */
};
/* An entry of mode_of is a mode, and above it the number of times that it ceased to be OFF: a call that was entered
 * before is not taken for one that was entered since. */
#define RINGSIDE_MODE_MASK 3
#define RINGSIDE_MODE_ACTIVATION 4

/* ringside_event.flags */
#define RINGSIDE_HAS_SOCKET 0x1		/* socket is filled in */
#define RINGSIDE_PATH_TRUNCATED 0x2	/* path, or the string behind it, is the beginning of a longer one; of exec the end */
#define RINGSIDE_IS_COMPAT 0x4		/* nr is of RINGSIDE_ABI_COMPAT */
#define RINGSIDE_HAS_STACK 0x8		/* behind the strings are the addresses that the call was made from */

/* The addresses of a stack. An HTTP server in Go has about 13 frames, its first own function at the 9th to 13th. */
#define RINGSIDE_STACK_MAX 32
#define RINGSIDE_STACK_BYTES (RINGSIDE_STACK_MAX * 8)

/* Processes that are marked as Go's: in sets of a cache line, by the lowest bits of their pid. */
#define RINGSIDE_GO_MAX 4096
#define RINGSIDE_GO_WAYS 4
#define RINGSIDE_GO_SETS (RINGSIDE_GO_MAX / RINGSIDE_GO_WAYS)

/* A socket as the kernel holds it (struct sock_common, include/net/sock.h). */
struct ringside_socket {
	__u16 family;		/* AF_* */
	__u16 type;		/* SOCK_* */
	__u16 protocol;		/* IPPROTO_* */
	__u16 local_port;	/* host order */
	__u16 remote_port;	/* host order */
	__u16 reserved;
	__u32 netns;		/* inode of the network namespace, as in /proc/PID/ns/net */
	__u8 local_address[16];	/* network order; AF_INET uses the first 4 bytes */
	__u8 remote_address[16];
};

/* One record. Those of one CPU carry consecutive seq over both rings; a missing one was dropped. */
struct ringside_event {
	__u32 size;		/* bytes of this record, tail included; a multiple of 8 */
	__u8 kind;		/* enum ringside_kind */
	__u8 event_class;	/* enum ringside_class */
	__u8 call;		/* enum ringside_call; NONE for exec, fork, exit; CONNECT for socket_state */
	__u8 flags;
	__u64 seq;		/* per CPU; moves even when the reserve fails */
	__u64 time_ns;		/* CLOCK_MONOTONIC when the call returned */
	__u64 duration_ns;	/* from enter to exit; for exit: of the process; for socket_state: since SYN */
	__s64 ret;		/* as the kernel returned it: negative is -errno */
	__u64 start_ns;		/* CLOCK_BOOTTIME when the process began: with pid, its identity */
	__u64 cgroup_id;	/* of the default (v2) hierarchy */
	__u16 cpu;		/* RINGSIDE_CPU_SUMMARIES for a summary, which no CPU makes */
	__u16 nr;		/* number of the call in its ABI, or RINGSIDE_NR_URING + IORING_OP_*; 0 if there is none */
	__u32 pid;		/* tgid in the initial pid namespace, as are tid and ppid */
	__u32 tid;
	__u32 ppid;
	__u32 uid;		/* in the initial user namespace */
	__s32 fd;		/* the call's first descriptor; -1 if it has none */
	__u16 path_size;	/* bytes of path, without a NUL */
	__u16 extra_size;	/* bytes of the string behind it, likewise */
	__u32 advance;		/* set by whoever reads the ring: how far this record moves the place in it */
	__u32 arg;		/* open*: flags; ptrace: the request; io_uring: IORING_OP_*; else 0 */
	__s32 target;		/* ptrace: the pid it is aimed at, as the caller gave it; else -1 */
	char comm[RINGSIDE_COMM_SIZE];	/* of the thread */
	struct ringside_socket socket;
	/* Two strings without NUL, the second right behind the first. path: of open*, unlink*, rename*, execve*; for exec
	 * the executable's path in its mount namespace; the sun_path of AF_UNIX calls ('@' first when abstract). More: of
	 * rename* the new name; of exec and fork the cgroup's name that may hold the container's id.
	 * With RINGSIDE_HAS_STACK, from the next multiple of 8 to the record's end: __u64 addresses of user space, those of
	 * the instruction behind the system call and of what its stack pointer points to, which is a return address if
	 * the function has no frame; then return addresses found by frame pointers, innermost first. */
	char path[];
};

/* What a bucket of calls is a distribution of. */
enum ringside_measure {
	RINGSIDE_MEASURE_LATENCY = 0,	/* nanoseconds from enter to exit */
	RINGSIDE_MEASURE_BYTES = 1,	/* that the call moved, if it moved any */
	RINGSIDE_MEASURE_ERRNO = 2,	/* index is the errno */
};

/* Log-linear: 32 buckets to an octave, a value v >= 1 falls into 32 * floor(log2 v) + the 5 bits below its highest. */
struct ringside_cell {
	__u16 measure;		/* enum ringside_measure */
	__u16 index;
	__u32 count;
};

/* The path of a KIND_SUMMARY: the calls of one (process, number) that ended in the duration_ns before time_ns. */
struct ringside_summary {
	__u64 count;
	__u64 errors;
	__u64 total_ns;
	__u64 bytes;
	struct ringside_cell cells[];	/* by what, then index; to the end of the path */
};

/* Bits of ringside_config.filters: which of the filter maps a task must be found in. */
#define RINGSIDE_FILTER_PIDS 0x1
#define RINGSIDE_FILTER_COMMS 0x2
#define RINGSIDE_FILTER_CGROUPS 0x4
/* Not a filter map, but no task at all: of a set of programs that is not in use yet, or no more. */
#define RINGSIDE_FILTER_REJECT_ALL 0x8

/* A process of a Go program. A reused pid has another start; what executes another program is no longer marked. */
struct ringside_go_process {
	__u64 start_ns;		/* as in ringside_event */
	__u32 pid;		/* 0: free; written last by user space */
	__u32 reserved;
};

/* Written by user space, before loading or while running; the whole value of map .data.config. */
struct ringside_config {
	__u32 generation;	/* raised after any change to a filter: cached decisions are then renewed */
	__u32 filters;
	__u32 self_tgid;	/* the agent's own process, never observed; set by program identify */
	__u32 family_tgid;	/* if not 0, this process and its children are not observed either */
	__u32 epoch;		/* raised by user space each second: its lowest bit says which half of the groups counts */
	__u32 groups;		/* of a half, up to RINGSIDE_GROUPS_MAX: map groups has room for twice as many; set before loading */
	__u32 go_functions;	/* not 0: calls that are told of processes in `go` come with their stack */
	__u32 reserved;
	__u8 call_of[RINGSIDE_ABI_COUNT][RINGSIDE_NR_MAX];	/* number -> enum ringside_call, NONE for no such call;
								   | RINGSIDE_MOVES_BYTES; set before loading */
	__u8 mode_of[RINGSIDE_ABI_COUNT][RINGSIDE_NR_MAX];	/* number -> enum ringside_mode, and its turn */
	struct ringside_go_process go[RINGSIDE_GO_MAX];	/* set (pid & (RINGSIDE_GO_SETS - 1)) has a process's slot */
};

/*
 * Counts in the kernel: 32 neighbouring buckets of one (process, number, what), allocated on first use. The value
 * of map groups, which is mmapped: of its two halves of config.groups each, half (epoch & 1) is written to, from
 * its beginning on. The same (process, number, what, first) may have several groups; they are to be added up.
 *
 * Who has raised config.epoch by one and then waited for an RCU grace period (membarrier(2),
 * MEMBARRIER_CMD_GLOBAL) may assume of the other half that no program writes to it until epoch is raised again:
 * its groups 0 to min(used, config.groups) - 1 are whole, and all beyond are zero. Before raising epoch again,
 * the groups must be zeroed, and then used.
 */
struct ringside_group {
	__u64 start_ns;		/* who, as in ringside_event */
	__u64 cgroup_id;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	char comm[RINGSIDE_COMM_SIZE];
	__u16 nr;
	__u8 abi;
	__u8 call;
	__u8 event_class;
	__u8 measure;
	__u16 first_bucket;		/* index of the first bucket: a multiple of 32 */
	__u64 sum;		/* of the values; 0 for errno */
	__u32 counts[32];
};

/* Of a half; config.groups is at most as many. */
#define RINGSIDE_GROUPS_MAX 65536

/* The whole value of map .data.used is ringside_used[2], of the halves of map groups. */
struct ringside_used {
	__u32 groups;		/* given out; more than there are when some were refused */
	__u32 reserved[15];	/* to a cache line of its own */
};

/* Per CPU; the whole value of map .data.counters is ringside_counters[RINGSIDE_CPU_MAX]. */
struct ringside_counters {
	__u64 seq;	/* the last one given out; user space starts it at CLOCK_MONOTONIC in units of 100 ns,
			   so that (boot, cpu, seq) never names two events, whoever loads the programs */
	__u64 emitted[RINGSIDE_CLASS_COUNT];
	__u64 dropped[RINGSIDE_CLASS_COUNT];	/* its ring had no room */
	/* Calls that returned, each in one of: emitted, dropped, counted; or off, which were not observed by
	   mode or filter, were refused before they began, or are a close of what is no socket. */
	__u64 off[RINGSIDE_CLASS_COUNT];
	__u64 counted[RINGSIDE_CLASS_COUNT];
	__u64 untracked;			/* calls that no state could be stored for (out of memory) */
	__u64 uncounted;			/* of counted: no group was free, so that no summary has them */
	__u64 reserved[5];			/* to three cache lines: CPUs never share one */
};

#endif
