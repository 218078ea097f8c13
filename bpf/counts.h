/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Calls that are counted, not told of one by one: into the groups of event.h, of the half that config.epoch names.
 * Programs of system calls run with preemption disabled and never within each other, so what is of one CPU or
 * of one thread alone moves without atomics. */
#ifndef RINGSIDE_COUNTS_H
#define RINGSIDE_COUNTS_H

/* 128 Ki places, in cache lines: four for each group of a half as it is by default. What finds no place in its
 * line, then one group in thousands, is the thread's instead of the process's. */
enum { INDEX_LINES = 1 << 14, LINE_PLACES = 8 };
/* A place has 17 bits for its group. */
_Static_assert(2 * RINGSIDE_GROUPS_MAX == 1 << 17, "a group's number has 17 bits");
enum { GROUP_BITS = 17, NO_GROUP = 0xffffffff, NEARLY_FULL = 0xffff0000 };

/* What the groups of a process are for, in 20 bits: number, ABI, what, and first / 32. */
#define GROUP_KEY(nr, abi, measure, bucket) ((__u32)(nr) | (abi) << 10 | (measure) << 11 | ((bucket) >> 5) << 13)

/*
 * (process, key) -> group, for the threads of a process to share its groups. A place holds the epoch that it is
 * of in its upper half, then 15 bits to tell keys apart, and the group. Those of another epoch are free, so
 * nothing needs to be removed when a process or an epoch ends.
 */
__u64 group_index[INDEX_LINES * LINE_PLACES];

/* A function that is verified once, by itself: its branches would multiply all that comes after them. */
__noinline __u32 find_bucket(__u64 value)
{
	return bucket_of(value);
}

static __always_inline void count_off(__u8 call)
{
	own_counters()->off[class_of(call)]++;
}

/* A group of its own for a key, not yet in the index; NULL when none is left. */
static __always_inline struct ringside_group *take_group(struct task_struct *task, __u32 key, __u8 call, __u32 epoch,
							 __u32 *at)
{
	struct ringside_used *half = &used[epoch & 1];
	struct ringside_group *group;
	struct subject subject;
	__u32 next;

	if (half->groups >= config.groups)
		return 0;
	next = __sync_fetch_and_add(&half->groups, 1);
	if (next >= config.groups)
		return 0;
	*at = (epoch & 1) * config.groups + next;
	group = bpf_map_lookup_elem(&groups, at);
	if (!group)
		return 0;
	describe(&subject, task);
	group->start_ns = subject.start_ns;
	group->cgroup_id = subject.cgroup_id;
	group->pid = subject.pid;
	group->tid = subject.tid;
	group->ppid = subject.ppid;
	group->uid = subject.uid;
	__builtin_memcpy(group->comm, subject.comm, sizeof(group->comm));
	group->nr = key & (RINGSIDE_NR_MAX - 1);
	group->abi = (key >> 10) & 1;
	group->call = call & RINGSIDE_CALL_MASK;
	group->event_class = class_of(call);
	group->measure = (key >> 11) & 3;
	group->first_bucket = (key >> 13) << 5;
	return group;
}

static __always_inline bool is_group_of(const struct ringside_group *group, __u32 pid, __u64 start_ns, __u32 key)
{
	return group->pid == pid && group->start_ns == start_ns &&
	       GROUP_KEY(group->nr, group->abi, group->measure, group->first_bucket) == key;
}

/* The group of the current process for a key: that which it has in this epoch, or a new one; NO_GROUP when none is
 * left. Global, so that it is verified once and not for each call of it. */
__noinline __u32 find_group(__u32 key, __u8 call, __u32 epoch)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 start_ns = task->group_leader->start_boottime;
	__u32 pid = task->tgid;
	__u64 hash = (start_ns ^ (__u64)pid << 32 ^ key) * 0x9e3779b97f4a7c15ULL;
	__u32 line = (hash >> 32) & (INDEX_LINES - 1);
	/* above the bits of the line; never 0, the value of an unused place */
	__u64 mark = (__u64)epoch << 32 | ((hash >> 49) | 1) << GROUP_BITS;
	struct ringside_group *group = 0;
	__u32 found, own = NO_GROUP;

	for (__u32 place = 0; place < LINE_PLACES; place++) {
		__u64 *entry = &group_index[line * LINE_PLACES + place];
		__u64 seen = *(volatile __u64 *)entry;

		if (seen >> GROUP_BITS == mark >> GROUP_BITS) {
			found = seen & (2 * RINGSIDE_GROUPS_MAX - 1);
			group = bpf_map_lookup_elem(&groups, &found);
			if (group && is_group_of(group, pid, start_ns, key))
				return found;
			continue;
		}
		/* of this epoch, and not of those that were never used */
		if (seen >> 32 == epoch && (__u32)seen >> GROUP_BITS)
			continue;
		if (own == NO_GROUP && !take_group(task, key, call, epoch, &own))
			return NO_GROUP;
		/* a full barrier: whoever finds the place finds the group whole */
		if (__sync_val_compare_and_swap(entry, seen, mark | own) == seen)
			return own;
	}
	if (own == NO_GROUP && !take_group(task, key, call, epoch, &own))
		return NO_GROUP;
	return own;
}

/* Where a thread counts in this epoch. */
struct count_place {
	struct task_state *state;
	__u32 epoch;
	bool is_alone; /* the only thread of its process, and so the only one that counts into its groups */
};

static __always_inline struct count_place find_place(struct task_struct *task, struct task_state *state)
{
	struct count_place place = { .state = state, .epoch = *(volatile __u32 *)&config.epoch };

	place.is_alone = task->signal->nr_threads == 1;
	if (state->epoch != place.epoch) {
		__builtin_memset(state->groups, 0, sizeof(state->groups));
		state->epoch = place.epoch;
	}
	return place;
}

/* Through the thread's own cache, which nearly every call hits. NULL when there is no room, for another group or in
 * the count of the bucket. */
static __always_inline struct ringside_group *group_of(const struct count_place *place, __u16 nr, __u8 abi, __u8 call,
						       __u16 measure, __u32 bucket)
{
	__u32 key = GROUP_KEY(nr, abi, measure, bucket);
	struct cached_group *cached = &place->state->groups[(key * 0x9e3779b1U) >> 28];
	struct ringside_group *group;

	if (cached->key != (key | CACHED)) {
		__u32 at = find_group(key, call, place->epoch);

		if (at == NO_GROUP)
			return 0;
		cached->key = key | CACHED;
		cached->group = at;
	}
	group = bpf_map_lookup_elem(&groups, &cached->group);
	return group && group->counts[bucket & 31] < NEARLY_FULL ? group : 0;
}

static __always_inline void add_to(const struct count_place *place, struct ringside_group *group, __u32 bucket,
				   __u64 value)
{
	if (place->is_alone) {
		group->counts[bucket & 31]++;
		group->sum += value;
	} else {
		__sync_fetch_and_add(&group->counts[bucket & 31], 1);
		__sync_fetch_and_add(&group->sum, value);
	}
}

/* All that a call counts is counted, or it is declared as uncounted. */
static __always_inline void count_call(struct task_struct *task, struct task_state *state, __u64 now, __s64 ret)
{
	struct count_place place = find_place(task, state);
	struct ringside_counters *own = own_counters();
	__u64 duration_ns = now - state->enter_ns;
	__u32 duration_bucket = find_bucket(duration_ns ?: 1);
	struct ringside_group *latency, *outcome = 0;
	__u64 bytes = 0;
	__u32 bucket = 0;
	__u16 measure;

	own->counted[class_of(state->call)]++;
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
		outcome = group_of(&place, state->nr, state->abi, state->call, measure, bucket);
		if (!outcome) {
			own->uncounted++;
			return;
		}
	}
	latency = group_of(&place, state->nr, state->abi, state->call, RINGSIDE_MEASURE_LATENCY, duration_bucket);
	if (!latency) {
		own->uncounted++;
		return;
	}
	add_to(&place, latency, duration_bucket, duration_ns);
	if (outcome)
		add_to(&place, outcome, bucket, bytes);
}

/* How long a request takes is not known, nor what came of it: its latency is 0, which the summary leaves out. */
static __always_inline void count_request(struct task_struct *task, struct task_state *state,
					  const struct known_call *known)
{
	struct count_place place = find_place(task, state);
	struct ringside_counters *own = own_counters();
	struct ringside_group *group;

	own->counted[class_of(known->call)]++;
	group = group_of(&place, known->nr, known->abi, known->call, RINGSIDE_MEASURE_LATENCY, 0);
	if (group)
		add_to(&place, group, 0, 0);
	else
		own->uncounted++;
}

#endif
