/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The outcome of an outbound TCP connect, from SYN to established or closed, where the call returned before it. The
 * connecting task sends the SYN; the outcome arrives in a softirq, which runs in an arbitrary task. */
#ifndef RINGSIDE_CONNECTS_H
#define RINGSIDE_CONNECTS_H

static __always_inline void emit_outcome(const struct pending_connect *pending)
{
	struct ringside_event *event =
		reserve_event(RINGSIDE_KIND_CONNECT_OUTCOME, RINGSIDE_CLASS_NETWORK, sizeof(*event));

	if (!event)
		return;
	event->time_ns = pending->end_ns;
	event->duration_ns = pending->end_ns - pending->syn_ns;
	event->fd = pending->fd;
	event->ret = pending->result;
	event->origin = pending->call_cpu;
	event->origin_id = pending->call_seq;
	event->flags = RINGSIDE_HAS_SOCKET;
	event->socket = pending->socket;
	write_subject(event, &pending->subject);
	submit_event(event);
}

static __always_inline bool can_connect(__u8 call)
{
	/* the latter two with MSG_FASTOPEN */
	return call == RINGSIDE_CALL_CONNECT || call == RINGSIDE_CALL_SENDTO || call == RINGSIDE_CALL_SENDMSG;
}

/* The SYN is about to be sent, with the address that the kernel took from the caller's memory. */
static __always_inline void begin_connect(__u64 key, const struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = state_of(task);
	struct pending_connect pending = { .fd = -1, .phase = CONNECT_RETURNED };
	struct sock *caller;

	if (!state || !is_observed(task, state))
		return;
	pending.syn_ns = bpf_ktime_get_ns();
	/* for any other connect, as by io_uring, neither call nor descriptor is known */
	if (state->mode == RINGSIDE_MODE_EMIT && can_connect(state->call & RINGSIDE_CALL_MASK)) {
		/* an outcome needs its call, and must not evict those of other processes */
		state->beyond_bound = is_beyond_bound(task, state, pending.syn_ns, RINGSIDE_CLASS_NETWORK);
		if (state->beyond_bound)
			return;
		pending.fd = state->args[0];
		pending.phase = CONNECT_IN_CALL;
		state->connecting = key;
		__builtin_memset(&state->socket, 0, sizeof(state->socket));
		read_sock(&state->socket, sk);
		caller = sock_of(task, pending.fd);
		if (caller)
			pending.protocol = BPF_CORE_READ(caller, sk_protocol);
	} else if (!take_event(task, state, pending.syn_ns, RINGSIDE_CLASS_NETWORK)) {
		count_limited_outcome(task, state);
		return;
	}
	describe(&pending.subject, task);
	if (bpf_map_update_elem(&connects, &key, &pending, BPF_ANY))
		__sync_fetch_and_add(&own_counters()->untracked, 1);
}

static __always_inline bool has_sent_syn(const struct sock *sk)
{
	return BPF_CORE_READ((const struct tcp_sock *)sk, retrans_stamp);
}

static __always_inline void end_connect(__u64 key, const struct sock *sk, int new_state)
{
	struct pending_connect *pending = bpf_map_lookup_elem(&connects, &key);
	int error = sk->sk_err;

	if (!pending)
		return;
	/* the connect failed before its SYN, as for lack of a local port: its call or request has the error */
	if (new_state == TCP_CLOSE && !error && !has_sent_syn(sk)) {
		bpf_map_delete_elem(&connects, &key);
		return;
	}
	pending->end_ns = bpf_ktime_get_ns();
	/* closed without an error: the owner cancelled it */
	pending->result = new_state == TCP_ESTABLISHED ? 0 : error ? -error : -ECANCELED;
	read_sock(&pending->socket, sk);
	if (pending->protocol)
		pending->socket.protocol = pending->protocol;
	if (__sync_lock_test_and_set(&pending->phase, CONNECT_ENDED) == CONNECT_IN_CALL)
		return;
	emit_outcome(pending);
	bpf_map_delete_elem(&connects, &key);
}

/* True if the result of a connect(2) is its outcome, so that no other follows. */
static __always_inline bool is_final(__u8 call, __s64 ret)
{
	return call == RINGSIDE_CALL_CONNECT && ret != -EINPROGRESS && ret != -EALREADY && ret != -EINTR &&
	       (ret > -ERESTARTSYS || ret < -ERESTART_RESTARTBLOCK);
}

/* A call that sent a SYN returns without a record: its outcome is not emitted either. */
static __always_inline void drop_connect(struct task_state *state)
{
	__u64 key = state->connecting;

	state->connecting = 0;
	if (key)
		bpf_map_delete_elem(&connects, &key);
}

/* A call that sent a SYN returns: its outcome, if it has come, follows the call's record; a later one names it. */
static __always_inline void return_from_connect(struct task_state *state, __u8 call, __s64 ret, __u32 cpu, __u64 seq)
{
	__u64 key = state->connecting;
	struct pending_connect *pending = bpf_map_lookup_elem(&connects, &key);

	state->connecting = 0;
	if (!pending)
		return;
	if (!is_final(call, ret)) {
		pending->call_cpu = cpu;
		pending->call_seq = seq;
		if (__sync_lock_test_and_set(&pending->phase, CONNECT_RETURNED) != CONNECT_ENDED)
			return;
		emit_outcome(pending);
	}
	bpf_map_delete_elem(&connects, &key);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state, const struct sock *sk, int old_state, int new_state)
{
	__u64 key = (__u64)sk;
	__u8 mode = config.mode_of[RINGSIDE_ABI_NATIVE][NR_CONNECT] & RINGSIDE_MODE_MASK;

	if (sk->sk_protocol != IPPROTO_TCP || mode != RINGSIDE_MODE_EMIT)
		return 0;
	if (old_state == TCP_CLOSE && new_state == TCP_SYN_SENT)
		begin_connect(key, sk);
	else if ((old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV) &&
		 (new_state == TCP_ESTABLISHED || new_state == TCP_CLOSE))
		end_connect(key, sk, new_state);
	return 0;
}

#endif
