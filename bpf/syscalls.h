/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* System calls: enter remembers, exit tells. Paths and addresses in user memory are read at exit,
 * when their pages have been faulted in; what exit can no longer see (the program that execve
 * replaces, the socket that close closes) is read at enter. */
#ifndef RINGSIDE_SYSCALLS_H
#define RINGSIDE_SYSCALLS_H

static __always_inline void remember_exec(struct task_struct *task, const char *path)
{
	struct exec_state *exec = bpf_task_storage_get(&execs, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	long bytes;

	if (!exec)
		return;
	describe(&exec->subject, task);
	bytes = bpf_probe_read_user_str(exec->path, sizeof(exec->path), path);
	exec->path_bytes = bytes > 0 ? bytes : 0;
}

static __always_inline bool remember_close(struct task_struct *task, struct task_state *state)
{
	struct sock *sk = sock_of(task, state->args[0]);

	if (!sk)
		return false;
	__builtin_memset(&state->socket, 0, sizeof(state->socket));
	read_sock(&state->socket, sk);
	return true;
}

/* what exit can no longer see; false when there is nothing to tell at exit */
static __always_inline bool remember(struct task_struct *task, struct task_state *state, __u8 call)
{
	if (call == RINGSIDE_CALL_CLOSE)
		return remember_close(task, state);
	if (call == RINGSIDE_CALL_EXECVE)
		remember_exec(task, (const char *)state->args[0]);
	else if (call == RINGSIDE_CALL_EXECVEAT)
		remember_exec(task, (const char *)state->args[1]);
	return true;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = find_call(task, number);
	bool is_another = stands_for_another(known.abi, known.nr);
	struct task_state *state;

	if (known.mode == RINGSIDE_MODE_OFF && !is_another)
		return 0;
	state = state_of(task);
	if (!state)
		return 0;
	/* a call that never came back, as after sigreturn, is forgotten */
	state->mode = RINGSIDE_MODE_OFF;
	if (!is_observed(task, state))
		return 0;
	state->entered = known.nr;
	state->activation = known.activation;
	if (is_another) {
		read_arguments(state->args, regs, known.abi);
		look_up(&known, known.abi, take_apart(known.nr, state->args));
	} else if (known.mode == RINGSIDE_MODE_EMIT) {
		read_arguments(state->args, regs, known.abi);
	}
	if (known.mode == RINGSIDE_MODE_EMIT && !remember(task, state, known.call & RINGSIDE_CALL_MASK))
		return 0;
	state->nr = known.nr;
	state->abi = known.abi;
	state->call = known.call;
	state->mode = known.mode;
	state->enter_ns = bpf_ktime_get_ns();
	return 0;
}

/* What is the same for all calls. The task is described before the calls part ways: each walk from it
 * costs the verifier a search of the kernel's types, for every path that leads there. */
struct call_exit {
	struct task_struct *task;
	struct task_state *state;
	struct subject subject;
	__u64 now;
	__s64 ret;
	__u32 stack_bytes;	/* of own_stack(); 0: where it was called from is not told */
	__u8 call;
};

static __always_inline struct ringside_event *reserve_call(const struct call_exit *exit, __u64 bytes)
{
	struct ringside_event *event =
		reserve_event(RINGSIDE_KIND_SYSCALL, class_of(exit->call), bytes);

	if (!event)
		return 0;
	event->call = exit->call ?: RINGSIDE_CALL_OTHER;
	event->nr = exit->state->nr;
	if (exit->state->abi == RINGSIDE_ABI_COMPAT)
		event->flags = RINGSIDE_IS_COMPAT;
	event->time_ns = exit->now;
	event->duration_ns = exit->now - exit->state->enter_ns;
	event->ret = exit->ret;
	write_subject(event, &exit->subject);
	return event;
}

static __always_inline __u32 read_open_flags(const struct call_exit *exit)
{
	const __u64 *args = exit->state->args;
	__u64 flags = 0;

	if (exit->call == RINGSIDE_CALL_OPEN)
		return args[1];
	if (exit->call == RINGSIDE_CALL_OPENAT)
		return args[2];
	/* struct open_how begins with them */
	bpf_probe_read_user(&flags, sizeof(flags), (void *)args[2]);
	return flags;
}

/* open* and unlink* */
static __always_inline void exit_path(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + RINGSIDE_PATH_SHORT);
	__u64 path = exit->state->args[1];

	if (!event)
		return;
	if (exit->call == RINGSIDE_CALL_OPEN || exit->call == RINGSIDE_CALL_UNLINK)
		path = exit->state->args[0];
	else
		event->fd = exit->state->args[0];
	if (exit->call != RINGSIDE_CALL_UNLINK && exit->call != RINGSIDE_CALL_UNLINKAT)
		event->arg = read_open_flags(exit);
	submit_with_path(event, (const char *)path, true, exit->stack_bytes);
}

static __always_inline void exit_rename(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + 2 * RINGSIDE_PATH_SHORT);
	const __u64 *args = exit->state->args;
	__u64 from = args[1], to = args[3];

	if (!event)
		return;
	if (exit->call == RINGSIDE_CALL_RENAME) {
		from = args[0];
		to = args[1];
	} else {
		event->fd = args[0];
	}
	submit_with_paths(event, (const char *)from, (const char *)to, true, exit->stack_bytes);
}

static __always_inline void exit_ptrace(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event));

	if (!event)
		return;
	event->arg = exit->state->args[0];
	event->target = exit->state->args[1];
	submit_with_stack(event, 0, exit->stack_bytes);
}

/* What was asked for, when there is no socket that knows better. */
static __always_inline void exit_socket(const struct call_exit *exit)
{
	struct sock *sk = exit->ret < 0 ? 0 : sock_of(exit->task, exit->ret);
	struct ringside_event *event = reserve_call(exit, sizeof(*event));
	const __u64 *args = exit->state->args;

	if (!event)
		return;
	event->flags |= RINGSIDE_HAS_SOCKET;
	if (sk) {
		read_sock(&event->socket, sk);
	} else {
		event->socket.family = args[0];
		event->socket.type = args[1] & SOCK_TYPE_MASK;
		event->socket.protocol = args[2];
	}
	submit_with_stack(event, 0, exit->stack_bytes);
}

static __always_inline void exit_exec(const struct call_exit *exit)
{
	struct exec_state *exec = bpf_task_storage_get(&execs, exit->task, 0, 0);
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + RINGSIDE_PATH_SHORT);
	__u64 path = exit->state->args[0];

	if (exit->call == RINGSIDE_CALL_EXECVEAT)
		path = exit->state->args[1];
	if (event && exit->call == RINGSIDE_CALL_EXECVEAT)
		event->fd = exit->state->args[0];
	if (event && exec) {
		write_subject(event, &exec->subject);
		if (exec->path_bytes > 1)
			submit_with_path(event, exec->path, false, exit->stack_bytes);
		else
			submit_with_path(event, (const char *)path, true, exit->stack_bytes);
	} else if (event) {
		submit_with_stack(event, RINGSIDE_PATH_SHORT, exit->stack_bytes);
	}
	bpf_task_storage_delete(&execs, exit->task);
}

/* what a struct msghdr, or the first of struct mmsghdrs, says of the other end; its layout is the caller's */
static __always_inline struct user_name read_message_name(const struct task_state *state)
{
	const void *header = (const void *)state->args[1];
	struct user_name name = {};
	__u32 words[2];

	if (!has_short_pointers(state->abi, state->nr)) {
		bpf_probe_read_user(&name, sizeof(__u64) + sizeof(__u32), header);
	} else if (!bpf_probe_read_user(words, sizeof(words), header)) {
		name.at = words[0];
		name.bytes = words[1];
	}
	return name;
}

/* The sockaddr that the call was given or that it filled in, none when there is none to tell of. */
static __always_inline struct user_name find_address(const struct call_exit *exit)
{
	const __u64 *args = exit->state->args;
	struct user_name name = {};

	switch (exit->call) {
	case RINGSIDE_CALL_BIND:
		/* once bound, the socket knows better: port 0 has become a real one */
		if (exit->ret >= 0)
			break;
		/* fall through */
	case RINGSIDE_CALL_CONNECT:
		name.at = args[1];
		name.bytes = args[2];
		break;
	case RINGSIDE_CALL_SENDTO:
		name.at = args[4];
		name.bytes = args[5];
		break;
	case RINGSIDE_CALL_RECVFROM:
		if (exit->ret < 0 || bpf_probe_read_user(&name.bytes, sizeof(name.bytes), (void *)args[5]))
			break;
		name.at = args[4];
		break;
	case RINGSIDE_CALL_RECVMSG:
	case RINGSIDE_CALL_RECVMMSG:
		if (exit->ret < 0)
			break;
		/* fall through */
	case RINGSIDE_CALL_SENDMSG:
	case RINGSIDE_CALL_SENDMMSG:
		name = read_message_name(exit->state);
		break;
	}
	return name;
}

/* `room` is a constant: RINGSIDE_PATH_SHORT for a name that has a path, else none. */
static __always_inline void submit_descriptor(const struct call_exit *exit, __u32 fd,
					      const struct ringside_socket *socket, const struct unix_name *name,
					      __u32 room)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + room);

	if (!event)
		return;
	event->fd = fd;
	if (socket->family) {
		event->flags |= RINGSIDE_HAS_SOCKET;
		event->socket = *socket;
	}
	if (room)
		write_unix_path(event, name);
	submit_with_stack(event, room, exit->stack_bytes);
}

static __always_inline void exit_descriptor(const struct call_exit *exit)
{
	struct ringside_socket socket = {};
	struct unix_name name = {};
	struct user_name given;
	__u32 fd = exit->state->args[0];
	struct sock *sk = 0;

	if (exit->call == RINGSIDE_CALL_CLOSE) {
		socket = exit->state->socket;
	} else {
		/* an accepted connection is the new descriptor's; the listener's when there is none */
		bool is_accepted = exit->ret >= 0 &&
				   (exit->call == RINGSIDE_CALL_ACCEPT || exit->call == RINGSIDE_CALL_ACCEPT4);

		sk = sock_of(exit->task, is_accepted ? exit->ret : fd);
	}
	if (sk) {
		read_sock(&socket, sk);
		if (socket.family == AF_UNIX)
			find_unix_name(&name, sk);
	}
	given = find_address(exit);
	overlay_address(&socket, &name, given.at, given.bytes, exit->call == RINGSIDE_CALL_BIND);

	if (name.path)
		submit_descriptor(exit, fd, &socket, &name, RINGSIDE_PATH_SHORT);
	else
		submit_descriptor(exit, fd, &socket, &name, 0);
}

/* A call that is told of by its number, its result and its time alone. */
static __always_inline void exit_other(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event));

	if (event)
		submit_with_stack(event, 0, exit->stack_bytes);
}

static __always_inline bool is_entered(const struct task_state *state, const struct known_call *known)
{
	return state->entered == known->nr && state->activation == known->activation;
}

/* Every return is counted once: here or, for one that is emitted, with its record. */
SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = find_call(task, call_number(regs));
	struct call_exit exit = { .task = task, .ret = ret };
	__u8 mode;

	exit.call = known.call & RINGSIDE_CALL_MASK;
	/* execve comes out under the number of the program that it began, which may be of another ABI, and so does
	 * execveat: what it was, enter knows */
	if (known.mode == RINGSIDE_MODE_OFF && exit.call != RINGSIDE_CALL_EXECVE &&
	    !stands_for_another(known.abi, known.nr)) {
		count_off(known.call);
		return 0;
	}
	/* before anything that takes time: what is done here must not count as the call's */
	exit.now = bpf_ktime_get_ns();
	exit.state = bpf_task_storage_get(&tasks, task, 0, 0);
	/* the child's side of a fork, or a call that is untracked already */
	if (!exit.state)
		return 0;
	mode = exit.state->mode;
	exit.state->mode = RINGSIDE_MODE_OFF;
	/* not observed, refused by seccomp before it was entered, or entered while it was off: the state is then of an
	 * older call */
	if (mode == RINGSIDE_MODE_OFF || (exit.call != RINGSIDE_CALL_EXECVE && !is_entered(exit.state, &known))) {
		count_off(known.call);
		return 0;
	}
	exit.call = exit.state->call & RINGSIDE_CALL_MASK;
	if (mode == RINGSIDE_MODE_COUNT) {
		count_call(task, exit.state, exit.now, ret);
		return 0;
	}
	describe(&exit.subject, task);
	exit.stack_bytes = find_stack(regs, &exit.subject);

	switch (exit.call) {
	case RINGSIDE_CALL_NONE:
	case RINGSIDE_CALL_OTHER:
		exit_other(&exit);
		break;
	case RINGSIDE_CALL_OPEN:
	case RINGSIDE_CALL_OPENAT:
	case RINGSIDE_CALL_OPENAT2:
	case RINGSIDE_CALL_UNLINK:
	case RINGSIDE_CALL_UNLINKAT:
		exit_path(&exit);
		break;
	case RINGSIDE_CALL_RENAME:
	case RINGSIDE_CALL_RENAMEAT:
	case RINGSIDE_CALL_RENAMEAT2:
		exit_rename(&exit);
		break;
	case RINGSIDE_CALL_PTRACE:
		exit_ptrace(&exit);
		break;
	case RINGSIDE_CALL_SOCKET:
		exit_socket(&exit);
		break;
	case RINGSIDE_CALL_EXECVE:
	case RINGSIDE_CALL_EXECVEAT:
		exit_exec(&exit);
		break;
	default:
		exit_descriptor(&exit);
	}
	return 0;
}

#endif
