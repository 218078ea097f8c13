/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits calls on sockets at their exit, with the socket's addresses. */
#ifndef RINGSIDE_SOCKET_EXITS_H
#define RINGSIDE_SOCKET_EXITS_H

/* The fields of the new socket, or the arguments if the call failed. */
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

/* the address in a struct msghdr, or in the first struct mmsghdr; its layout depends on the caller's ABI */
static __always_inline struct user_buffer read_message_name(const struct task_state *state)
{
	const void *header = (const void *)state->args[1];
	struct user_buffer name = {};
	__u32 words[2];

	if (!has_short_pointers(state->abi, state->nr)) {
		bpf_probe_read_user(&name, sizeof(__u64) + sizeof(__u32), header);
	} else if (!bpf_probe_read_user(words, sizeof(words), header)) {
		name.at = words[0];
		name.bytes = words[1];
	}
	return name;
}

/* The sockaddr that the call read or wrote; none if that is not in the record. */
static __always_inline struct user_buffer find_address(const struct call_exit *exit)
{
	const __u64 *args = exit->state->args;
	struct user_buffer name = {};

	switch (exit->call) {
	case RINGSIDE_CALL_BIND:
		/* a bound socket has the real port, where the argument may have 0 */
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

/* `room` is a constant: RINGSIDE_PATH_SHORT for a name with a path, else 0. */
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
	struct user_buffer address;
	__u32 fd = exit->state->args[0];
	struct sock *sk = 0;

	if (exit->call == RINGSIDE_CALL_CLOSE) {
		socket = exit->state->socket;
	} else {
		/* the accepted connection, or the listener if accept failed */
		bool is_accepted = exit->ret >= 0 &&
				   (exit->call == RINGSIDE_CALL_ACCEPT || exit->call == RINGSIDE_CALL_ACCEPT4);

		sk = sock_of(exit->task, is_accepted ? exit->ret : fd);
	}
	if (sk) {
		read_sock(&socket, sk);
		if (socket.family == AF_UNIX)
			find_unix_name(&name, sk);
	}
	address = find_address(exit);
	overlay_address(&socket, &name, address.at, address.bytes, exit->call == RINGSIDE_CALL_BIND);

	if (name.path)
		submit_descriptor(exit, fd, &socket, &name, RINGSIDE_PATH_SHORT);
	else
		submit_descriptor(exit, fd, &socket, &name, 0);
}

#endif
