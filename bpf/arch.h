/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What differs between architectures: where a system call's number and arguments lie. */
#ifndef RINGSIDE_ARCH_H
#define RINGSIDE_ARCH_H

#if defined(__TARGET_ARCH_x86)

enum { NR_CONNECT = 42 };

static __always_inline __u64 call_number(struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline void read_arguments(__u64 *args, struct pt_regs *regs)
{
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
	args[4] = regs->r8;
	args[5] = regs->r9;
}

/* a 32-bit entry has its own numbers; also when a 64-bit program uses int $0x80 */
static __always_inline bool is_compat(struct task_struct *task)
{
	const __u32 ts_compat = 0x2; /* arch/x86/include/asm/thread_info.h */

	return task->thread_info.status & ts_compat;
}

#elif defined(__TARGET_ARCH_arm64)

enum { NR_CONNECT = 203 };

static __always_inline __u64 call_number(struct pt_regs *regs)
{
	return (__u32)regs->syscallno;
}

static __always_inline void read_arguments(__u64 *args, struct pt_regs *regs)
{
	args[0] = regs->orig_x0;
	args[1] = regs->regs[1];
	args[2] = regs->regs[2];
	args[3] = regs->regs[3];
	args[4] = regs->regs[4];
	args[5] = regs->regs[5];
}

static __always_inline bool is_compat(struct task_struct *task)
{
	const unsigned long tif_32bit = 1UL << 22; /* arch/arm64/include/asm/thread_info.h */

	return task->thread_info.flags & tif_32bit;
}

#endif

#endif
