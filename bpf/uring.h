/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits or counts requests to io_uring at their submission, since they make no system call. Optional: where the kernel's
 * tracepoint is missing or differs, the other programs run without these. */
#ifndef RINGSIDE_URING_H
#define RINGSIDE_URING_H

static __always_inline struct ringside_event *draft_request(struct task_struct *task, const struct known_call *known,
							    const struct uring_arguments *arguments)
{
	__u8 call = known->call & RINGSIDE_CALL_MASK;
	struct ringside_event *draft = begin_draft(RINGSIDE_KIND_IO_URING, class_of(call));

	if (!draft)
		return 0;
	draft->call = call;
	draft->nr = known->nr;
	draft->arg = known->nr - RINGSIDE_NR_URING;
	draft->fd = arguments->registered < 0 ? arguments->fd : -1;
	draft->reference = arguments->registered;
	if (arguments->new_slot && arguments->new_slot != IORING_FILE_INDEX_ALLOC)
		draft->reference = arguments->new_slot - 1;
	draft->amount = arguments->resolve;
	draft->time_ns = bpf_ktime_get_ns();
	write_task(draft, task);
	return draft;
}

static __always_inline void record_paths(struct task_struct *task, struct io_kiocb *request,
					 const struct known_call *known, const struct uring_arguments *arguments)
{
	struct ringside_event *draft = draft_request(task, known, arguments);
	struct text text;

	if (!draft)
		return;
	text = read_path_argument(WALK_PATH, task, arguments->fd, arguments->path, false);
	append_text(draft, &text, false);
	if (arguments->extra) {
		text = read_path_argument(WALK_EXTRA, task, arguments->extra_dirfd, arguments->extra, false);
		append_text(draft, &text, true);
	}
	submit_draft(draft, 0);
	save_request(request, arguments, draft);
}

/* A connected stream ignores the address of a message. */
static __always_inline bool ignores_address(__u8 call, const struct ringside_socket *socket)
{
	return call != RINGSIDE_CALL_CONNECT && call != RINGSIDE_CALL_BIND && is_connected_stream(socket);
}

static __always_inline void record_descriptor(struct task_struct *task, struct task_state *state,
					      struct io_kiocb *request, const struct known_call *known,
					      const struct uring_arguments *arguments)
{
	struct sock *sk = sock_of_file(file_of_request(task, request, arguments));
	__u8 call = known->call & RINGSIDE_CALL_MASK;
	struct buffer address = arguments->address;
	struct ringside_socket *socket;
	struct ringside_event *draft;
	struct text path = {};
	bool has_address = false;
	__u32 bytes = 0;

	/* close of another file is not emitted, as of the system call */
	if (!sk && call == RINGSIDE_CALL_CLOSE) {
		count_off(known->call);
		return;
	}
	draft = draft_request(task, known, arguments);
	if (!draft)
		return;
	socket = &draft->socket;
	socket->family = arguments->family;
	socket->type = arguments->type;
	socket->protocol = arguments->protocol;
	if (sk)
		read_sock(socket, sk);
	take_copy(&address, arguments->copy, socket->family);
	if (!ignores_address(call, socket))
		bytes = read_address(state->taken, &address);
	if (bytes && *(__u16 *)state->taken == AF_UNIX) {
		path = read_unix_path(WALK_PATH, (const char *)state->taken + sizeof(__u16), bytes - sizeof(__u16));
		has_address = true;
	} else if (bytes) {
		has_address = overlay_address(socket, state->taken, bytes, call == RINGSIDE_CALL_BIND);
	}
	if (has_address && !address.in_kernel)
		draft->flags |= RINGSIDE_ADDRESS_GIVEN;
	if (socket->family)
		draft->flags |= RINGSIDE_HAS_SOCKET;
	append_text(draft, &path, false);
	submit_draft(draft, 0);
	save_request(request, arguments, draft);
}

static __always_inline int record_request(struct io_kiocb *request)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = {};
	struct uring_arguments arguments = {};
	__u64 key = (__u64)request;
	struct task_state *state;

	look_up(&known, RINGSIDE_ABI_NATIVE, RINGSIDE_NR_URING + BPF_CORE_READ(request, opcode));
	if (known.mode == RINGSIDE_MODE_OFF) {
		count_off(known.call);
		return 0;
	}
	state = state_of(task);
	if (!state)
		return 0;
	if (!is_observed(task, state)) {
		count_off(known.call);
		/* of an earlier request at this address */
		if (known.mode == RINGSIDE_MODE_EMIT)
			bpf_map_delete_elem(&requests, &key);
		return 0;
	}
	if (known.mode == RINGSIDE_MODE_COUNT) {
		count_request(task, state, &known, false);
		return 0;
	}
	if (!take_event(task, state, bpf_ktime_get_ns(), class_of(known.call))) {
		count_request(task, state, &known, true);
		return 0;
	}
	read_request(&arguments, request, known.call & RINGSIDE_CALL_MASK);
	if (arguments.path)
		record_paths(task, request, &known, &arguments);
	else
		record_descriptor(task, state, request, &known, &arguments);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(io_uring_submit_req, struct io_kiocb *request)
{
	return record_request(request);
}

/* The tracepoint's name before Linux 6.5. Before 6.0, without struct io_cmd_data, its first argument was another one, and
 * user space does not load this. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(io_uring_submit_sqe, struct io_kiocb *request)
{
	return record_request(request);
}

#endif
