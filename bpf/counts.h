/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Adds counted calls to the groups of their process. Programs of system calls run with preemption disabled and never
 * nested: data of one CPU, or of one thread, changes without atomics. */
#ifndef RINGSIDE_COUNTS_H
#define RINGSIDE_COUNTS_H

/* Global, so that the verifier checks it once: its branches would multiply the paths through the callers. */
__noinline __u32 find_bucket(__u64 value)
{
	return bucket_of(value);
}

static __always_inline void count_off(__u8 call)
{
	own_counters()->off[class_of(call)]++;
}

/* A thread's groups in this epoch. */
struct thread_groups {
	struct task_state *state;
	__u32 epoch;
	bool is_alone; /* the process has one thread: nothing else writes to its groups */
};

static __always_inline struct thread_groups thread_groups_of(struct task_struct *task, struct task_state *state)
{
	struct thread_groups thread = { .state = state, .epoch = *(volatile __u32 *)&config.epoch };

	thread.is_alone = is_alone(task);
	if (state->epoch != thread.epoch) {
		__builtin_memset(state->groups, 0, sizeof(state->groups));
		state->epoch = thread.epoch;
	}
	return thread;
}

/* Finds the group of a bucket, nearly always in the thread's cache. NULL if no group is free, or if the count of the
 * bucket is nearly full. */
static __always_inline struct ringside_group *group_of(const struct thread_groups *thread, __u16 nr, __u8 abi, __u8 call,
						       __u16 measure, __u32 bucket)
{
	__u32 key = GROUP_KEY(nr, abi, measure, bucket);
	struct cached_group *cached = &thread->state->groups[(key * 0x9e3779b1U) >> 28];
	struct ringside_group *group;

	if (cached->key != (key | CACHED)) {
		__u32 at = find_group(key, call, thread->epoch);

		if (at == NO_GROUP)
			return 0;
		cached->key = key | CACHED;
		cached->group = at;
	}
	group = bpf_map_lookup_elem(&groups, &cached->group);
	return group && group->counts[bucket & 31] < NEARLY_FULL ? group : 0;
}

static __always_inline void add_to(const struct thread_groups *thread, struct ringside_group *group, __u32 bucket,
				   __u64 value)
{
	if (thread->is_alone) {
		group->counts[bucket & 31]++;
		group->sum += value;
	} else {
		__sync_fetch_and_add(&group->counts[bucket & 31], 1);
		__sync_fetch_and_add(&group->sum, value);
	}
}

static __always_inline struct ringside_group *declaration_of(const struct thread_groups *thread, __u16 nr, __u8 abi,
							     __u8 call)
{
	return group_of(thread, nr, abi, call, RINGSIDE_MEASURE_DECLARED, 0);
}

/* Declares a call that found no group, with its process if that has a group for it. */
static __always_inline void count_uncounted(const struct thread_groups *thread)
{
	struct ringside_group *group =
		declaration_of(thread, RINGSIDE_NR_UNCOUNTED, RINGSIDE_ABI_NATIVE, RINGSIDE_CALL_NONE);

	own_counters()->uncounted++;
	if (group)
		add_to(thread, group, RINGSIDE_DECLARED_UNCOUNTED, 0);
}

/* Adds all values of a call, or none and declares the call as uncounted. */
static __always_inline void count_call(struct task_struct *task, struct task_state *state, __u64 now, __s64 ret,
				       bool is_limited)
{
	struct thread_groups thread = thread_groups_of(task, state);
	struct ringside_counters *own = own_counters();
	__u64 duration_ns = now - state->enter_ns;
	__u32 duration_bucket = find_bucket(duration_ns ?: 1);
	struct ringside_group *latency, *outcome = 0, *declared = 0;
	__u64 bytes = 0;
	__u32 bucket = 0;
	__u16 measure;

	own->counted[class_of(state->call)]++;
	if (is_limited)
		own->limited++;
	if (ret < 0 && ret >= -MAX_ERRNO) {
		measure = RINGSIDE_MEASURE_ERRNO;
		bucket = -ret;
	} else if (ret > 0 && (state->call & RINGSIDE_MOVES_BYTES)) {
		measure = RINGSIDE_MEASURE_BYTES;
		bytes = ret;
		bucket = find_bucket(bytes);
	} else {
		measure = RINGSIDE_MEASURE_LATENCY;
	}
	if (measure != RINGSIDE_MEASURE_LATENCY) {
		outcome = group_of(&thread, state->nr, state->abi, state->call, measure, bucket);
		if (!outcome)
			goto uncounted;
	}
	latency = group_of(&thread, state->nr, state->abi, state->call, RINGSIDE_MEASURE_LATENCY, duration_bucket);
	if (!latency)
		goto uncounted;
	if (is_limited) {
		declared = declaration_of(&thread, state->nr, state->abi, state->call);
		if (!declared)
			goto uncounted;
		add_to(&thread, declared, RINGSIDE_DECLARED_LIMITED, 0);
	}
	add_to(&thread, latency, duration_bucket, duration_ns);
	if (outcome)
		add_to(&thread, outcome, bucket, bytes);
	return;
uncounted:
	count_uncounted(&thread);
}

/* The duration and the outcome of a request are unknown: its latency is 0, which summaries leave out. */
static __always_inline void count_request(struct task_struct *task, struct task_state *state,
					  const struct known_call *known, bool is_limited)
{
	struct thread_groups thread = thread_groups_of(task, state);
	struct ringside_counters *own = own_counters();
	struct ringside_group *group, *declared = 0;

	own->counted[class_of(known->call)]++;
	if (is_limited) {
		own->limited++;
		declared = declaration_of(&thread, known->nr, known->abi, known->call);
	}
	group = group_of(&thread, known->nr, known->abi, known->call, RINGSIDE_MEASURE_LATENCY, 0);
	if (!group || (is_limited && !declared)) {
		count_uncounted(&thread);
		return;
	}
	add_to(&thread, group, 0, 0);
	if (declared)
		add_to(&thread, declared, RINGSIDE_DECLARED_LIMITED, 0);
}

/* Declares the outcome of a connect that no observed call began. */
static __always_inline void count_limited_outcome(struct task_struct *task, struct task_state *state)
{
	struct thread_groups thread = thread_groups_of(task, state);
	struct ringside_group *group =
		declaration_of(&thread, NR_CONNECT, RINGSIDE_ABI_NATIVE, RINGSIDE_CALL_CONNECT);

	own_counters()->limited++;
	if (group)
		add_to(&thread, group, RINGSIDE_DECLARED_LIMITED, 0);
}

#endif
