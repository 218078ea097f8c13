/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Emits a system call at its exit: the record that all calls share, and the handlers of calls with paths, of exec,
 * and of calls without arguments in their record. */
#ifndef RINGSIDE_EXITS_H
#define RINGSIDE_EXITS_H

/* Input of all handlers. It includes the subject, described before they diverge: each walk from the task costs the
 * verifier a search of the kernel's types, on every path that leads to it. */
struct call_exit {
	struct task_struct *task;
	struct task_state *state;
	__u64 now;
	__s64 ret;
	__u32 stack_bytes;	/* of own_stack(); 0: no stack */
	__u8 call;
	__u8 reserved[3];
};

static __always_inline void write_call(struct ringside_event *event, const struct call_exit *exit)
{
	event->call = exit->call ?: RINGSIDE_CALL_OTHER;
	event->nr = exit->state->nr;
	if (exit->state->abi == RINGSIDE_ABI_COMPAT)
		event->flags = RINGSIDE_IS_COMPAT;
	event->time_ns = exit->now;
	event->duration_ns = exit->now - exit->state->enter_ns;
	event->ret = exit->ret;
	event->not_entered = exit->state->not_entered;
	write_subject(event, &exit->state->subject);
}

static __always_inline struct ringside_event *reserve_call(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_event(RINGSIDE_KIND_SYSCALL, class_of(exit->call), sizeof(*event));

	if (event)
		write_call(event, exit);
	return event;
}

static __always_inline struct ringside_event *draft_call(const struct call_exit *exit)
{
	struct ringside_event *draft = begin_draft(RINGSIDE_KIND_SYSCALL, class_of(exit->call));

	if (draft)
		write_call(draft, exit);
	return draft;
}

/* Where a call has its path, and the directory that it is relative to. */
struct path_arguments {
	const char *path;
	__s32 dirfd;
	__s32 fd;	/* the same as an argument of the call; -1 if it has none */
	__u32 flags;
	__u64 resolve;	/* openat2 */
};

static __always_inline struct path_arguments read_path_arguments(const struct call_exit *exit)
{
	const __u64 *args = exit->state->args;
	struct path_arguments arguments = { .path = (const char *)args[0], .dirfd = AT_FDCWD, .fd = -1 };
	struct {
		__u64 flags, mode, resolve;
	} how = {};

	switch (exit->call) {
	case RINGSIDE_CALL_OPEN:
		arguments.flags = args[1];
		break;
	case RINGSIDE_CALL_CREAT:
		arguments.flags = CREAT_FLAGS;
		break;
	case RINGSIDE_CALL_OPENAT:
		arguments.flags = args[2];
		arguments.path = (const char *)args[1];
		arguments.fd = arguments.dirfd = args[0];
		break;
	case RINGSIDE_CALL_OPENAT2:
		/* struct open_how may be longer, but not shorter */
		bpf_probe_read_user(&how, sizeof(how), (void *)args[2]);
		arguments.flags = how.flags;
		arguments.resolve = how.resolve;
		arguments.path = (const char *)args[1];
		arguments.fd = arguments.dirfd = args[0];
		break;
	case RINGSIDE_CALL_OPEN_BY_HANDLE_AT:
		arguments.flags = args[2];
		arguments.path = 0;
		arguments.fd = arguments.dirfd = args[0];
		break;
	case RINGSIDE_CALL_UNLINKAT:
		arguments.flags = args[2];
		arguments.path = (const char *)args[1];
		arguments.fd = arguments.dirfd = args[0];
		break;
	}
	return arguments;
}

static __always_inline bool is_open(__u8 call)
{
	return call == RINGSIDE_CALL_OPEN || call == RINGSIDE_CALL_OPENAT || call == RINGSIDE_CALL_OPENAT2 ||
	       call == RINGSIDE_CALL_CREAT || call == RINGSIDE_CALL_OPEN_BY_HANDLE_AT;
}

/* open*, unlink*, truncate: of a file that was opened, its own path; else the argument. */
static __always_inline void exit_path(const struct call_exit *exit)
{
	struct path_arguments arguments = read_path_arguments(exit);
	struct ringside_event *draft = draft_call(exit);
	struct file *file = 0;
	struct text path;

	if (!draft)
		return;
	draft->fd = arguments.fd;
	draft->arg = is_open(exit->call) ? generic_open_flags(arguments.flags) : arguments.flags;
	draft->amount = arguments.resolve;
	if (is_open(exit->call) && exit->ret >= 0)
		file = file_of(exit->task, exit->ret);
	if (file) {
		draft->flags |= RINGSIDE_PATH_OPENED;
		path = read_file_path(WALK_PATH, file);
		append_text(draft, &path, false);
		path = read_plain(WALK_EXTRA, arguments.path);
	} else {
		path = read_path_argument(WALK_PATH, exit->task, arguments.dirfd, arguments.path, true);
	}
	append_text(draft, &path, file != 0);
	submit_draft(draft, exit->stack_bytes);
}

/* rename*, link*, symlink*, mount */
static __always_inline void exit_two_paths(const struct call_exit *exit)
{
	struct ringside_event *draft = draft_call(exit);
	const __u64 *args = exit->state->args;
	__u64 from = args[0], to = args[1];
	__s32 from_dirfd = AT_FDCWD, to_dirfd = AT_FDCWD;
	bool is_plain = exit->call == RINGSIDE_CALL_MOUNT || exit->call == RINGSIDE_CALL_SYMLINK ||
			exit->call == RINGSIDE_CALL_SYMLINKAT;
	struct text text;

	if (!draft)
		return;
	if (exit->call == RINGSIDE_CALL_SYMLINKAT) {
		to = args[2];
		draft->fd = to_dirfd = args[1];
	} else if (exit->call == RINGSIDE_CALL_RENAMEAT || exit->call == RINGSIDE_CALL_RENAMEAT2 ||
		   exit->call == RINGSIDE_CALL_LINKAT) {
		draft->fd = from_dirfd = args[0];
		from = args[1];
		to_dirfd = args[2];
		to = args[3];
	} else if (exit->call == RINGSIDE_CALL_MOUNT) {
		draft->arg = args[3];
	}
	/* a link's target is relative to the link, a mount's source may be no path */
	if (is_plain)
		text = read_plain(WALK_PATH, (const char *)from);
	else
		text = read_path_argument(WALK_PATH, exit->task, from_dirfd, (const char *)from, true);
	append_text(draft, &text, false);
	text = read_path_argument(WALK_EXTRA, exit->task, to_dirfd, (const char *)to, true);
	append_text(draft, &text, true);
	submit_draft(draft, exit->stack_bytes);
}

/* The name of the file that memfd_create makes. */
static __always_inline void exit_memfd(const struct call_exit *exit)
{
	struct ringside_event *draft = draft_call(exit);
	struct text name = read_plain(WALK_PATH, (const char *)exit->state->args[0]);

	if (!draft)
		return;
	draft->arg = exit->state->args[1];
	append_text(draft, &name, false);
	submit_draft(draft, exit->stack_bytes);
}

static __always_inline void exit_exec(const struct call_exit *exit)
{
	struct exec_state *exec = bpf_task_storage_get(&execs, exit->task, 0, 0);
	const __u64 *args = exit->state->args;
	bool is_at = exit->call == RINGSIDE_CALL_EXECVEAT;
	struct ringside_event *draft = draft_call(exit);
	__u32 stack_bytes = 0;
	struct text path = {};

	if (draft && is_at)
		draft->fd = args[0];
	if (draft && exec) {
		write_subject(draft, &exec->subject);
		if (exec->path_bytes) {
			path.at = exec->path;
			path.bytes = exec->path_bytes;
			path.is_whole = exec->is_whole;
		} else {
			path = read_path_argument(WALK_PATH, exit->task, is_at ? (__s32)args[0] : AT_FDCWD,
						  (const char *)(is_at ? args[1] : args[0]), true);
		}
		append_text(draft, &path, false);
		stack_bytes = exec->stack_bytes;
		if (stack_bytes)
			copy_stack(own_stack(), (const struct stack_walk *)exec->stack);
	}
	if (draft)
		submit_draft(draft, stack_bytes);
	bpf_task_storage_delete(&execs, exit->task);
}

/* A call without arguments in its record. */
static __always_inline void exit_other(const struct call_exit *exit)
{
	struct ringside_event *event = reserve_call(exit);

	if (event)
		submit_with_stack(event, exit->stack_bytes);
}

#endif
