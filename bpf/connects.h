/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The outcome of an outbound TCP connect, from SYN to established or closed; a non-blocking connect(2) returns before
 * it. The connecting task sends the SYN; the outcome arrives in a softirq, which runs in an arbitrary task. */
#ifndef RINGSIDE_CONNECTS_H
#define RINGSIDE_CONNECTS_H

static __always_inline void begin_connect(__u64 key)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = state_of(task);
	struct pending_connect pending = { .fd = -1 };
	__u8 call;

	if (!state || !is_observed(task, state))
		return;
	/* sendto and sendmsg connect with MSG_FASTOPEN; for any other connect, as by io_uring, the descriptor is unknown */
	call = state->mode == RINGSIDE_MODE_EMIT ? state->call & RINGSIDE_CALL_MASK : RINGSIDE_CALL_NONE;
	if (call == RINGSIDE_CALL_CONNECT || call == RINGSIDE_CALL_SENDTO || call == RINGSIDE_CALL_SENDMSG)
		pending.fd = state->args[0];
	pending.syn_ns = bpf_ktime_get_ns();
	describe(&pending.subject, task);
	if (bpf_map_update_elem(&connects, &key, &pending, BPF_ANY))
		__sync_fetch_and_add(&own_counters()->untracked, 1);
}

static __always_inline void end_connect(__u64 key, const struct sock *sk, int new_state)
{
	struct pending_connect *pending = bpf_map_lookup_elem(&connects, &key);
	struct ringside_event *event;
	int error = sk->sk_err;

	if (!pending)
		return;
	event = reserve_event(RINGSIDE_KIND_SOCKET_STATE, RINGSIDE_CLASS_NETWORK, sizeof(*event));
	if (event) {
		event->call = RINGSIDE_CALL_CONNECT;
		event->time_ns = bpf_ktime_get_ns();
		event->duration_ns = event->time_ns - pending->syn_ns;
		event->fd = pending->fd;
		/* closed without an error: the owner cancelled it */
		event->ret = new_state == TCP_ESTABLISHED ? 0 : error ? -error : -ECANCELED;
		event->flags = RINGSIDE_HAS_SOCKET;
		read_sock(&event->socket, sk);
		write_subject(event, &pending->subject);
		submit_event(event);
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
		begin_connect(key);
	else if ((old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV) &&
		 (new_state == TCP_ESTABLISHED || new_state == TCP_CLOSE))
		end_connect(key, sk, new_state);
	return 0;
}

#endif
