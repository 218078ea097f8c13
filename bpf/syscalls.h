/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* System calls: enter remembers, exit tells. Paths and addresses in user memory are read at exit,
 * when their pages have been faulted in; what exit can no longer see (the program that execve
 * replaces, the socket that close closes) is read at enter. */
#ifndef RINGSIDE_SYSCALLS_H
#define RINGSIDE_SYSCALLS_H

/* struct user_msghdr as far as it is read */
struct message_header {
	__u64 name;
	__u32 name_bytes;
};

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

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = find_call(task, number);
	struct task_state *state;
	__u8 call = known.call & RINGSIDE_CALL_MASK;

	if (known.mode == RINGSIDE_MODE_OFF)
		return 0;
	state = state_of(task);
	if (!state)
		return 0;
	/* a call that never came back, as after sigreturn, is forgotten */
	state->mode = RINGSIDE_MODE_OFF;
	if (!is_observed(task, state))
		return 0;
	if (known.mode == RINGSIDE_MODE_EMIT) {
		read_arguments(state->args, regs);
		if (call == RINGSIDE_CALL_CLOSE && !remember_close(task, state))
			return 0;
		if (call == RINGSIDE_CALL_EXECVE)
			remember_exec(task, (const char *)state->args[0]);
		else if (call == RINGSIDE_CALL_EXECVEAT)
			remember_exec(task, (const char *)state->args[1]);
	}
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

static __always_inline void exit_open(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event) + RINGSIDE_PATH_SHORT);
	__u64 path = exit->state->args[1];

	if (!event)
		return;
	if (exit->call == RINGSIDE_CALL_OPEN)
		path = exit->state->args[0];
	else
		event->fd = exit->state->args[0];
	submit_with_path(event, (const char *)path, true);
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
			submit_with_path(event, exec->path, false);
		else
			submit_with_path(event, (const char *)path, true);
	} else if (event) {
		submit_event(event);
	}
	bpf_task_storage_delete(&execs, exit->task);
}

/* the sockaddr that the call was given, over what its socket says */
static __always_inline void overlay_argument(struct ringside_socket *socket, struct unix_name *name,
					     const struct call_exit *exit)
{
	const __u64 *args = exit->state->args;
	struct message_header header = {};

	switch (exit->call) {
	case RINGSIDE_CALL_CONNECT:
		overlay_address(socket, name, args[1], args[2], false);
		break;
	case RINGSIDE_CALL_SENDTO:
		overlay_address(socket, name, args[4], args[5], false);
		break;
	case RINGSIDE_CALL_SENDMSG:
		if (!bpf_probe_read_user(&header, sizeof(header), (void *)args[1]))
			overlay_address(socket, name, header.name, header.name_bytes, false);
		break;
	case RINGSIDE_CALL_BIND:
		/* once bound, the socket knows better: port 0 has become a real one */
		if (exit->ret < 0)
			overlay_address(socket, name, args[1], args[2], true);
		break;
	}
}

static __always_inline void exit_descriptor(const struct call_exit *exit)
{
	struct ringside_socket socket = {};
	struct unix_name name = {};
	struct ringside_event *event;
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
	overlay_argument(&socket, &name, exit);

	if (name.path)
		event = reserve_call(exit, sizeof(*event) + RINGSIDE_PATH_SHORT);
	else
		event = reserve_call(exit, sizeof(*event));
	if (!event)
		return;
	event->fd = fd;
	if (socket.family) {
		event->flags |= RINGSIDE_HAS_SOCKET;
		event->socket = socket;
	}
	if (name.path)
		write_unix_path(event, &name);
	submit_event(event);
}

/* A call that is told of by its number, its result and its time alone. */
static __always_inline void exit_other(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit, sizeof(*event));

	if (event)
		submit_event(event);
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
	if (known.mode == RINGSIDE_MODE_OFF && exit.call != RINGSIDE_CALL_EXECVE) {
		count_off(known.call);
		return 0;
	}
	exit.state = bpf_task_storage_get(&tasks, task, 0, 0);
	/* the child's side of a fork, or a call that is unaccounted already */
	if (!exit.state)
		return 0;
	mode = exit.state->mode;
	exit.state->mode = RINGSIDE_MODE_OFF;
	/* not observed, refused by seccomp before it was entered, or entered before its mode was changed */
	if (mode == RINGSIDE_MODE_OFF || (exit.state->nr != known.nr && exit.call != RINGSIDE_CALL_EXECVE)) {
		count_off(known.call);
		return 0;
	}
	exit.call = exit.state->call & RINGSIDE_CALL_MASK;
	if (mode == RINGSIDE_MODE_COUNT) {
		count_call(exit.state);
		return 0;
	}
	exit.now = bpf_ktime_get_ns();
	describe(&exit.subject, task);

	switch (exit.call) {
	case RINGSIDE_CALL_NONE:
	case RINGSIDE_CALL_OTHER:
		exit_other(&exit);
		break;
	case RINGSIDE_CALL_OPEN:
	case RINGSIDE_CALL_OPENAT:
	case RINGSIDE_CALL_OPENAT2:
		exit_open(&exit);
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
