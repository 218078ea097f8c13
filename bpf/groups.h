/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Allocates the groups of event.h: (program, key) -> group, of the half that config.epoch selects. */
#ifndef RINGSIDE_GROUPS_H
#define RINGSIDE_GROUPS_H

/* 128 Ki slots in cache lines: four per group of a half of default size. A group without a slot in its line, one in
 * thousands, belongs to the thread instead of the process. */
enum { INDEX_LINES = 1 << 14, LINE_SLOTS = 8 };
_Static_assert(2 * RINGSIDE_GROUPS_MAX == 1 << 17, "a group's number has 17 bits");
enum { FREE_GROUPS = 64, SHARES = 8 };
enum { GROUP_BITS = 17, NO_GROUP = 0xffffffff, NEARLY_FULL = 0xffff0000 };

/* Identifies a group within its program, in 20 bits: number, ABI, measure, place. */
#define GROUP_KEY(nr, abi, measure, bucket) ((__u32)(nr) | (abi) << 10 | (measure) << 11 | ((bucket) >> 5) << 13)

/*
 * (program, key) -> group, so that the threads of a process share its groups. A slot is the epoch (32 bits), a part of
 * the hash of the key (15 bits), and the group (17 bits). Slots of another epoch are free: nothing needs to be removed
 * when a process or an epoch ends.
 */
__u64 group_index[INDEX_LINES * LINE_SLOTS];

/* A process may take FREE_GROUPS of the groups, and beyond them a share of what is left: it cannot exhaust them alone, and
 * of several that try, each has less than is left. Part of the groups is only for declarations. */
static __always_inline bool may_allocate(struct task_struct *task, __u32 key, __u32 epoch, __u32 taken)
{
	struct task_state *process;
	__u32 most = config.groups;
	__u32 own;

	if (((key >> 11) & 3) == RINGSIDE_MEASURE_DECLARED)
		return taken < most;
	most -= most / SHARES;
	if (taken >= most)
		return false;
	process = bpf_task_storage_get(&tasks, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!process)
		return true;
	if (process->groups_epoch != epoch) {
		process->groups_epoch = epoch;
		process->groups_taken = 0;
	}
	own = __sync_fetch_and_add(&process->groups_taken, 1);
	if (own < FREE_GROUPS || own < (most - taken) / SHARES)
		return true;
	__sync_fetch_and_sub(&process->groups_taken, 1);
	return false;
}

/* Allocates a group for a key, without entering it into the index; NULL if none is left. */
static __always_inline struct ringside_group *allocate_group(struct task_struct *task, __u32 key, __u8 call, __u32 epoch,
							     __u32 *at)
{
	struct ringside_used *half = &used[epoch & 1];
	struct ringside_group *group;
	struct subject subject;
	__u32 next;

	if (!may_allocate(task, key, epoch, half->groups))
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
	group->euid = subject.euid;
	group->ppid = subject.ppid;
	group->uid = subject.uid;
	group->exec_id = subject.exec_id;
	__builtin_memcpy(group->comm, subject.comm, sizeof(group->comm));
	group->nr = key & (RINGSIDE_NR_MAX - 1);
	group->abi = (key >> 10) & 1;
	group->call = call & RINGSIDE_CALL_MASK;
	group->event_class = class_of(call);
	group->measure = (key >> 11) & 3;
	group->place = key >> 13;
	return group;
}

static __always_inline bool is_group_of(const struct ringside_group *group, __u32 pid, __u64 start_ns, __u32 exec_id,
					__u32 key)
{
	return group->pid == pid && group->start_ns == start_ns && group->exec_id == exec_id &&
	       GROUP_KEY(group->nr, group->abi, group->measure, group->place << 5) == key;
}

/* Finds or allocates the group of the current program for a key in this epoch; NO_GROUP if none is left. Global, so that
 * the verifier checks it once instead of for each caller. */
__noinline __u32 find_group(__u32 key, __u8 call, __u32 epoch)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 start_ns = task->group_leader->start_boottime;
	__u32 pid = task->tgid, exec_id = task->self_exec_id;
	__u64 hash = (start_ns ^ (__u64)pid << 32 ^ (__u64)exec_id << 20 ^ key) * 0x9e3779b97f4a7c15ULL;
	__u32 line = (hash >> 32) & (INDEX_LINES - 1);
	/* bits above those of the line; never 0, the value of an unused slot */
	__u64 mark = (__u64)epoch << 32 | ((hash >> 49) | 1) << GROUP_BITS;
	struct ringside_group *group = 0;
	__u32 found, own = NO_GROUP;

	for (__u32 slot = 0; slot < LINE_SLOTS; slot++) {
		__u64 *entry = &group_index[line * LINE_SLOTS + slot];
		__u64 seen = *(volatile __u64 *)entry;

		if (seen >> GROUP_BITS == mark >> GROUP_BITS) {
			found = seen & (2 * RINGSIDE_GROUPS_MAX - 1);
			group = bpf_map_lookup_elem(&groups, &found);
			if (group && is_group_of(group, pid, start_ns, exec_id, key))
				return found;
			continue;
		}
		/* used in this epoch, by another key */
		if (seen >> 32 == epoch && (__u32)seen >> GROUP_BITS)
			continue;
		if (own == NO_GROUP && !allocate_group(task, key, call, epoch, &own))
			return NO_GROUP;
		/* a full barrier: another CPU that reads the slot sees the complete group */
		if (__sync_val_compare_and_swap(entry, seen, mark | own) == seen)
			return own;
	}
	if (own == NO_GROUP && !allocate_group(task, key, call, epoch, &own))
		return NO_GROUP;
	return own;
}

#endif
