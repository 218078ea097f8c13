/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The messages of a sendmmsg or recvmmsg, grouped by address: the call's record has those of the first address, and a
 * record of kind messages those of each further one. */
#ifndef RINGSIDE_MESSAGES_H
#define RINGSIDE_MESSAGES_H

enum {
	MESSAGES_MAX = 1024,	/* UIO_MAXIOV: the most that one call sends or receives */
	MESSAGE_GROUPS = 64,	/* a power of two: REST, and one for each address that gets a record */
	REST = 0,		/* the group of all other addresses */
};

/* struct mmsghdr: its bytes, and where msg_len is; of 32-bit callers, and of others */
enum { SHORT_HEADER = 32, SHORT_LENGTH_AT = 28, HEADER = 64, LENGTH_AT = 56 };

struct message_group {
	__u64 mark;	/* of the call; another: the group is free */
	__u64 bytes;
	__u32 messages;
	__u32 name_bytes;
	__u8 name[ADDRESS_BYTES];
};

/* The messages of one call; what emits them is global functions, which take no pointers on Linux 5.15. */
struct message_walk {
	__u64 mark;	/* time of the exit: unique on a CPU */
	__u64 headers;
	__u64 call_seq;
	__u32 call_cpu;
	__u32 first;	/* group of the first message */
	__u32 count;	/* messages */
	__u32 reserved_too;
	bool has_short_pointers;
	bool has_names;
	__u8 call;
	__u8 flags;
	__u16 nr;
	__u16 reserved;
	__s32 fd;
	__u32 name_bytes;	/* of `name`: the message that is being grouped */
	struct subject subject;
	struct ringside_socket socket;
	__u8 name[ADDRESS_BYTES];
	struct message_group groups[MESSAGE_GROUPS];
};

/* As path_walks: the programs that use it never nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct message_walk);
} message_walks SEC(".maps");

static __always_inline struct message_walk *own_messages(void)
{
	const __u32 first = 0;

	return bpf_map_lookup_elem(&message_walks, &first);
}

static __always_inline bool has_messages(__u8 call, __s64 ret)
{
	return (call == RINGSIDE_CALL_SENDMMSG || call == RINGSIDE_CALL_RECVMMSG) && ret > 0;
}

/* Copies the name of the message at `header` into the walk; returns its bytes. */
static __always_inline __u32 read_name(struct message_walk *walk, const void *header)
{
	struct buffer name = {};
	__u32 words[2];

	__builtin_memset(walk->name, 0, sizeof(walk->name));
	if (!walk->has_names)
		return 0;
	if (!walk->has_short_pointers) {
		bpf_probe_read_user(&name, sizeof(__u64) + sizeof(__u32), header);
	} else if (!bpf_probe_read_user(words, sizeof(words), header)) {
		name.at = words[0];
		name.bytes = words[1];
	}
	return read_address(walk->name, &name);
}

static __always_inline __u32 hash_name(const __u8 *name)
{
	const __u64 *words = (const __u64 *)name;
	__u64 hash = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < ADDRESS_BYTES / 8; i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
	return hash >> 32;
}

/* True if the group at `at` is free, which takes it, or has the address in walk->name. Global, so that the verifier checks
 * it once instead of for each group. */
__noinline bool take_group(__u32 at)
{
	struct message_walk *walk = own_messages();
	struct message_group *group;

	if (!walk || at == REST)
		return false;
	barrier_var(at); /* keeps the compiler from removing the mask that the verifier needs */
	group = &walk->groups[at & (MESSAGE_GROUPS - 1)];
	if (group->mark != walk->mark) {
		group->mark = walk->mark;
		group->bytes = group->messages = 0;
		group->name_bytes = walk->name_bytes;
		__builtin_memcpy(group->name, walk->name, sizeof(group->name));
		return true;
	}
	return group->name_bytes == walk->name_bytes && is_same_address(group->name, walk->name);
}

/* The group of the address in walk->name, REST if no group is free. */
static __always_inline __u32 find_message_group(const struct message_walk *walk)
{
	__u32 at = hash_name(walk->name);

	for (int i = 0; i < MESSAGE_GROUPS; i++) {
		at = (at + 1) & (MESSAGE_GROUPS - 1);
		if (take_group(at))
			return at;
	}
	return REST;
}

/* Adds a message to the group of its address; false behind the last. Global, so that the verifier checks it once. */
__noinline bool add_message(__u32 index)
{
	struct message_walk *walk = own_messages();
	struct message_group *group;
	const void *header;
	__u32 at, length = 0;

	if (!walk || index >= walk->count)
		return false;
	header = (const void *)(walk->headers + index * (walk->has_short_pointers ? SHORT_HEADER : HEADER));
	bpf_probe_read_user(&length, sizeof(length),
			    header + (walk->has_short_pointers ? SHORT_LENGTH_AT : LENGTH_AT));
	walk->name_bytes = read_name(walk, header);
	at = find_message_group(walk);
	if (index == 0)
		walk->first = at;
	barrier_var(at);
	group = &walk->groups[at & (MESSAGE_GROUPS - 1)];
	group->bytes += length;
	group->messages++;
	return true;
}

/* Global, so that the verifier checks it once. */
__noinline bool add_messages(void)
{
	for (__u32 i = 0; i < MESSAGES_MAX; i++) {
		if (!add_message(i))
			break;
	}
	return true;
}

/* Groups the messages of a call; NULL without a walk. */
static __always_inline struct message_walk *collect_messages(const struct call_exit *exit,
							     const struct ringside_socket *socket, bool has_names)
{
	struct message_walk *walk = own_messages();
	struct task_state *state = exit->state;

	if (!walk)
		return 0;
	walk->mark = exit->now;
	walk->headers = state->args[1];
	walk->has_short_pointers = has_short_pointers(state->abi, state->nr);
	walk->has_names = has_names;
	walk->call = exit->call;
	walk->flags = state->abi == RINGSIDE_ABI_COMPAT ? RINGSIDE_IS_COMPAT : 0;
	walk->nr = state->nr;
	walk->fd = state->args[0];
	walk->subject = state->subject;
	walk->socket = *socket;
	walk->first = 0;
	walk->groups[REST].mark = exit->now;
	walk->groups[REST].bytes = walk->groups[REST].messages = walk->groups[REST].name_bytes = 0;
	walk->count = exit->ret;
	add_messages();
	return walk;
}

/* Beyond the bound of the process its messages are in REST, of which each call has one. */
static __always_inline bool is_message_limited(const struct message_walk *walk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = state_of(task);

	return state && !take_event(task, state, walk->mark, class_of(walk->call));
}

/* Emits the group at `index` unless it is in the call's record. Global, so that the verifier checks it once. */
__noinline bool emit_messages_of(__u32 index)
{
	struct message_walk *walk = own_messages();
	struct message_group *group;
	struct ringside_event *draft;
	struct text path = {};

	if (!walk)
		return false;
	barrier_var(index); /* keeps the compiler from removing the mask that the verifier needs */
	group = &walk->groups[index & (MESSAGE_GROUPS - 1)];
	if (index == walk->first || group->mark != walk->mark || !group->messages)
		return true;
	if (index != REST && is_message_limited(walk)) {
		walk->groups[REST].bytes += group->bytes;
		walk->groups[REST].messages += group->messages;
		return true;
	}
	draft = begin_draft(RINGSIDE_KIND_MESSAGES, class_of(walk->call));
	if (!draft)
		return false;
	draft->call = walk->call;
	draft->nr = walk->nr;
	draft->flags = walk->flags;
	draft->time_ns = walk->mark;
	draft->origin = walk->call_cpu;
	draft->origin_id = walk->call_seq;
	draft->fd = walk->fd;
	draft->amount = group->bytes;
	draft->messages = group->messages;
	write_subject(draft, &walk->subject);
	if (walk->socket.family) {
		draft->flags |= RINGSIDE_HAS_SOCKET;
		draft->socket = walk->socket;
	}
	if (*(__u16 *)group->name == AF_UNIX && group->name_bytes > sizeof(__u16)) {
		path = read_unix_path(WALK_PATH, (const char *)group->name + sizeof(__u16),
				      group->name_bytes - sizeof(__u16));
		draft->flags |= RINGSIDE_ADDRESS_GIVEN;
	} else if (group->name_bytes && overlay_address(&draft->socket, group->name, group->name_bytes, false)) {
		draft->flags |= RINGSIDE_ADDRESS_GIVEN;
	}
	append_text(draft, &path, false);
	submit_draft(draft, 0);
	return true;
}

/* Emits the groups that are not in the call's record. Global, so that the verifier checks it once. Of a loop that skips a
 * call, Linux 5.15 and 6.1 reject the jump behind the call ("back-edge"). */
__noinline bool emit_messages(__u32 call_cpu, __u64 call_seq)
{
	struct message_walk *walk = own_messages();

	if (!walk)
		return false;
	walk->call_cpu = call_cpu;
	walk->call_seq = call_seq;
	/* the last one is REST */
	for (__u32 index = 1; index <= MESSAGE_GROUPS; index++) {
		if (!emit_messages_of(index & (MESSAGE_GROUPS - 1)))
			break;
	}
	return true;
}

#endif
