/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits calls on sockets at their exit, with the socket's addresses. */
#ifndef RINGSIDE_SOCKET_EXITS_H
#define RINGSIDE_SOCKET_EXITS_H

/* The fields of the new socket, or the arguments if the call failed. */
static __always_inline void exit_socket(const struct call_exit *exit)
{
	struct sock *sk = exit->ret < 0 ? 0 : sock_of(exit->task, exit->ret);
	struct ringside_event *event = reserve_call(exit);
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
	submit_with_stack(event, exit->stack_bytes);
}

/* dup*, and fcntl(F_DUPFD*): a duplicate matters as one of descriptors 0 to 2 */
static __always_inline bool is_duplication(__u8 call)
{
	return call == RINGSIDE_CALL_DUP || call == RINGSIDE_CALL_DUP2 || call == RINGSIDE_CALL_DUP3 ||
	       call == RINGSIDE_CALL_FCNTL;
}

/* True for a duplication of no interest, and for any other fcntl: it is counted. */
static __always_inline bool is_counted_duplication(const struct call_exit *exit)
{
	__u64 command = exit->state->args[1];

	if (!is_duplication(exit->call))
		return false;
	if (exit->call == RINGSIDE_CALL_FCNTL && command != F_DUPFD && command != F_DUPFD_CLOEXEC)
		return true;
	return exit->ret < 0 || exit->ret > 2;
}

/* the address in a struct msghdr, or in the first struct mmsghdr; its layout depends on the caller's ABI */
static __always_inline struct buffer read_message_name(const struct task_state *state)
{
	const void *header = (const void *)state->args[1];
	struct buffer name = {};
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
static __always_inline struct buffer find_address(const struct task_state *state, __u8 call, __s64 ret)
{
	const __u64 *args = state->args;
	struct buffer name = {};

	switch (call) {
	case RINGSIDE_CALL_BIND:
		/* a bound socket has the real port, where the argument may have 0 */
		if (ret >= 0)
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
		if (ret < 0 || bpf_probe_read_user(&name.bytes, sizeof(name.bytes), (void *)args[5]))
			break;
		name.at = args[4];
		break;
	case RINGSIDE_CALL_RECVMSG:
	case RINGSIDE_CALL_RECVMMSG:
		if (ret < 0)
			break;
		/* fall through */
	case RINGSIDE_CALL_SENDMSG:
	case RINGSIDE_CALL_SENDMMSG:
		name = read_message_name(state);
		break;
	}
	return name;
}

/* Reads the sockaddr argument at enter: its page may be missing, and exit reads it again. */
static __always_inline void save_address(struct task_state *state, __u8 call)
{
	struct buffer buffer = find_address(state, call, -1);

	state->given_bytes = read_address(state->given, &buffer);
}

/* True for the calls whose sockaddr argument the kernel reads; of recv* it writes it. */
static __always_inline bool takes_address(__u8 call)
{
	return call == RINGSIDE_CALL_CONNECT || call == RINGSIDE_CALL_BIND || call == RINGSIDE_CALL_SENDTO ||
	       call == RINGSIDE_CALL_SENDMSG || call == RINGSIDE_CALL_SENDMMSG;
}

/* True if the socket knows the address that the call used, so that the argument does not count. */
static __always_inline bool knows_address(const struct call_exit *exit, struct ringside_socket *socket)
{
	if (exit->call == RINGSIDE_CALL_BIND)
		return exit->ret >= 0;
	if (exit->call == RINGSIDE_CALL_CONNECT) {
		/* as the SYN was sent: a failed connect leaves no address in the socket */
		if (exit->state->connecting) {
			copy_remote(socket, &exit->state->socket);
			return true;
		}
		return exit->ret == 0 || ((exit->ret == -EINPROGRESS || exit->ret == -EALREADY) && has_remote(socket));
	}
	return is_connected_stream(socket);
}

/* Flags of the event, and for AF_UNIX the name in the argument. */
static __always_inline __u8 apply_argument(const struct call_exit *exit, struct ringside_socket *socket,
					   struct unix_name *name)
{
	struct buffer buffer = find_address(exit->state, exit->call, exit->ret);
	struct task_state *state = exit->state;
	__u32 bytes = read_address(state->taken, &buffer);
	__u16 family = *(__u16 *)state->taken;
	__u8 flags = 0;

	if (!bytes)
		return 0;
	if (family == AF_UNIX && bytes > sizeof(__u16) && (!socket->family || socket->family == AF_UNIX)) {
		name->path = (const char *)state->taken + sizeof(__u16);
		name->bytes = bytes - sizeof(__u16);
		socket->family = AF_UNIX;
		flags = RINGSIDE_ADDRESS_GIVEN;
	} else if (overlay_address(socket, state->taken, bytes, exit->call == RINGSIDE_CALL_BIND)) {
		flags = RINGSIDE_ADDRESS_GIVEN;
	}
	if (takes_address(exit->call) && state->given_bytes &&
	    (state->given_bytes != bytes || !is_same_address(state->given, state->taken)))
		flags |= RINGSIDE_ARGUMENT_CHANGED;
	return flags;
}

static __always_inline void write_descriptor(struct ringside_event *event, __u32 fd,
					     const struct ringside_socket *socket, __u8 flags,
					     const struct message_walk *walk)
{
	event->fd = fd;
	event->flags |= flags;
	if (walk) {
		event->amount = walk->groups[walk->first & (MESSAGE_GROUPS - 1)].bytes;
		event->messages = walk->groups[walk->first & (MESSAGE_GROUPS - 1)].messages;
	}
	if (socket->family) {
		event->flags |= RINGSIDE_HAS_SOCKET;
		event->socket = *socket;
	}
}

/* Returns the seq of the record, 0 without one. */
static __always_inline __u64 submit_descriptor(const struct call_exit *exit, __u32 fd,
					       const struct ringside_socket *socket, const struct unix_name *name,
					       __u8 flags, const struct message_walk *walk)
{
	struct ringside_event *event;
	struct ringside_event *draft;
	struct text path;
	__u64 seq;

	if (name->path) {
		draft = draft_call(exit);
		if (!draft)
			return 0;
		path = read_unix_path(WALK_PATH, name->path, name->bytes);
		write_descriptor(draft, fd, socket, flags, walk);
		append_text(draft, &path, false);
		submit_draft(draft, exit->stack_bytes);
		return draft->seq;
	}
	event = reserve_call(exit);
	if (!event)
		return 0;
	seq = event->seq;
	write_descriptor(event, fd, socket, flags, walk);
	submit_with_stack(event, exit->stack_bytes);
	return seq;
}

static __always_inline void exit_descriptor(const struct call_exit *exit)
{
	struct ringside_socket socket = {};
	struct unix_name name = {};
	__u32 fd = exit->state->args[0];
	__u8 call = exit->call, flags = 0;
	struct message_walk *walk = 0;
	struct sock *sk = 0;
	bool is_known;
	__u64 seq;

	if (call == RINGSIDE_CALL_CLOSE) {
		socket = exit->state->socket;
	} else {
		/* an accepted connection, a duplicate; else, or if the call failed, the argument */
		bool is_new = exit->ret >= 0 && (call == RINGSIDE_CALL_ACCEPT || call == RINGSIDE_CALL_ACCEPT4 ||
						 is_duplication(call));

		sk = sock_of(exit->task, is_new ? exit->ret : fd);
	}
	if (sk) {
		read_sock(&socket, sk);
		if (socket.family == AF_UNIX)
			find_unix_name(&name, sk, call == RINGSIDE_CALL_CONNECT);
	}
	is_known = call == RINGSIDE_CALL_CLOSE || knows_address(exit, &socket);
	if (has_messages(call, exit->ret))
		walk = collect_messages(exit, &socket, !is_known);
	if (!is_known)
		flags = apply_argument(exit, &socket, &name);
	seq = submit_descriptor(exit, fd, &socket, &name, flags, walk);
	if (walk)
		emit_messages(bpf_get_smp_processor_id(), seq);
	if (exit->state->connecting)
		return_from_connect(exit->state, call, exit->ret, bpf_get_smp_processor_id(), seq);
}

#endif
