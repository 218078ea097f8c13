/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Bounds the events that one process can put into the rings per second; beyond that its calls are counted. Its threads
 * share the bound. Exec, fork and exit have none. */
#ifndef RINGSIDE_BOUND_H
#define RINGSIDE_BOUND_H

/* Events per second that the fill of a ring does not reduce. */
enum { FREE_EVENTS = 64, FILL_UNITS = 16 };
const __s64 window_ns = 1000000000;

static __always_inline bool is_alone(struct task_struct *task)
{
	return task->signal->nr_threads == 1;
}

/* The state that the threads of a process share: nearly always the task's own. NULL without memory. */
static __always_inline struct task_state *process_state_of(struct task_struct *task, struct task_state *state)
{
	if (task->pid == task->tgid)
		return state;
	return bpf_task_storage_get(&tasks, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Events that one process may emit in this second. While the ring of the class is more than half full, each further
 * sixteenth halves them: of many processes that fill it together, each has less room than one that emits little. Global,
 * so that the verifier checks it once. */
__noinline __u32 find_bound(__u8 class)
{
	__u32 bound = *(volatile __u32 *)&config.process_events;
	__u64 used, size, units;

	if (RINGSIDE_IS_SECURITY(class)) {
		used = bpf_ringbuf_query(&security_events, BPF_RB_AVAIL_DATA);
		size = bpf_ringbuf_query(&security_events, BPF_RB_RING_SIZE);
	} else {
		used = bpf_ringbuf_query(&other_events, BPF_RB_AVAIL_DATA);
		size = bpf_ringbuf_query(&other_events, BPF_RB_RING_SIZE);
	}
	units = used * FILL_UNITS / size;
	if (units <= FILL_UNITS / 2)
		return bound;
	bound >>= (units - FILL_UNITS / 2) & (FILL_UNITS - 1);
	return bound < FREE_EVENTS ? FREE_EVENTS : bound;
}

/* Begins a second when the last one has passed. Two threads that do so at once may lose a few events of their count. */
static __always_inline void update_window(struct task_state *process, __u64 now)
{
	if ((__s64)(now - process->window_begin_ns) < window_ns)
		return;
	process->window_begin_ns = now;
	process->attempts = 0;
	process->bound = 0;
}

/* Takes one event of the process's second. False beyond the bound: the event must not be emitted. */
static __always_inline bool take_event(struct task_struct *task, struct task_state *state, __u64 now, __u8 class)
{
	struct task_state *process;
	__u32 attempts;

	if (!config.process_events)
		return true;
	process = process_state_of(task, state);
	if (!process)
		return true;
	update_window(process, now);
	if (is_alone(task))
		attempts = process->attempts++;
	else
		attempts = __sync_fetch_and_add(&process->attempts, 1);
	/* the bound follows the fill of the ring */
	if (attempts >= process->bound || !(attempts % FILL_UNITS))
		process->bound = find_bound(class);
	return attempts < process->bound;
}

/* True if take_event() would return false. */
static __always_inline bool is_beyond_bound(struct task_struct *task, struct task_state *state, __u64 now, __u8 class)
{
	struct task_state *process;

	if (!config.process_events)
		return false;
	process = process_state_of(task, state);
	return process && (__s64)(now - process->window_begin_ns) < window_ns && process->attempts >= process->bound &&
	       process->attempts >= find_bound(class);
}

/* A fork takes an event of its creator, and a child that begins in a busy second has taken as many as its creator: short-
 * lived children do not multiply the bound. */
static __always_inline void inherit_bound(struct task_struct *creator, struct task_state *state, struct task_struct *child)
{
	struct task_state *process, *inherited;

	if (!config.process_events)
		return;
	process = process_state_of(creator, state);
	if (!process)
		return;
	update_window(process, bpf_ktime_get_ns());
	if (__sync_fetch_and_add(&process->attempts, 1) < FREE_EVENTS)
		return;
	inherited = bpf_task_storage_get(&tasks, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!inherited)
		return;
	inherited->window_begin_ns = process->window_begin_ns;
	inherited->attempts = process->attempts;
}

#endif
