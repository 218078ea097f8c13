/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between the kernel programs and user space: the records in the three rings, the configuration that user
 * space writes, and the counters and groups that the programs write. The programs and native/ include this file;
 * scripts/generate-event.ts writes bpf/event.ts from its BTF.
 *
 * All integers are in the machine's byte order. No struct is packed: every field is naturally aligned and every hole
 * is named, so that all compilers agree on the layout.
 */
#ifndef RINGSIDE_EVENT_H
#define RINGSIDE_EVENT_H

/* PATH_MAX, NUL included: the longest path that a record can carry. */
#define RINGSIDE_PATH_MAX 4096

/* Numbers that bpf/event.ts has, too: constants of an enum, because BTF has no macros. */
enum ringside_limit {
	/* Raised by every change to a layout or to the meaning of a number in this file. */
	RINGSIDE_EVENT_VERSION = 9,
	/* TASK_COMM_LEN, include/linux/sched.h */
	RINGSIDE_COMM_SIZE = 16,
	/* Call numbers: below NR_URING the system calls of the ABI (the last one of x86-64 with x32 is 547), from
	 * NR_URING on the operations of io_uring (IORING_OP_*, include/uapi/linux/io_uring.h), which need no system
	 * call. */
	RINGSIDE_NR_URING = 768,
	RINGSIDE_NR_MAX = 1024,
	/* The per-CPU counters are one mmapped array: reading them costs no system call. */
	RINGSIDE_CPU_MAX = 1024,
	/* The cpu of summaries. They have their own seq, as if one more CPU had made them. */
	RINGSIDE_SUMMARY_CPU = RINGSIDE_CPU_MAX,
	/* The nr of a group and a summary that only declare uncounted calls, of whatever number. */
	RINGSIDE_NR_UNCOUNTED = RINGSIDE_NR_MAX - 1,
	/* Addresses of a stack. A Go HTTP server has about 13 frames; its first own function is the 9th to 13th. */
	RINGSIDE_STACK_MAX = 32,
};
#define RINGSIDE_STACK_BYTES (RINGSIDE_STACK_MAX * 8)

/* Each ABI has its own call numbers: the kernel's own ABI, and that of 32-bit processes. */
enum ringside_abi {
	RINGSIDE_ABI_NATIVE = 0,
	RINGSIDE_ABI_COMPAT = 1,
	RINGSIDE_ABI_COUNT = 2,
};

enum ringside_kind {
	RINGSIDE_KIND_OTHER = 0,	/* never written */
	RINGSIDE_KIND_SYSCALL = 1,	/* a system call returned */
	RINGSIDE_KIND_EXEC = 2,		/* a process began a new program; path is its file name */
	RINGSIDE_KIND_FORK = 3,		/* a process began; the fields describe the child, ppid its parent */
	RINGSIDE_KIND_EXIT = 4,		/* the last thread of a process ended; ret is its wait(2) status */
	RINGSIDE_KIND_CONNECT_OUTCOME = 5,	/* an outbound TCP connect ended after its call had returned; ret is 0 or -errno */
	RINGSIDE_KIND_IO_URING = 6,	/* a request was submitted to io_uring */
	RINGSIDE_KIND_IO_URING_OUTCOME = 7,	/* an emitted request completed; nr is its number */
	RINGSIDE_KIND_MESSAGES = 8,	/* messages of an emitted sendmmsg or recvmmsg with one further address */
	RINGSIDE_KIND_SUMMARY = 9,	/* counted calls; path is a struct ringside_summary */
};

/* Counters and losses are kept by class. */
enum ringside_class {
	RINGSIDE_CLASS_PROCESS = 0,	/* execve, execveat, ptrace, exec, fork, exit */
	RINGSIDE_CLASS_NETWORK = 1,	/* socket, connect, accept*, bind, listen, send*, dup*, close of a socket */
	RINGSIDE_CLASS_FILE = 2,	/* open*, unlink*, rename* */
	RINGSIDE_CLASS_IO = 3,		/* read, write, recv*, and every call of no other class */
	RINGSIDE_CLASS_COUNT = 4,
	RINGSIDE_LAST_SECURITY_CLASS = RINGSIDE_CLASS_NETWORK,
};

/* Where user space reads a record: three rings, and the summaries that it makes itself. */
enum ringside_lane {
	RINGSIDE_LANE_PROCESS = 0,	/* exec, fork and exit, which no system call alone can write */
	RINGSIDE_LANE_SECURITY = 1,	/* other records of the classes process and network */
	RINGSIDE_LANE_REST = 2,		/* records of the other classes */
	RINGSIDE_LANE_SUMMARIES = 3,
	RINGSIDE_LANE_COUNT = 4,
};
#define RINGSIDE_IS_SECURITY(event_class) ((event_class) <= RINGSIDE_LAST_SECURITY_CLASS)
#define RINGSIDE_IS_PROCESS(kind) ((kind) >= RINGSIDE_KIND_EXEC && (kind) <= RINGSIDE_KIND_EXIT)
#define RINGSIDE_LANE_OF(kind, event_class) \
	((kind) == RINGSIDE_KIND_SUMMARY ? RINGSIDE_LANE_SUMMARIES : \
	 RINGSIDE_IS_PROCESS(kind) ? RINGSIDE_LANE_PROCESS : \
	 RINGSIDE_IS_SECURITY(event_class) ? RINGSIDE_LANE_SECURITY : RINGSIDE_LANE_REST)

/* Calls with handlers or names of their own, the same on every architecture. */
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
	RINGSIDE_CALL_OTHER = 29,	/* any other call; nr identifies it */
	RINGSIDE_CALL_DUP = 30,
	RINGSIDE_CALL_FCNTL = 31,
	RINGSIDE_CALL_CREAT = 32,
	RINGSIDE_CALL_OPEN_BY_HANDLE_AT = 33,
	RINGSIDE_CALL_LINK = 34,
	RINGSIDE_CALL_LINKAT = 35,
	RINGSIDE_CALL_SYMLINK = 36,
	RINGSIDE_CALL_SYMLINKAT = 37,
	RINGSIDE_CALL_TRUNCATE = 38,
	RINGSIDE_CALL_MOUNT = 39,
	RINGSIDE_CALL_MEMFD_CREATE = 40,
	RINGSIDE_CALL_COUNT = 41,
};
/* Bits of an entry of ringside_config.call_of. */
enum ringside_call_entry {
	RINGSIDE_CALL_MASK = 63,	/* the ringside_call */
	RINGSIDE_MOVES_BYTES = 0x80,	/* a positive result is the number of bytes moved */
};

/* The mode of a call number. */
enum ringside_mode {
	RINGSIDE_MODE_OFF = 0,
	RINGSIDE_MODE_EMIT = 1,		/* one event per call */
	RINGSIDE_MODE_COUNT = 2,	/* counted in the kernel by process and call; one summary per second */
};
/* An entry of mode_of is a mode and, above its bits, the activation: how many times the mode left OFF. The exit of a call
 * that was entered during an earlier activation is ignored. */
#define RINGSIDE_MODE_MASK 3
#define RINGSIDE_MODE_ACTIVATION 4

/* Bits of ringside_event.flags. */
enum ringside_flag {
	RINGSIDE_HAS_SOCKET = 0x1,	/* socket is filled in */
	RINGSIDE_PATH_TRUNCATED = 0x2,	/* path or extra is incomplete; U+2026 stands for the missing beginning or end */
	RINGSIDE_IS_COMPAT = 0x4,	/* nr is a number of RINGSIDE_ABI_COMPAT */
	RINGSIDE_HAS_STACK = 0x8,	/* the record ends with the caller's stack */
	RINGSIDE_ADDRESS_GIVEN = 0x10,	/* an address of socket is the call's argument, from user memory */
	RINGSIDE_ARGUMENT_CHANGED = 0x20,	/* the sockaddr argument differed between enter and exit */
	RINGSIDE_PATH_OPENED = 0x40,	/* path is the opened file's, from the kernel; extra is the path argument */
	RINGSIDE_PATH_DELETED = 0x80,	/* path's file, or the folder that the argument begins at, has no name any more */
};

/* Slots for processes marked as Go programs: sets of one cache line each, chosen by the lowest bits of the pid. */
#define RINGSIDE_GO_MAX 4096
#define RINGSIDE_GO_WAYS 4
#define RINGSIDE_GO_SETS (RINGSIDE_GO_MAX / RINGSIDE_GO_WAYS)

/* Fields of struct sock_common, include/net/sock.h. */
struct ringside_socket {
	__u16 family;		/* AF_* */
	__u16 type;		/* SOCK_* */
	__u16 protocol;		/* IPPROTO_* */
	__u16 reserved;
	__u32 local_port;	/* host order; AF_VSOCK has 32 bits */
	__u32 remote_port;	/* host order */
	__u32 netns;		/* inode of the network namespace, as in /proc/PID/ns/net */
	__u32 reserved_too;
	__u8 local_address[16];	/* network order; AF_INET uses the first 4 bytes, AF_VSOCK puts the cid there, host order */
	__u8 remote_address[16];
};

/* One record. The records of one CPU have consecutive seqs across all rings; a missing seq was dropped. */
struct ringside_event {
	__u32 size;		/* bytes of this record, strings and stack included; a multiple of 8 */
	__u8 kind;		/* enum ringside_kind */
	__u8 event_class;	/* enum ringside_class */
	__u8 call;		/* enum ringside_call; NONE for a kind that is no call */
	__u8 flags;
	__u64 seq;		/* per CPU; assigned even if the ring has no room */
	__u64 time_ns;		/* CLOCK_MONOTONIC when the call returned */
	__u64 duration_ns;	/* from enter to exit; exit: life of the process; connect_outcome: since the SYN */
	__s64 ret;		/* as the kernel returned it: negative is -errno */
	__u64 start_ns;		/* CLOCK_BOOTTIME when the process began; (pid, start_ns) identifies it */
	__u64 cgroup_id;	/* in the default (v2) hierarchy */
	__u64 origin_id;	/* fork: start_ns of the creator; *_outcome, messages: seq of the call, 0 if it was not emitted */
	__u32 origin;		/* fork: pid of the creator; *_outcome, messages: cpu of the call */
	__u16 cpu;		/* RINGSIDE_SUMMARY_CPU for a summary */
	__u16 nr;		/* call number in its ABI, or RINGSIDE_NR_URING + IORING_OP_*; else 0 */
	__u32 pid;		/* tgid in the initial pid namespace, as are tid and ppid */
	__u32 tid;
	__u32 ppid;
	__u32 uid;		/* in the initial user namespace, as is euid */
	__u32 euid;
	__s32 fd;		/* first descriptor argument of the call; -1 if it has none */
	__u16 path_size;	/* bytes of path, without NUL */
	__u16 extra_size;	/* bytes of extra, without NUL */
	__u32 advance;		/* set by the ring's reader: how far this record moves its position */
	__u32 arg;		/* open*: flags, numbered as on x86-64; ptrace: the request; io_uring: IORING_OP_*; else 0 */
	__s32 target;		/* ptrace: the pid argument as the caller passed it; else -1 */
	__u32 exec_id;		/* of the program that the process ran: raised by each exec, copied by fork */
	__u32 reserved_too;
	__u64 amount;		/* sendmmsg, recvmmsg, messages: bytes of the record's messages; openat2: its resolve flags;
				   else 0 */
	__s32 reference;	/* ptrace: pid of the target in the initial pid namespace; io_uring: index of a file in the
				   ring's table of registered files; else, or if unknown, -1 */
	__u16 messages;		/* sendmmsg, recvmmsg, messages: number of messages in the record; else 0 */
	__u8 not_entered;	/* not 0: a seccomp filter or a tracer gave the result, and the kernel did not begin the call */
	__u8 reserved;
	char comm[RINGSIDE_COMM_SIZE];	/* name of the thread */
	struct ringside_socket socket;
	/* Two strings without NUL, path and directly behind it extra.
	 *   path: with RINGSIDE_PATH_OPENED the path of the opened file; else the path argument, made absolute with the
	 *   directory that it is relative to; for exec the executable's path; for AF_UNIX calls the sun_path, with '@'
	 *   first if it is abstract. Paths begin at the root of the mount namespace.
	 *   extra: with RINGSIDE_PATH_OPENED the path argument as it was passed; the second path of rename*, link*,
	 *   symlink* and mount, made absolute; for exec and fork the path of the cgroup.
	 * With RINGSIDE_HAS_STACK, __u64 user-space addresses follow, from the next multiple of 8 to the record's end:
	 *   [0] the instruction after the system call; [1] the word at the stack pointer, which is a return address if the
	 *   function has no frame; then the return addresses found by frame pointers, innermost first. */
	char path[];
};

enum ringside_record {
	/* path_size has 16 bits; only a summary needs them all. */
	RINGSIDE_RECORD_MAX_BYTES = sizeof(struct ringside_event) + 65536,
};

/* The value that a cell or a group is a distribution of. */
enum ringside_measure {
	RINGSIDE_MEASURE_LATENCY = 0,	/* nanoseconds from enter to exit */
	RINGSIDE_MEASURE_BYTES = 1,	/* moved by the call, if any */
	RINGSIDE_MEASURE_ERRNO = 2,	/* index is the errno */
	RINGSIDE_MEASURE_DECLARED = 3,	/* index is an enum ringside_declared; in no cell */
};

/* Calls that a process made and that no event shows. */
enum ringside_declared {
	RINGSIDE_DECLARED_LIMITED = 0,		/* counted instead of emitted: beyond the bound of the process */
	RINGSIDE_DECLARED_UNCOUNTED = 1,	/* counted, but in no other group: none was free for the process */
};

/* The number of calls with a value in one bucket. Buckets are log-linear, 32 per octave: a value v >= 1 has index
 * 32 * floor(log2 v) + the 5 bits below its highest. */
struct ringside_cell {
	__u16 measure;		/* enum ringside_measure */
	__u16 index;
	__u32 count;
};

/* The path of a KIND_SUMMARY: the calls of one (program, number) that ended in the interval of duration_ns before
 * time_ns. */
struct ringside_summary {
	__u64 count;
	__u64 errors;
	__u64 total_ns;
	__u64 bytes;
	__u64 limited;		/* of `count`, and outcomes of connects: beyond the bound of the process */
	__u64 uncounted;	/* calls of any number that no other summary of the process has */
	struct ringside_cell cells[];	/* ordered by measure, then index; to the end of the path */
};

/* Bits of ringside_config.filters: the filter maps that must contain a task. */
#define RINGSIDE_FILTER_PIDS 0x1
#define RINGSIDE_FILTER_COMMS 0x2
#define RINGSIDE_FILTER_CGROUPS 0x4
/* No task passes: set while a set of programs is not in use yet or no longer. */
#define RINGSIDE_FILTER_REJECT_ALL 0x8

/* A process that runs a Go program. A reused pid has another start_ns, another program another exec_id. Programs and user
 * space take slots side by side: who exchanges pid for RINGSIDE_GO_TAKEN writes the other fields, then pid. */
struct ringside_go_process {
	__u64 start_ns;		/* start_ns to exec_id: as in ringside_event */
	__u32 pid;		/* 0: free */
	__u32 exec_id;
};
#define RINGSIDE_GO_TAKEN 0xffffffffU

/* The value of map .data.config. User space writes it before loading and while the programs run. */
struct ringside_config {
	__u32 generation;	/* raised after each change to a filter or a mode: cached verdicts expire */
	__u32 filters;
	__u32 self_tgid;	/* the edge's own process, never observed; set by program identify, as is its family */
	__u32 family_tgid;	/* if not 0: this process and its children are not observed either */
	__u64 self_start_ns;	/* start_ns of self_tgid: a process that gets its pid later is observed */
	__u64 family_start_ns;
	__u32 epoch;		/* raised by user space each second; the programs count into half (epoch & 1) */
	__u32 groups;		/* per half, at most RINGSIDE_GROUPS_MAX: map groups has two halves; set before loading */
	__u32 go_functions;	/* not 0: emitted calls of processes in `go` carry their stack */
	__u32 process_events;	/* events that a process may emit per second, exec, fork and exit apart; 0: no bound */
	__u8 call_of[RINGSIDE_ABI_COUNT][RINGSIDE_NR_MAX];	/* number -> enum ringside_call, NONE for no such call;
								   | RINGSIDE_MOVES_BYTES; set before loading */
	__u8 mode_of[RINGSIDE_ABI_COUNT][RINGSIDE_NR_MAX];	/* number -> enum ringside_mode, and its activation */
	struct ringside_go_process go[RINGSIDE_GO_MAX];	/* a process has its slot in set (pid & (RINGSIDE_GO_SETS - 1)) */
};

/*
 * The counts of 32 neighbouring buckets of one (program, number, measure), allocated on first use. The value of map
 * groups, which is mmapped and has two halves of config.groups each: the programs write to half (epoch & 1), from its
 * beginning on. Several groups may have the same (program, number, measure, place); user space adds them up.
 *
 * User space freezes a half: it raises config.epoch by one, then waits for an RCU grace period (membarrier(2),
 * MEMBARRIER_CMD_GLOBAL). No program writes to the other half until epoch is raised again. Its groups 0 to
 * min(used, config.groups) - 1 are complete, and all beyond are zero. Before user space raises epoch again, it zeroes
 * the groups, then used.
 */
struct ringside_group {
	__u64 start_ns;		/* start_ns to exec_id: as in ringside_event */
	__u64 cgroup_id;
	__u32 pid;
	__u32 euid;
	__u32 ppid;
	__u32 uid;
	char comm[RINGSIDE_COMM_SIZE];
	__u32 exec_id;
	__u32 nr : 10;
	__u32 abi : 1;
	__u32 measure : 2;
	__u32 place : 7;	/* index of the first bucket / 32 */
	__u32 call : 6;
	__u32 event_class : 2;
	__u32 reserved : 4;
	__u64 sum;		/* of the values; 0 for errno */
	__u32 counts[32];
};

/* The largest config.groups. */
#define RINGSIDE_GROUPS_MAX 65536

/* The value of map .data.used is ringside_used[2], one for each half of map groups. */
struct ringside_used {
	__u32 groups;		/* allocated; above config.groups if some were refused */
	__u32 reserved[15];	/* fills the cache line */
};

/* The value of map .data.counters is ringside_counters[RINGSIDE_CPU_MAX], one for each CPU. */
struct ringside_counters {
	__u64 seq;	/* the last one assigned; user space starts it at CLOCK_MONOTONIC in units of 100 ns,
			   so that (boot, cpu, seq) never names two events, however often programs are loaded */
	__u64 emitted[RINGSIDE_CLASS_COUNT];
	__u64 dropped[RINGSIDE_CLASS_COUNT];	/* the ring had no room */
	/* Every exit of a call is in one of emitted, dropped, counted and off. Off: excluded by mode or filter, restarted
	   by the kernel, or a close of a descriptor that is no socket. */
	__u64 off[RINGSIDE_CLASS_COUNT];
	__u64 counted[RINGSIDE_CLASS_COUNT];
	__u64 untracked;			/* calls without a state, for lack of memory */
	__u64 uncounted;			/* counted calls that are in no latency group: none was free */
	__u64 limited;				/* calls and outcomes of connects beyond the bound of their process */
	__u64 reserved[4];			/* fills three cache lines, so that CPUs never share one */
};

#endif
