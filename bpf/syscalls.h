/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* System calls: enter saves state, exit emits or counts the call. Paths and addresses in user memory are read at exit,
 * when their pages are present. The program that execve replaces, with its stack, and the socket that close closes are
 * read at enter. */
#ifndef RINGSIDE_SYSCALLS_H
#define RINGSIDE_SYSCALLS_H

static __always_inline void save_exec_path(struct exec_state *exec, const struct text *text)
{
	__u32 bytes = text->bytes;

	exec->path_bytes = 0;
	barrier_var(bytes); /* clang 14 removes the mask that the verifier needs */
	bytes &= RINGSIDE_PATH_MAX - 1;
	if (!text->at || bpf_probe_read_kernel(exec->path, bytes, text->at))
		return;
	exec->path_bytes = bytes;
	exec->is_whole = text->is_whole;
}

static __always_inline void save_exec(struct task_struct *task, struct pt_regs *regs, __s32 dirfd, const char *path)
{
	struct exec_state *exec = bpf_task_storage_get(&execs, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct text text = read_path_argument(WALK_PATH, task, dirfd, path, true);

	if (!exec)
		return;
	describe(&exec->subject, task);
	save_exec_path(exec, &text);
	exec->stack_bytes = find_stack(regs, &exec->subject);
	if (exec->stack_bytes)
		copy_stack((struct stack_walk *)exec->stack, own_stack());
}

static __always_inline bool save_socket(struct task_struct *task, struct task_state *state)
{
	struct sock *sk = sock_of(task, state->args[0]);

	if (!sk)
		return false;
	__builtin_memset(&state->socket, 0, sizeof(state->socket));
	read_sock(&state->socket, sk);
	return true;
}

/* saves state that is gone at exit; false for a call that exit does not emit */
static __always_inline bool save_for_exit(struct task_struct *task, struct task_state *state, struct pt_regs *regs,
					  __u8 call)
{
	if (call == RINGSIDE_CALL_CLOSE)
		return save_socket(task, state);
	if (call == RINGSIDE_CALL_EXECVE)
		save_exec(task, regs, AT_FDCWD, (const char *)state->args[0]);
	else if (call == RINGSIDE_CALL_EXECVEAT)
		save_exec(task, regs, state->args[0], (const char *)state->args[1]);
	else if (takes_address(call))
		save_address(state, call);
	return true;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = find_call(task, number);
	bool alias = is_alias(known.abi, known.nr);
	struct task_state *state;

	if (known.mode == RINGSIDE_MODE_OFF && !alias)
		return 0;
	state = state_of(task);
	if (!state)
		return 0;
	/* discards the state of a call that did not return, as of sigreturn */
	state->mode = RINGSIDE_MODE_OFF;
	if (!is_observed(task, state))
		return 0;
	state->connecting = 0;
	state->beyond_bound = 0;
	state->entered = known.nr;
	state->activation = known.activation;
	if (alias) {
		read_arguments(state->args, regs, known.abi);
		look_up(&known, known.abi, resolve_alias(known.nr, state->args));
	} else if (known.mode == RINGSIDE_MODE_EMIT) {
		read_arguments(state->args, regs, known.abi);
	}
	if (known.mode == RINGSIDE_MODE_EMIT && !save_for_exit(task, state, regs, known.call & RINGSIDE_CALL_MASK))
		return 0;
	state->nr = known.nr;
	state->abi = known.abi;
	state->call = known.call;
	state->mode = known.mode;
	state->enter_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline bool is_entered(const struct task_state *state, const struct known_call *known)
{
	return state->entered == known->nr && state->activation == known->activation;
}

/* The current call, of a global function that emits it. */
static __always_inline struct call_exit current_call(const struct call_exit *given, struct task_state *state)
{
	struct call_exit exit = *given;

	exit.task = bpf_get_current_task_btf();
	exit.state = state;
	return exit;
}

/* Global functions, so that the verifier checks them once each: Linux 5.15 and 6.1 would follow the paths of all of them
 * together, a million instructions. To them, pointers in `given` are numbers. */
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

static __always_inline bool is_limited(const struct call_exit *exit)
{
	return exit->state->beyond_bound ||
	       !take_event(exit->task, exit->state, exit->now, class_of(exit->state->call));
}

/* Discards what was kept for the record of a call that is counted instead. */
static __always_inline void drop_call_state(const struct call_exit *exit)
{
	if (exit->call == RINGSIDE_CALL_EXECVE || exit->call == RINGSIDE_CALL_EXECVEAT)
		bpf_task_storage_delete(&execs, exit->task);
	drop_connect(exit->state);
}

/* Counts every return once: here, or with the record of an emitted call. */
SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = find_call(task, call_number(regs));
	struct call_exit exit = { .task = task, .ret = ret };
	bool is_counted, is_beyond = false;
	__u8 mode;

	exit.call = known.call & RINGSIDE_CALL_MASK;
	/* execve and execveat return with the execve number of the new program's ABI: their state has the original
	 * number */
	if (known.mode == RINGSIDE_MODE_OFF && exit.call != RINGSIDE_CALL_EXECVE &&
	    !is_alias(known.abi, known.nr)) {
		count_off(known.call);
		return 0;
	}
	/* first, so that the time of this program does not count as the call's */
	exit.now = bpf_ktime_get_ns();
	exit.state = bpf_task_storage_get(&tasks, task, 0, 0);
	/* the child's return from a fork, or an untracked call */
	if (!exit.state)
		return 0;
	mode = exit.state->mode;
	exit.state->mode = RINGSIDE_MODE_OFF;
	/* not observed, refused by seccomp before enter, or entered while its mode was off: the state belongs to an
	 * earlier call */
	if (mode == RINGSIDE_MODE_OFF || (exit.call != RINGSIDE_CALL_EXECVE && !is_entered(exit.state, &known))) {
		count_off(known.call);
		return 0;
	}
	exit.call = exit.state->call & RINGSIDE_CALL_MASK;
	is_counted = mode == RINGSIDE_MODE_COUNT || is_counted_duplication(&exit);
	if (!is_counted && is_limited(&exit)) {
		drop_call_state(&exit);
		is_counted = is_beyond = true;
	}
	if (is_counted) {
		count_call(task, exit.state, exit.now, ret, is_beyond);
		return 0;
	}
	describe(&exit.subject, task);
	exit.stack_bytes = find_stack(regs, &exit.subject);

	switch (exit.call) {
	case RINGSIDE_CALL_NONE:
	case RINGSIDE_CALL_OTHER:
	case RINGSIDE_CALL_MEMFD_CREATE:
	case RINGSIDE_CALL_PTRACE:
	case RINGSIDE_CALL_SOCKET:
		emit_other(&exit, exit.state);
		break;
	case RINGSIDE_CALL_OPEN:
	case RINGSIDE_CALL_OPENAT:
	case RINGSIDE_CALL_OPENAT2:
	case RINGSIDE_CALL_CREAT:
	case RINGSIDE_CALL_OPEN_BY_HANDLE_AT:
	case RINGSIDE_CALL_UNLINK:
	case RINGSIDE_CALL_UNLINKAT:
	case RINGSIDE_CALL_TRUNCATE:
		emit_opened(&exit, exit.state);
		break;
	case RINGSIDE_CALL_RENAME:
	case RINGSIDE_CALL_RENAMEAT:
	case RINGSIDE_CALL_RENAMEAT2:
	case RINGSIDE_CALL_LINK:
	case RINGSIDE_CALL_LINKAT:
	case RINGSIDE_CALL_SYMLINK:
	case RINGSIDE_CALL_SYMLINKAT:
	case RINGSIDE_CALL_MOUNT:
		emit_two_paths(&exit, exit.state);
		break;
	case RINGSIDE_CALL_EXECVE:
	case RINGSIDE_CALL_EXECVEAT:
		emit_exec_call(&exit, exit.state);
		break;
	default:
		emit_descriptor(&exit, exit.state);
	}
	return 0;
}

#endif
