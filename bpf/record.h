/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Builds records: reserves and numbers them, describes their task, adds paths and stack, submits them. The outcome of a
 * connect arrives in a softirq that may interrupt any program: counters change by atomics, and its record is reserved in
 * the ring. Records with strings are drafts in per-CPU memory, whose programs never nest. */
#ifndef RINGSIDE_RECORD_H
#define RINGSIDE_RECORD_H

/* puts struct ringside_event into this object's BTF, which user space reads the layout from */
const struct ringside_event *layout_of_event __attribute__((unused));

/* Not bpf_get_current_comm(): its copy would take an eighth of an event's time. */
static __always_inline void read_comm(char *comm, struct task_struct *task)
{
	const __u64 *words = (const __u64 *)task->comm;

	((__u64 *)comm)[0] = words[0];
	((__u64 *)comm)[1] = words[1];
}

static __always_inline void describe(struct subject *subject, struct task_struct *task)
{
	const struct cred *cred = task->cred;

	subject->start_ns = task->group_leader->start_boottime;
	subject->cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	subject->pid = task->tgid;
	subject->tid = task->pid;
	subject->ppid = task->real_parent->tgid;
	subject->uid = cred ? cred->uid.val : 0;
	subject->euid = cred ? cred->euid.val : 0;
	subject->exec_id = task->self_exec_id;
	read_comm(subject->comm, task);
}

/* Reserves room in the ring of a record; `kind` and `bytes` are constants. */
static __always_inline struct ringside_event *reserve_room(__u8 kind, __u8 class, __u64 bytes)
{
	if (RINGSIDE_IS_PROCESS(kind))
		return bpf_ringbuf_reserve(&process_events, bytes, 0);
	if (RINGSIDE_IS_SECURITY(class))
		return bpf_ringbuf_reserve(&security_events, bytes, 0);
	return bpf_ringbuf_reserve(&other_events, bytes, 0);
}

/* The next seq of this CPU. It is taken before there is room: a record without room leaves a gap. */
static __always_inline void number_event(struct ringside_event *event, __u8 kind, __u8 class, __u64 seq)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->kind = kind;
	event->event_class = class;
	event->seq = seq;
	event->cpu = bpf_get_smp_processor_id();
	event->fd = -1;
	event->target = -1;
	event->reference = -1;
}

static __always_inline __u64 next_seq(void)
{
	return __sync_fetch_and_add(&own_counters()->seq, 1) + 1;
}

/* Reserves a record of `bytes`, numbered, and zeroed up to its path. NULL, and counted as dropped, if its ring is full. */
static __always_inline struct ringside_event *reserve_event(__u8 kind, __u8 class, __u64 bytes)
{
	struct ringside_counters *own = own_counters();
	__u64 seq = next_seq();
	struct ringside_event *event;

	class &= RINGSIDE_CLASS_COUNT - 1;
	event = reserve_room(kind, class, bytes);
	if (!event) {
		__sync_fetch_and_add(&own->dropped[class], 1);
		return 0;
	}
	__sync_fetch_and_add(&own->emitted[class], 1);
	number_event(event, kind, class, seq);
	return event;
}

static __always_inline void write_subject(struct ringside_event *event, const struct subject *subject)
{
	event->start_ns = subject->start_ns;
	event->cgroup_id = subject->cgroup_id;
	event->pid = subject->pid;
	event->tid = subject->tid;
	event->ppid = subject->ppid;
	event->uid = subject->uid;
	event->euid = subject->euid;
	event->exec_id = subject->exec_id;
	__builtin_memcpy(event->comm, subject->comm, sizeof(event->comm));
}

static __always_inline void set_sizes(struct ringside_event *event, __u32 path_bytes, __u32 extra_bytes)
{
	event->path_size = path_bytes;
	event->extra_size = extra_bytes;
	event->size = (sizeof(*event) + path_bytes + extra_bytes + 7) & ~7U;
}

static __always_inline void submit_event(struct ringside_event *event)
{
	/* user space reads on a timer: a wakeup would cost more than the event */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* Submits a call without strings, with the stack in own_stack(), or without it if the ring has no room. */
static __always_inline void submit_with_stack(struct ringside_event *event, __u32 stack_bytes)
{
	struct ringside_event *longer = 0;

	if (stack_bytes)
		longer = reserve_room(RINGSIDE_KIND_SYSCALL, event->event_class, sizeof(*event) + RINGSIDE_STACK_BYTES);
	if (!longer) {
		submit_event(event);
		return;
	}
	__builtin_memcpy(longer, event, sizeof(*event));
	append_stack(longer, stack_bytes);
	submit_event(longer);
	bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
}

/* Begins a record with strings, numbered; submit_draft() ends it. */
static __always_inline struct ringside_event *begin_draft(__u8 kind, __u8 class)
{
	const __u32 first = 0;
	struct ringside_event *draft = bpf_map_lookup_elem(&drafts, &first);

	if (draft)
		number_event(draft, kind, class & (RINGSIDE_CLASS_COUNT - 1), next_seq());
	return draft;
}

/* Appends a string, which becomes path if it is the first, else extra. */
static __always_inline void append_text(struct ringside_event *draft, const struct text *text, bool is_extra)
{
	__u32 at = is_extra ? draft->path_size : 0;
	__u32 bytes = text->bytes;

	if (!text->at)
		return;
	barrier_var(at); /* clang 14 removes the masks that the verifier needs */
	at &= RINGSIDE_PATH_MAX - 1;
	barrier_var(bytes);
	bytes &= RINGSIDE_PATH_MAX - 1;
	if (bpf_probe_read_kernel(draft->path + at, bytes, text->at))
		return;
	if (is_extra)
		draft->extra_size = bytes;
	else
		draft->path_size = bytes;
	if (!text->is_whole)
		draft->flags |= RINGSIDE_PATH_TRUNCATED;
	if (text->is_deleted && !is_extra)
		draft->flags |= RINGSIDE_PATH_DELETED;
}

static __always_inline long output_draft(const struct ringside_event *draft, bool is_process)
{
	__u64 bytes = draft->size;

	barrier_var(bytes);
	bytes &= 4 * RINGSIDE_PATH_MAX - 1;
	if (is_process)
		return bpf_ringbuf_output(&process_events, (void *)draft, bytes, BPF_RB_NO_WAKEUP);
	if (RINGSIDE_IS_SECURITY(draft->event_class))
		return bpf_ringbuf_output(&security_events, (void *)draft, bytes, BPF_RB_NO_WAKEUP);
	return bpf_ringbuf_output(&other_events, (void *)draft, bytes, BPF_RB_NO_WAKEUP);
}

/* Puts a draft into its ring, with the stack in own_stack() if there is room for both; else counts it as dropped. */
static __always_inline void submit_draft_to(struct ringside_event *draft, __u32 stack_bytes, bool is_process)
{
	struct ringside_event *event = draft;
	__u8 class = event->event_class & (RINGSIDE_CLASS_COUNT - 1);
	__u32 at = (event->path_size + event->extra_size + 7) & ~7U;
	struct stack_walk *stack = own_stack();
	__u64 stack_room = stack_bytes;
	long failure = -1;

	event->size = sizeof(*event) + at;
	if (stack_bytes && stack) {
		barrier_var(at);
		at &= 4 * RINGSIDE_PATH_MAX - 1;
		/* the compiler may test one copy and use another, for which the verifier has no bound */
		barrier_var(stack_room);
		if (at <= 2 * RINGSIDE_PATH_MAX && stack_room <= RINGSIDE_STACK_BYTES &&
		    !bpf_probe_read_kernel(draft->path + at, stack_room, stack->addresses)) {
			event->flags |= RINGSIDE_HAS_STACK;
			event->size += stack_bytes;
			failure = output_draft(draft, is_process);
			if (failure) {
				event->flags &= ~RINGSIDE_HAS_STACK;
				event->size -= stack_bytes;
			}
		}
	}
	if (failure)
		failure = output_draft(draft, is_process);
	if (failure)
		__sync_fetch_and_add(&own_counters()->dropped[class], 1);
	else
		__sync_fetch_and_add(&own_counters()->emitted[class], 1);
}

static __always_inline void submit_draft(struct ringside_event *draft, __u32 stack_bytes)
{
	submit_draft_to(draft, stack_bytes, false);
}

/* Of an exec or a fork. */
static __always_inline void submit_process_draft(struct ringside_event *draft, __u32 stack_bytes)
{
	submit_draft_to(draft, stack_bytes, true);
}

#endif
