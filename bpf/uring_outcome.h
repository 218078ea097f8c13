/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits the outcome of an emitted request to io_uring at its completion. Optional, as uring.h. */
#ifndef RINGSIDE_URING_OUTCOME_H
#define RINGSIDE_URING_OUTCOME_H

/* An emitted request that has not completed. */
struct pending_request {
	__u64 submit_ns;
	__u64 call_seq;
	__u64 ring;	/* address of its io_ring_ctx */
	struct subject subject;
	__s32 fd;
	__s32 registered;
	__u32 new_slot;	/* as in uring_arguments */
	__u16 call_cpu;
	__u16 nr;
	__u8 call;
	__u8 reserved[7];
};

/* Keyed by the address of struct io_kiocb. A request that completes without the tracepoint leaves its entry to the next
 * request at that address. Evicted entries lose outcomes, never requests. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct pending_request);
} requests SEC(".maps");

/* A request under construction: the stack of the programs is small. Their programs never nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pending_request);
} new_requests SEC(".maps");

static __always_inline void save_request(struct io_kiocb *request, const struct uring_arguments *arguments,
					 const struct ringside_event *event)
{
	const __u32 first = 0;
	struct pending_request *pending = bpf_map_lookup_elem(&new_requests, &first);
	__u64 key = (__u64)request;

	if (!pending)
		return;
	pending->submit_ns = event->time_ns;
	pending->call_seq = event->seq;
	pending->ring = (__u64)BPF_CORE_READ(request, ctx);
	pending->fd = arguments->fd;
	pending->registered = arguments->registered;
	pending->new_slot = arguments->new_slot;
	pending->call_cpu = event->cpu;
	pending->nr = event->nr;
	pending->call = event->call;
	describe(&pending->subject, bpf_get_current_task_btf());
	/* a success that makes no completion would leave the entry */
	if (flags_of(request) & IOSQE_CQE_SKIP_SUCCESS)
		bpf_map_delete_elem(&requests, &key);
	else
		bpf_map_update_elem(&requests, &key, pending, BPF_ANY);
}

/* The file that a completed request has made; NULL if it made none, or if another process completes it. */
static __always_inline struct file *new_file(struct io_kiocb *request, const struct pending_request *pending, __s32 result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool makes_file = pending->call == RINGSIDE_CALL_OPENAT || pending->call == RINGSIDE_CALL_OPENAT2 ||
			  pending->call == RINGSIDE_CALL_ACCEPT4 || pending->call == RINGSIDE_CALL_SOCKET;

	if (!makes_file || result < 0)
		return 0;
	if (pending->new_slot == IORING_FILE_INDEX_ALLOC)
		return registered_file(request, result);
	if (pending->new_slot)
		return registered_file(request, pending->new_slot - 1);
	return (__u32)task->tgid == pending->subject.pid ? file_of(task, result) : 0;
}

static __always_inline void emit_request_outcome(struct io_kiocb *request, const struct pending_request *pending)
{
	__s32 result = BPF_CORE_READ(request, cqe.res);
	struct file *file = new_file(request, pending, result);
	struct ringside_event *draft = begin_draft(RINGSIDE_KIND_IO_URING_OUTCOME, class_of(pending->call));
	struct sock *sk = sock_of_file(file);
	struct text path = {};

	if (!draft)
		return;
	draft->call = pending->call;
	draft->nr = pending->nr;
	draft->arg = pending->nr - RINGSIDE_NR_URING;
	draft->time_ns = bpf_ktime_get_ns();
	draft->duration_ns = draft->time_ns - pending->submit_ns;
	draft->ret = result;
	draft->origin = pending->call_cpu;
	draft->origin_id = pending->call_seq;
	draft->fd = pending->registered < 0 ? pending->fd : -1;
	draft->reference = pending->registered;
	if (pending->new_slot)
		draft->reference = pending->new_slot == IORING_FILE_INDEX_ALLOC ? result : pending->new_slot - 1;
	write_subject(draft, &pending->subject);
	if (sk) {
		draft->flags = RINGSIDE_HAS_SOCKET;
		read_sock(&draft->socket, sk);
	} else if (file) {
		draft->flags = RINGSIDE_PATH_OPENED;
		path = read_file_path(WALK_PATH, file);
	}
	append_text(draft, &path, false);
	submit_draft(draft, 0);
}

/* Its arguments behind the request differ between kernel versions. The second and later completions of a request have
 * none. */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(io_uring_complete, void *ring, struct io_kiocb *request)
{
	__u64 key = (__u64)request;
	struct pending_request *pending;

	if (!request)
		return 0;
	pending = bpf_map_lookup_elem(&requests, &key);
	if (!pending)
		return 0;
	if (pending->ring == (__u64)ring && pending->nr == RINGSIDE_NR_URING + BPF_CORE_READ(request, opcode))
		emit_request_outcome(request, pending);
	bpf_map_delete_elem(&requests, &key);
	return 0;
}

#endif
