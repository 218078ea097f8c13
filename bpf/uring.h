/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits or counts requests to io_uring at their submission: they make no system call, so their outcome is not observed.
 * Optional: where the kernel's tracepoint is missing or differs, the other programs run without these. */
#ifndef RINGSIDE_URING_H
#define RINGSIDE_URING_H

/* Operations whose request has a descriptor in io_kiocb.cqe (needs_file, io_uring/opdef.c), by IORING_OP_*. Others keep
 * one, if any, in a struct of their own. */
const __u64 needs_file = 1ULL << 1 | 1ULL << 2 | 1ULL << 3 | 1ULL << 4 | 1ULL << 5 | 1ULL << 6 | 1ULL << 8 |
			       1ULL << 9 | 1ULL << 10 | 1ULL << 13 | 1ULL << 16 | 1ULL << 17 | 1ULL << 22 |
			       1ULL << 23 | 1ULL << 24 | 1ULL << 26 | 1ULL << 27 | 1ULL << 30 | 1ULL << 33 |
			       1ULL << 34 | 1ULL << 40 | 1ULL << 41 | 1ULL << 43 | 1ULL << 46 | 1ULL << 47 |
			       1ULL << 48 | 1ULL << 49 | 1ULL << 54 | 1ULL << 55 | 1ULL << 56 | 1ULL << 57 |
			       1ULL << 58 | 1ULL << 59 | 1ULL << 60 | 1ULL << 61;

/* the file is registered with the io_uring, and its number is no descriptor */
static __always_inline bool has_fixed_file(struct io_kiocb *request)
{
	__u8 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), (void *)request + bpf_core_field_offset(request->flags));
	return flags & IOSQE_FIXED_FILE;
}

/* The arguments of a request. */
struct uring_arguments {
	__s32 fd;
	const char *path;
	const char *extra;
	__s32 extra_dirfd;
	struct user_buffer address;
};

static __always_inline const char *name_of(struct filename *filename)
{
	return BPF_CORE_READ(filename, name);
}

static __always_inline void read_request(struct uring_arguments *arguments, struct io_kiocb *request, __u8 call)
{
	__u8 opcode = BPF_CORE_READ(request, opcode);

	arguments->fd = -1;
	switch (call) {
	case RINGSIDE_CALL_OPENAT:
	case RINGSIDE_CALL_OPENAT2:
		if (bpf_core_type_exists(struct io_open)) {
			arguments->fd = BPF_CORE_READ((struct io_open *)request, dfd);
			arguments->path = name_of(BPF_CORE_READ((struct io_open *)request, filename));
		}
		return;
	case RINGSIDE_CALL_UNLINKAT:
		if (bpf_core_type_exists(struct io_unlink)) {
			arguments->fd = BPF_CORE_READ((struct io_unlink *)request, dfd);
			arguments->path = name_of(BPF_CORE_READ((struct io_unlink *)request, filename));
		}
		return;
	case RINGSIDE_CALL_RENAMEAT2:
		if (bpf_core_type_exists(struct io_rename)) {
			arguments->fd = BPF_CORE_READ((struct io_rename *)request, old_dfd);
			arguments->path = name_of(BPF_CORE_READ((struct io_rename *)request, oldpath));
			arguments->extra_dirfd = BPF_CORE_READ((struct io_rename *)request, new_dfd);
			arguments->extra = name_of(BPF_CORE_READ((struct io_rename *)request, newpath));
		}
		return;
	case RINGSIDE_CALL_CLOSE:
		if (bpf_core_type_exists(struct io_close))
			arguments->fd = BPF_CORE_READ((struct io_close *)request, fd);
		return;
	case RINGSIDE_CALL_CONNECT:
		if (bpf_core_type_exists(struct io_connect)) {
			arguments->address.at = (__u64)BPF_CORE_READ((struct io_connect *)request, addr);
			arguments->address.bytes = BPF_CORE_READ((struct io_connect *)request, addr_len);
		}
		break;
	}
	if (opcode < 64 && (needs_file >> opcode & 1) && !has_fixed_file(request))
		arguments->fd = BPF_CORE_READ(request, cqe.fd);
}

static __always_inline struct ringside_event *draft_request(struct task_struct *task, const struct known_call *known, __s32 fd)
{
	__u8 call = known->call & RINGSIDE_CALL_MASK;
	struct ringside_event *draft = begin_draft(RINGSIDE_KIND_IO_URING, class_of(call));

	if (!draft)
		return 0;
	draft->call = call;
	draft->nr = known->nr;
	draft->arg = known->nr - RINGSIDE_NR_URING;
	draft->fd = fd;
	draft->time_ns = bpf_ktime_get_ns();
	write_task(draft, task);
	return draft;
}

static __always_inline void record_paths(struct task_struct *task, const struct known_call *known,
					 const struct uring_arguments *arguments)
{
	struct ringside_event *draft = draft_request(task, known, arguments->fd);
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
}

static __always_inline void record_descriptor(struct task_struct *task, struct task_state *state,
					      const struct known_call *known, const struct uring_arguments *arguments)
{
	struct sock *sk = arguments->fd < 0 ? 0 : sock_of(task, arguments->fd);
	__u8 call = known->call & RINGSIDE_CALL_MASK, flags = 0;
	struct ringside_socket socket = {};
	struct text path = {};
	struct ringside_event *draft;
	__u32 bytes;

	/* close of another file is not emitted, as of the system call */
	if (!sk && call == RINGSIDE_CALL_CLOSE) {
		count_off(known->call);
		return;
	}
	if (sk)
		read_sock(&socket, sk);
	bytes = read_address(state->taken, &arguments->address);
	if (bytes && *(__u16 *)state->taken == AF_UNIX) {
		path = read_unix_path(WALK_PATH, (const char *)state->taken + sizeof(__u16), bytes - sizeof(__u16));
		flags = RINGSIDE_ADDRESS_GIVEN;
	} else if (bytes && overlay_address(&socket, state->taken, bytes, false)) {
		flags = RINGSIDE_ADDRESS_GIVEN;
	}
	draft = draft_request(task, known, arguments->fd);
	if (!draft)
		return;
	draft->flags |= flags;
	if (socket.family) {
		draft->flags |= RINGSIDE_HAS_SOCKET;
		draft->socket = socket;
	}
	append_text(draft, &path, false);
	submit_draft(draft, 0);
}

static __always_inline int record_request(struct io_kiocb *request)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct known_call known = {};
	struct uring_arguments arguments = {};
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
		record_paths(task, &known, &arguments);
	else
		record_descriptor(task, state, &known, &arguments);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(io_uring_submit_req, struct io_kiocb *request)
{
	return record_request(request);
}

/* The tracepoint's name before Linux 6.5. Before 6.0, without struct io_cmd_data, its first argument was another one. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(io_uring_submit_sqe, struct io_kiocb *request)
{
	return bpf_core_type_exists(struct io_cmd_data) ? record_request(request) : 0;
}

#endif
