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
	exec->stack_bytes = regs ? find_stack(regs, &exec->subject) : 0;
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
	else if (call == RINGSIDE_CALL_PTRACE)
		save_tracee(state);
	else if (takes_address(call))
		save_address(state, call);
	return true;
}

/* True if the call is another one, by its arguments or by the thread's last call. */
static __always_inline bool stands_for_another(const struct known_call *known)
{
	return is_alias(known->abi, known->nr) || is_restart_syscall(known->abi, known->nr);
}

/* Replaces a call by the one that it stands for, and its arguments. Those of a resumed call are still in the registers. */
static __always_inline void resolve_call(struct known_call *known, struct task_state *state)
{
	__u16 nr = known->nr;

	if (is_alias(known->abi, nr))
		nr = resolve_alias(nr, state->args);
	else if (state->resumed)
		nr = state->resumed - 1;
	look_up(known, known->abi, nr);
}

/* Saves what the exit of an observed call needs; its arguments are read. */
static __always_inline void begin_call(struct task_struct *task, struct task_state *state, struct pt_regs *regs,
				       struct known_call *known)
{
	state->connecting = 0;
	state->entered = known->nr;
	state->activation = known->activation;
	if (stands_for_another(known))
		resolve_call(known, state);
	if (known->mode == RINGSIDE_MODE_EMIT && !save_for_exit(task, state, regs, known->call & RINGSIDE_CALL_MASK))
		known->mode = MODE_IGNORE;
	state->nr = known->nr;
	state->abi = known->abi;
	state->call = known->call;
	state->mode = known->mode;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = find_call(task, number);
	struct task_state *state;

	if (known.mode == RINGSIDE_MODE_OFF && !stands_for_another(&known))
		return 0;
	state = state_of(task);
	if (!state)
		return 0;
	/* discards the state of a call that did not return */
	state->mode = RINGSIDE_MODE_OFF;
	state->enter_generation = 0;
	if (!is_observed(task, state))
		return 0;
	state->beyond_bound = 0;
	state->enter_generation = config.generation;
	if (known.mode == RINGSIDE_MODE_EMIT || stands_for_another(&known))
		read_arguments(state->args, regs, known.abi);
	begin_call(task, state, regs, &known);
	state->enter_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline bool is_entered(const struct task_state *state, const struct known_call *known)
{
	return state->entered == known->nr && state->activation == known->activation;
}

/* The call of this exit. The exit of sigreturn has no number, and the thread's state has it. */
static __always_inline struct known_call find_exit(struct task_struct *task, struct pt_regs *regs)
{
	struct known_call known = find_call(task, call_number(regs));
	struct task_state *state;

	if (!has_no_number(regs))
		return known;
	state = bpf_task_storage_get(&tasks, task, 0, 0);
	if (state && state->mode != RINGSIDE_MODE_OFF)
		look_up(&known, state->abi & 1, state->entered & (RINGSIDE_NR_MAX - 1));
	return known;
}

/* Notes which call restart_syscall resumes, also of calls that are off. */
static __always_inline void save_resumed(struct task_struct *task, const struct known_call *known)
{
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);

	if (state && !is_restart_syscall(known->abi, known->nr))
		state->resumed = known->nr + 1;
}

/*
 * True if the kernel did not enter the call. The state has no enter of it, but the thread has entered another call since
 * the last change of modes and filters, and a thread is in one call at a time: this one began after that change, and its
 * enter would have been observed. A successful exec may return with a number of another ABI than it was entered with.
 */
static __always_inline bool was_not_entered(const struct task_state *state, const struct known_call *known, __s64 ret)
{
	if (state->enter_generation != config.generation)
		return false;
	return ret < 0 || (known->call & RINGSIDE_CALL_MASK) != RINGSIDE_CALL_EXECVE;
}

/* A filter that answers by a signal leaves the call's number in the register of the result. */
static __always_inline __s64 result_of_filter(struct task_struct *task, __s64 ret)
{
	return BPF_CORE_READ(task, pending.signal.sig[0]) & SIGNAL_BIT(SIGSYS) ? -ENOSYS : ret;
}

/* begin_call() at the exit of a call that the kernel did not enter. Global, so that the verifier checks it once. */
__noinline int begin_at_exit(struct task_state *state, __u32 abi, __u32 nr)
{
	struct known_call known = {};

	if (!state)
		return 0;
	look_up(&known, abi & 1, nr & (RINGSIDE_NR_MAX - 1));
	begin_call(bpf_get_current_task_btf(), state, 0, &known);
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

/* Counts every exit once: here, or with the record of an emitted call. */
SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = find_exit(task, regs);
	struct call_exit exit = { .task = task };
	bool is_counted, is_beyond = false;
	__u8 mode;

	if (ret == -ERESTART_RESTARTBLOCK)
		save_resumed(task, &known);
	exit.call = known.call & RINGSIDE_CALL_MASK;
	/* execve and execveat return with the execve number of the new program's ABI: their state has the original
	 * number */
	if (known.mode == RINGSIDE_MODE_OFF && exit.call != RINGSIDE_CALL_EXECVE && !stands_for_another(&known)) {
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
	exit.state->not_entered = false;
	exit.state->ret = ret;
	if (mode == RINGSIDE_MODE_OFF && was_not_entered(exit.state, &known, ret)) {
		read_arguments(exit.state->args, regs, known.abi);
		begin_at_exit(exit.state, known.abi, known.nr);
		mode = exit.state->mode;
		exit.state->mode = RINGSIDE_MODE_OFF;
		exit.state->enter_ns = exit.now;
		exit.state->not_entered = true;
		exit.state->ret = result_of_filter(task, ret);
	} else if (exit.call != RINGSIDE_CALL_EXECVE && !is_entered(exit.state, &known)) {
		/* entered while its mode was off: the state belongs to an earlier call */
		mode = RINGSIDE_MODE_OFF;
	}
	/* not observed, or a close of no socket */
	if (mode == RINGSIDE_MODE_OFF || mode == MODE_IGNORE) {
		count_off(known.call);
		return 0;
	}
	exit.call = exit.state->call & RINGSIDE_CALL_MASK;
	if (is_sigreturn(exit.state->abi, exit.state->nr))
		exit.state->ret = 0;
	/* from memory: the verifier would follow each of its constants */
	exit.ret = *(volatile __s64 *)&exit.state->ret;
	is_counted = mode == RINGSIDE_MODE_COUNT || is_counted_duplication(&exit);
	/* the program sees the result of the restarted call; a connect has begun, and stays visible whatever follows */
	if (!is_counted && is_restart_result(ret) && exit.call != RINGSIDE_CALL_CONNECT && restarts(-ret)) {
		count_off(known.call);
		return 0;
	}
	if (!is_counted && is_limited(&exit)) {
		drop_call_state(&exit);
		is_counted = is_beyond = true;
	}
	if (is_counted) {
		count_call(task, exit.state, exit.now, exit.ret, is_beyond);
		return 0;
	}
	describe(&exit.state->subject, task);
	exit.stack_bytes = find_stack(regs, &exit.state->subject);

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
