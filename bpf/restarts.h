/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Calls that a signal interrupts: whether the kernel restarts them, so that this exit is no result that the program sees. */
#ifndef RINGSIDE_RESTARTS_H
#define RINGSIDE_RESTARTS_H

#define SIGNAL_BIT(signal) (1ULL << ((signal)-1))

static __always_inline bool is_restart_result(__s64 ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK;
}

static __always_inline __u64 pending_signals(struct task_struct *task)
{
	__u64 pending = BPF_CORE_READ(task, pending.signal.sig[0]) | BPF_CORE_READ(task, signal, shared_pending.signal.sig[0]);

	return pending & ~BPF_CORE_READ(task, blocked.sig[0]);
}

/* True if a signal is not pending, or ends neither the thread nor the call (handle_signal, arch/x86/kernel/signal.c).
 * Global, so that the verifier checks it once instead of for each signal. */
__noinline bool restarts_after(__u32 signal, __u32 error)
{
	const __u64 no_effect = SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) |
				SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);
	struct task_struct *task = bpf_get_current_task_btf();
	struct sighand_struct *hands = BPF_CORE_READ(task, sighand);
	struct k_sigaction *actions = __builtin_preserve_access_index(&hands->action[0]);
	struct k_sigaction *action = (void *)actions + ((signal - 1) & 63) * bpf_core_type_size(struct k_sigaction);
	__u64 handler;

	if (!(pending_signals(task) >> ((signal - 1) & 63) & 1))
		return true;
	handler = (__u64)BPF_CORE_READ(action, sa.sa_handler);
	if (handler == SIG_IGN)
		return true;
	if (handler == SIG_DFL)
		return no_effect >> ((signal - 1) & 63) & 1;
	return error == ERESTARTNOINTR || (error == ERESTARTSYS && (BPF_CORE_READ(action, sa.sa_flags) & SA_RESTART));
}

/* At the exit of a call whose result is one of is_restart_result(): true if the kernel restarts it, whichever of the
 * pending signals comes first. Global, so that the verifier checks it once. */
__noinline bool restarts(__u32 error)
{
	for (__u32 signal = 1; signal <= 64; signal++) {
		if (!restarts_after(signal, error))
			return false;
	}
	return true;
}

#endif
