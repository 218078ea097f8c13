/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reads the arguments of a request to io_uring: what its preparation has copied into kernel memory, before it is issued. */
#ifndef RINGSIDE_URING_REQUEST_H
#define RINGSIDE_URING_REQUEST_H

/* Operations whose request has a descriptor in io_kiocb.cqe (needs_file, io_uring/opdef.c), by IORING_OP_*. Others keep
 * one, if any, in a struct of their own. */
const __u64 needs_file = 1ULL << 1 | 1ULL << 2 | 1ULL << 3 | 1ULL << 4 | 1ULL << 5 | 1ULL << 6 | 1ULL << 8 |
			       1ULL << 9 | 1ULL << 10 | 1ULL << 13 | 1ULL << 16 | 1ULL << 17 | 1ULL << 22 |
			       1ULL << 23 | 1ULL << 24 | 1ULL << 26 | 1ULL << 27 | 1ULL << 30 | 1ULL << 33 |
			       1ULL << 34 | 1ULL << 40 | 1ULL << 41 | 1ULL << 43 | 1ULL << 46 | 1ULL << 47 |
			       1ULL << 48 | 1ULL << 49 | 1ULL << 54 | 1ULL << 55 | 1ULL << 56 | 1ULL << 57 |
			       1ULL << 58 | 1ULL << 59 | 1ULL << 60 | 1ULL << 61;

/* The arguments of a request. */
struct uring_arguments {
	__s32 fd;
	__s32 registered;	/* index of the file in the ring's table of registered files; -1: fd is a descriptor */
	__u32 new_slot;		/* 0: a new file gets a descriptor; else its index in that table + 1, or IORING_FILE_INDEX_ALLOC */
	__s32 extra_dirfd;
	const char *path;
	const char *extra;
	__u64 resolve;
	struct buffer address;
	void *copy;	/* of the address, of CONNECT and BIND; 0: none */
	__u16 family;		/* these three of the operation SOCKET */
	__u16 type;
	__u16 protocol;
	__u16 reserved;
};

static __always_inline __u8 flags_of(struct io_kiocb *request)
{
	__u8 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), (void *)request + bpf_core_field_offset(request->flags));
	return flags;
}

/* The low bits of a slot are flags (FFS_*, io_uring/filetable.h). */
static __always_inline struct file *registered_file(struct io_kiocb *request, __u32 index)
{
	struct io_ring_ctx *ring = BPF_CORE_READ(request, ctx);
	struct io_file_table *table = 0;
	struct io_fixed_file *files;
	struct io_rsrc_node **nodes, *node = 0;
	__u64 slot = 0;

	if (bpf_core_field_exists(table->data)) {
		nodes = BPF_CORE_READ(ring, file_table.data.nodes);
		if (index >= BPF_CORE_READ(ring, file_table.data.nr) ||
		    bpf_probe_read_kernel(&node, sizeof(node), nodes + index) || !node)
			return 0;
		slot = BPF_CORE_READ(node, file_ptr);
	} else if (bpf_core_field_exists(table->files) && bpf_core_field_exists(ring->nr_user_files)) {
		files = BPF_CORE_READ(ring, file_table.files);
		if (index >= BPF_CORE_READ(ring, nr_user_files) ||
		    bpf_probe_read_kernel(&slot, sizeof(slot), (__u64 *)files + index))
			return 0;
	}
	return (struct file *)(slot & ~7ULL);
}

static __always_inline const char *name_of(struct filename *filename)
{
	return BPF_CORE_READ(filename, name);
}

static __always_inline bool has_family(const void *address, __u16 family)
{
	__u16 found = 0;

	bpf_probe_read_kernel(&found, sizeof(found), address);
	return found == family;
}

/* Takes the kernel's copy of the address of a CONNECT or BIND if it made one: alone, or before some version in a struct
 * io_async_msghdr, which begins with a pointer. No family of interest can be the low bits of that. */
static __always_inline void take_copy(struct buffer *address, const void *copy, __u16 family)
{
	if (!copy || !family)
		return;
	if (!has_family(copy, family))
		copy += bpf_core_field_offset(struct io_async_msghdr, addr);
	if (!has_family(copy, family))
		return;
	address->at = (__u64)copy;
	address->in_kernel = true;
}

/* SENDMSG and SEND, with or without ZC */
static __always_inline void read_message_address(struct buffer *to, struct io_kiocb *request, __u8 opcode)
{
	struct io_sr_msg *message = (struct io_sr_msg *)request;
	struct io_async_msghdr *copy = BPF_CORE_READ(request, async_data);
	bool has_header = opcode == IORING_OP_SENDMSG || opcode == IORING_OP_SENDMSG_ZC;

	if (!bpf_core_type_exists(struct io_sr_msg))
		return;
	if (!has_header && bpf_core_field_exists(message->addr)) {
		to->at = (__u64)BPF_CORE_READ(message, addr);
		to->bytes = BPF_CORE_READ(message, addr_len);
	} else if (copy) {
		to->at = (__u64)BPF_CORE_READ(copy, msg.msg_name);
		to->bytes = BPF_CORE_READ(copy, msg.msg_namelen);
		to->in_kernel = true;
	} else if (has_header) {
		/* struct user_msghdr begins with the two */
		bpf_probe_read_user(to, sizeof(__u64) + sizeof(__u32), BPF_CORE_READ(message, umsg));
	}
}

static __always_inline void read_request(struct uring_arguments *arguments, struct io_kiocb *request, __u8 call)
{
	__u8 opcode = BPF_CORE_READ(request, opcode);
	bool is_registered = flags_of(request) & IOSQE_FIXED_FILE;

	arguments->fd = arguments->registered = -1;
	switch (call) {
	case RINGSIDE_CALL_OPENAT:
	case RINGSIDE_CALL_OPENAT2:
		if (bpf_core_type_exists(struct io_open)) {
			arguments->fd = BPF_CORE_READ((struct io_open *)request, dfd);
			arguments->path = name_of(BPF_CORE_READ((struct io_open *)request, filename));
			arguments->resolve = BPF_CORE_READ((struct io_open *)request, how.resolve);
			arguments->new_slot = BPF_CORE_READ((struct io_open *)request, file_slot);
		}
		return;
	case RINGSIDE_CALL_UNLINKAT:
		if (bpf_core_type_exists(struct io_unlink)) {
			arguments->fd = BPF_CORE_READ((struct io_unlink *)request, dfd);
			arguments->path = name_of(BPF_CORE_READ((struct io_unlink *)request, filename));
		}
		return;
	case RINGSIDE_CALL_RENAMEAT2:
		if (bpf_core_type_exists(struct io_rename)) {
			arguments->fd = BPF_CORE_READ((struct io_rename *)request, old_dfd);
			arguments->path = name_of(BPF_CORE_READ((struct io_rename *)request, oldpath));
			arguments->extra_dirfd = BPF_CORE_READ((struct io_rename *)request, new_dfd);
			arguments->extra = name_of(BPF_CORE_READ((struct io_rename *)request, newpath));
		}
		return;
	case RINGSIDE_CALL_SOCKET:
		if (bpf_core_type_exists(struct io_socket)) {
			arguments->family = BPF_CORE_READ((struct io_socket *)request, domain);
			arguments->type = BPF_CORE_READ((struct io_socket *)request, type) & SOCK_TYPE_MASK;
			arguments->protocol = BPF_CORE_READ((struct io_socket *)request, protocol);
			arguments->new_slot = BPF_CORE_READ((struct io_socket *)request, file_slot);
		}
		return;
	case RINGSIDE_CALL_CLOSE:
		if (bpf_core_type_exists(struct io_close)) {
			arguments->fd = BPF_CORE_READ((struct io_close *)request, fd);
			arguments->registered = (__s32)BPF_CORE_READ((struct io_close *)request, file_slot) - 1;
		}
		break;
	case RINGSIDE_CALL_ACCEPT4:
		if (bpf_core_type_exists(struct io_accept))
			arguments->new_slot = BPF_CORE_READ((struct io_accept *)request, file_slot);
		break;
	case RINGSIDE_CALL_CONNECT:
		if (bpf_core_type_exists(struct io_connect)) {
			arguments->address.at = (__u64)BPF_CORE_READ((struct io_connect *)request, addr);
			arguments->address.bytes = BPF_CORE_READ((struct io_connect *)request, addr_len);
			arguments->copy = BPF_CORE_READ(request, async_data);
		}
		break;
	case RINGSIDE_CALL_BIND:
		if (bpf_core_type_exists(struct io_bind)) {
			arguments->address.bytes = BPF_CORE_READ((struct io_bind *)request, addr_len);
			arguments->copy = BPF_CORE_READ(request, async_data);
		}
		break;
	case RINGSIDE_CALL_SENDTO:
	case RINGSIDE_CALL_SENDMSG:
		read_message_address(&arguments->address, request, opcode);
		break;
	}
	if (opcode < 64 && (needs_file >> opcode & 1)) {
		if (is_registered)
			arguments->registered = BPF_CORE_READ(request, cqe.fd);
		else
			arguments->fd = BPF_CORE_READ(request, cqe.fd);
	}
}

/* The file that a request uses; NULL if it uses none. */
static __always_inline struct file *file_of_request(struct task_struct *task, struct io_kiocb *request,
						    const struct uring_arguments *arguments)
{
	if (arguments->registered >= 0)
		return registered_file(request, arguments->registered);
	return arguments->fd >= 0 ? file_of(task, arguments->fd) : 0;
}

#endif
