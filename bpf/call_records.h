/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits a call that exits, by global functions, which the verifier checks once each: Linux 5.15 and 6.1 would follow the
 * paths of all of them together, a million instructions. To them, pointers in `given` are numbers. */
#ifndef RINGSIDE_CALL_RECORDS_H
#define RINGSIDE_CALL_RECORDS_H

/* The current call, of a global function that emits it. */
static __always_inline struct call_exit current_call(const struct call_exit *given, struct task_state *state)
{
	struct call_exit exit = *given;

	exit.task = bpf_get_current_task_btf();
	exit.state = state;
	return exit;
}

__noinline int emit_opened(const struct call_exit *given, struct task_state *state)
{
	struct call_exit exit;

	if (!given || !state)
		return 0;
	exit = current_call(given, state);
	exit_path(&exit);
	return 0;
}

__noinline int emit_two_paths(const struct call_exit *given, struct task_state *state)
{
	struct call_exit exit;

	if (!given || !state)
		return 0;
	exit = current_call(given, state);
	exit_two_paths(&exit);
	return 0;
}

__noinline int emit_exec_call(const struct call_exit *given, struct task_state *state)
{
	struct call_exit exit;

	if (!given || !state)
		return 0;
	exit = current_call(given, state);
	exit_exec(&exit);
	return 0;
}

__noinline int emit_descriptor(const struct call_exit *given, struct task_state *state)
{
	struct call_exit exit;

	if (!given || !state)
		return 0;
	exit = current_call(given, state);
	exit_descriptor(&exit);
	return 0;
}

__noinline int emit_other(const struct call_exit *given, struct task_state *state)
{
	struct call_exit exit;

	if (!given || !state)
		return 0;
	exit = current_call(given, state);
	if (exit.call == RINGSIDE_CALL_MEMFD_CREATE)
		exit_memfd(&exit);
	else if (exit.call == RINGSIDE_CALL_PTRACE)
		exit_ptrace(&exit);
	else if (exit.call == RINGSIDE_CALL_SOCKET)
		exit_socket(&exit);
	else
		exit_other(&exit);
	return 0;
}

#endif
