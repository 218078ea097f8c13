/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Differences between architectures: where the number and arguments of a system call are, and which calls are aliases
 * of others. */
#ifndef RINGSIDE_ARCH_H
#define RINGSIDE_ARCH_H

/* A thread's registers in user space. */
struct user_registers {
	__u64 ip;
	__u64 sp;
	__u64 frame_pointer;
};

#if defined(__TARGET_ARCH_x86)

enum { NR_CONNECT = 42 };

static __always_inline __u64 call_number(struct pt_regs *regs)
{
	return regs->orig_ax;
}

/* at the exit of sigreturn, which has replaced the registers */
static __always_inline bool has_no_number(struct pt_regs *regs)
{
	return (__s64)regs->orig_ax == -1;
}

static __always_inline void read_arguments(__u64 *args, struct pt_regs *regs, __u8 abi)
{
	if (abi == RINGSIDE_ABI_COMPAT) {
		args[0] = (__u32)regs->bx;
		args[1] = (__u32)regs->cx;
		args[2] = (__u32)regs->dx;
		args[3] = (__u32)regs->si;
		args[4] = (__u32)regs->di;
		args[5] = (__u32)regs->bp;
		return;
	}
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
	args[4] = regs->r8;
	args[5] = regs->r9;
}

/* x32 uses the 64-bit entry with 32-bit pointers. Its numbers have this bit; those from 512 on use 32-bit structures. */
enum { X32_SYSCALL_BIT = 0x40000000, X32_FIRST = 512 };

static __always_inline __u64 number_in_table(__u64 number)
{
	return number & ~(__u64)X32_SYSCALL_BIT;
}

static __always_inline bool has_short_pointers(__u8 abi, __u16 nr)
{
	return abi == RINGSIDE_ABI_COMPAT || nr >= X32_FIRST;
}

/* socketcall(2) of i386, by its first argument (SYS_*, include/uapi/linux/net.h): the number of the equivalent call, and
 * how many argument words its second argument points to. accept becomes accept4 without flags; send and recv become
 * sendto and recvfrom without an address. */
enum { NR_SOCKETCALL = 102 };
struct socketcall {
	__u16 nr;
	__u16 words;
};
const struct socketcall socketcalls[32] = {
	[1] = { 359, 3 },  [2] = { 361, 3 },  [3] = { 362, 3 },	 [4] = { 363, 2 },  [5] = { 364, 3 },
	[6] = { 367, 3 },  [7] = { 368, 3 },  [8] = { 360, 4 },	 [9] = { 369, 4 },  [10] = { 371, 4 },
	[11] = { 369, 6 }, [12] = { 371, 6 }, [13] = { 373, 2 }, [14] = { 366, 5 }, [15] = { 365, 5 },
	[16] = { 370, 3 }, [17] = { 372, 3 }, [18] = { 364, 4 }, [19] = { 337, 5 }, [20] = { 345, 4 },
};

static __always_inline bool is_alias(__u8 abi, __u16 nr)
{
	return abi == RINGSIDE_ABI_COMPAT && nr == NR_SOCKETCALL;
}

/* The kernel resumes the call of the thread's restart_block by it. */
static __always_inline bool is_restart_syscall(__u8 abi, __u16 nr)
{
	return nr == (abi == RINGSIDE_ABI_COMPAT ? 0 : 219);
}

/* Calls that restore the registers of the code that a signal interrupted: their result is a value of that code. */
static __always_inline bool is_sigreturn(__u8 abi, __u16 nr)
{
	return abi == RINGSIDE_ABI_COMPAT ? nr == 119 || nr == 173 : nr == 15 || nr == 513;
}

/* Returns the number of the equivalent call and replaces args with its arguments; returns nr if they are unreadable. */
static __always_inline __u16 resolve_alias(__u16 nr, __u64 *args)
{
	struct socketcall call = socketcalls[args[0] & 31];
	__u32 words[8] = {};

	if (args[0] > 31 || !call.nr ||
	    bpf_probe_read_user(words, (call.words & 7) * sizeof(words[0]), (void *)args[1]))
		return nr;
	for (int i = 0; i < 6; i++)
		args[i] = words[i];
	return call.nr;
}

/* also true for a 64-bit program that uses int $0x80, the 32-bit entry with its own numbers */
static __always_inline bool is_compat(struct task_struct *task)
{
	const __u32 ts_compat = 0x2; /* arch/x86/include/asm/thread_info.h */

	return task->thread_info.status & ts_compat;
}

/* Flags of open* with the numbers of x86-64. */
static __always_inline __u32 generic_open_flags(__u32 flags)
{
	return flags;
}

static __always_inline bool read_user_registers(struct user_registers *to, struct pt_regs *regs)
{
	to->ip = regs->ip;
	to->sp = regs->sp;
	to->frame_pointer = regs->bp;
	return true;
}

#elif defined(__TARGET_ARCH_arm64)

enum { NR_CONNECT = 203 };

static __always_inline __u64 call_number(struct pt_regs *regs)
{
	return (__u32)regs->syscallno;
}

/* at the exit of sigreturn, which has replaced the registers */
static __always_inline bool has_no_number(struct pt_regs *regs)
{
	return regs->syscallno == -1;
}

static __always_inline void read_arguments(__u64 *args, struct pt_regs *regs, __u8 abi)
{
	args[0] = regs->orig_x0;
	args[1] = regs->regs[1];
	args[2] = regs->regs[2];
	args[3] = regs->regs[3];
	args[4] = regs->regs[4];
	args[5] = regs->regs[5];
}

/* Flags of open* with the numbers of x86-64: O_DIRECTORY and O_NOFOLLOW have changed places with O_DIRECT and O_LARGEFILE
 * (arch/arm64/include/uapi/asm/fcntl.h). */
static __always_inline __u32 generic_open_flags(__u32 flags)
{
	const __u32 pair = 3U << 14;

	return (flags & ~(pair | pair << 2)) | (flags & pair) << 2 | (flags >> 2 & pair);
}

/* not supported yet: the caller of a leaf function is in the link register */
static __always_inline bool read_user_registers(struct user_registers *to, struct pt_regs *regs)
{
	return false;
}

static __always_inline __u64 number_in_table(__u64 number)
{
	return number;
}

static __always_inline bool has_short_pointers(__u8 abi, __u16 nr)
{
	return abi == RINGSIDE_ABI_COMPAT;
}

/* send(2) and recv(2) of 32-bit arm: sendto and recvfrom without an address, whose numbers are one higher */
enum { NR_SEND = 289, NR_RECV = 291 };

static __always_inline bool is_alias(__u8 abi, __u16 nr)
{
	return abi == RINGSIDE_ABI_COMPAT && (nr == NR_SEND || nr == NR_RECV);
}

/* The kernel resumes the call of the thread's restart_block by it. */
static __always_inline bool is_restart_syscall(__u8 abi, __u16 nr)
{
	return nr == (abi == RINGSIDE_ABI_COMPAT ? 0 : 128);
}

/* Calls that restore the registers of the code that a signal interrupted: their result is a value of that code. */
static __always_inline bool is_sigreturn(__u8 abi, __u16 nr)
{
	return abi == RINGSIDE_ABI_COMPAT ? nr == 119 || nr == 173 : nr == 139;
}

static __always_inline __u16 resolve_alias(__u16 nr, __u64 *args)
{
	args[4] = args[5] = 0;
	return nr + 1;
}

static __always_inline bool is_compat(struct task_struct *task)
{
	const unsigned long tif_32bit = 1UL << 22; /* arch/arm64/include/asm/thread_info.h */

	return task->thread_info.flags & tif_32bit;
}

#endif

#endif
