/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Builds records: reserves and numbers them, describes their task, adds paths and stack, submits them. The outcome of a
 * connect arrives in a softirq that may interrupt any program: counters change by atomics, and nothing here is in
 * per-CPU scratch memory. */
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
	read_comm(subject->comm, task);
}

/* Reserves room in the ring of a class; `bytes` is a constant. */
static __always_inline struct ringside_event *reserve_room(__u8 class, __u64 bytes)
{
	if (RINGSIDE_IS_SECURITY(class))
		return bpf_ringbuf_reserve(&security_events, bytes, 0);
	return bpf_ringbuf_reserve(&other_events, bytes, 0);
}

/* Reserves a record of `bytes`, numbered, and zeroed up to its path. NULL, and counted as dropped, if its ring is full:
 * its seq is then missing. */
static __always_inline struct ringside_event *reserve_event(__u8 kind, __u8 class, __u64 bytes)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct ringside_counters *own = &counters[cpu & (RINGSIDE_CPU_MAX - 1)];
	__u64 seq = __sync_fetch_and_add(&own->seq, 1) + 1;
	struct ringside_event *event;

	class &= RINGSIDE_CLASS_COUNT - 1;
	event = reserve_room(class, bytes);
	if (!event) {
		__sync_fetch_and_add(&own->dropped[class], 1);
		return 0;
	}
	__sync_fetch_and_add(&own->emitted[class], 1);
	__builtin_memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->kind = kind;
	event->event_class = class;
	event->seq = seq;
	event->cpu = cpu;
	event->fd = -1;
	event->target = -1;
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
	__builtin_memcpy(event->comm, subject->comm, sizeof(event->comm));
}

static __always_inline void set_sizes(struct ringside_event *event, __u32 path_bytes, __u32 extra_bytes)
{
	event->path_size = path_bytes;
	event->extra_size = extra_bytes;
	event->size = (sizeof(*event) + path_bytes + extra_bytes + 7) & ~7U;
}

/* length without NUL; `bytes` is the result of bpf_probe_read_*_str: NUL included, negative on failure */
static __always_inline __u32 length_of(long bytes)
{
	return bytes > 0 ? bytes - 1 : 0;
}

static __always_inline void set_path_size(struct ringside_event *event, long bytes)
{
	set_sizes(event, length_of(bytes), 0);
}

static __always_inline void submit_event(struct ringside_event *event)
{
	/* user space reads on a timer: a wakeup would cost more than the event */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* Submits `event`, which has `room` (a constant) for strings, with the stack in own_stack(), or without it if the ring
 * has no room. A second reservation keeps both sizes on branches of their own: the verifier of Linux 6.1 does not
 * connect the size that was reserved with the size that is written. */
static __always_inline void submit_with_stack(struct ringside_event *event, __u32 room, __u32 stack_bytes)
{
	struct ringside_event *longer = 0;

	if (stack_bytes)
		longer = reserve_room(event->event_class, sizeof(*event) + room + RINGSIDE_STACK_BYTES);
	if (!longer) {
		submit_event(event);
		return;
	}
	__builtin_memcpy(longer, event, sizeof(*event));
	if (room)
		bpf_probe_read_kernel(longer->path, room, event->path);
	append_stack(longer, room, stack_bytes);
	submit_event(longer);
	bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
}

/* Submits `event`, which has room for RINGSIDE_PATH_SHORT, with the string at `path`. Reads a longer path a second time
 * into a longer record; truncates it if the ring has no room for that. */
static __always_inline void submit_with_path(struct ringside_event *event, const char *path, bool is_user,
					     __u32 stack_bytes)
{
	struct ringside_event *longer;
	long bytes = is_user ? bpf_probe_read_user_str(event->path, RINGSIDE_PATH_SHORT, path) :
			       bpf_probe_read_kernel_str(event->path, RINGSIDE_PATH_SHORT, path);

	set_path_size(event, bytes);
	if (bytes < RINGSIDE_PATH_SHORT) {
		submit_with_stack(event, RINGSIDE_PATH_SHORT, stack_bytes);
		return;
	}
	longer = reserve_room(event->event_class, sizeof(*event) + RINGSIDE_PATH_MAX);
	if (!longer) {
		event->flags |= RINGSIDE_PATH_TRUNCATED;
		submit_with_stack(event, RINGSIDE_PATH_SHORT, stack_bytes);
		return;
	}
	__builtin_memcpy(longer, event, sizeof(*event));
	bytes = is_user ? bpf_probe_read_user_str(longer->path, RINGSIDE_PATH_MAX, path) :
			  bpf_probe_read_kernel_str(longer->path, RINGSIDE_PATH_MAX, path);
	set_path_size(longer, bytes);
	if (longer->ret == -ENAMETOOLONG)
		longer->flags |= RINGSIDE_PATH_TRUNCATED;
	submit_with_stack(longer, RINGSIDE_PATH_MAX, stack_bytes);
	bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
}

static __always_inline __u32 read_string(char *to, __u32 room, const char *from, bool is_user)
{
	return length_of(is_user ? bpf_probe_read_user_str(to, room, from) : bpf_probe_read_kernel_str(to, room, from));
}

/* Reads path, and extra behind it; `room` is for each of them, a constant power of two. */
static __always_inline void read_strings(struct ringside_event *event, __u32 room, const char *path, const char *extra,
					 bool is_user)
{
	__u32 bytes = read_string(event->path, room, path, is_user);

	barrier_var(bytes); /* clang 14 removes the mask that the verifier needs */
	bytes &= room - 1;
	set_sizes(event, bytes, read_string(event->path + bytes, room, extra, is_user));
}

/* As submit_with_path(), for two strings; `event` has room for twice RINGSIDE_PATH_SHORT. */
static __always_inline void submit_with_paths(struct ringside_event *event, const char *path, const char *extra,
					      bool is_user, __u32 stack_bytes)
{
	struct ringside_event *longer;

	read_strings(event, RINGSIDE_PATH_SHORT, path, extra, is_user);
	if (event->path_size < RINGSIDE_PATH_SHORT - 1 && event->extra_size < RINGSIDE_PATH_SHORT - 1) {
		submit_with_stack(event, 2 * RINGSIDE_PATH_SHORT, stack_bytes);
		return;
	}
	longer = reserve_room(event->event_class, sizeof(*event) + 2 * RINGSIDE_PATH_MAX);
	if (!longer) {
		event->flags |= RINGSIDE_PATH_TRUNCATED;
		submit_with_stack(event, 2 * RINGSIDE_PATH_SHORT, stack_bytes);
		return;
	}
	__builtin_memcpy(longer, event, sizeof(*event));
	read_strings(longer, RINGSIDE_PATH_MAX, path, extra, is_user);
	if (longer->ret == -ENAMETOOLONG)
		longer->flags |= RINGSIDE_PATH_TRUNCATED;
	submit_with_stack(longer, 2 * RINGSIDE_PATH_MAX, stack_bytes);
	bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
}

#endif
