/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Addresses of a socket: from its descriptor, and from the sockaddr that a call passed. */
#ifndef RINGSIDE_SOCKET_H
#define RINGSIDE_SOCKET_H

/* A sun_path in kernel or user memory, to be copied into the record's path. */
struct unix_name {
	const char *path;
	__u32 bytes;
	bool is_user;
};

/* The socket of a descriptor of the current task; NULL if the descriptor is no socket. */
static __always_inline struct sock *sock_of(struct task_struct *task, __u32 fd)
{
	struct files_struct *files = task->files;
	struct fdtable *fdt;
	struct file *file = 0;
	struct socket *socket;

	if (!files)
		return 0;
	fdt = files->fdt;
	if (!fdt || fd >= fdt->max_fds)
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* ::ffff:a.b.c.d */
static __always_inline void map_to_ipv6(__u8 *address, __u32 ipv4)
{
	__builtin_memset(address, 0, 10);
	address[10] = address[11] = 0xff;
	__builtin_memcpy(address + 12, &ipv4, sizeof(ipv4));
}

static __always_inline void read_sock(struct ringside_socket *to, const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	to->family = family;
	to->type = BPF_CORE_READ(sk, sk_type);
	to->protocol = BPF_CORE_READ(sk, sk_protocol);
	to->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (family == AF_INET) {
		__u32 local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		__u32 remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);

		__builtin_memcpy(to->local_address, &local, sizeof(local));
		__builtin_memcpy(to->remote_address, &remote, sizeof(remote));
	} else if (family == AF_INET6) {
		if (!bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
			return;
		BPF_CORE_READ_INTO(&to->local_address, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&to->remote_address, sk, __sk_common.skc_v6_daddr);
	} else {
		return;
	}
	/* a raw socket has its protocol in the field of the port */
	if (to->type == SOCK_RAW)
		return;
	to->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	to->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

/* the socket's own name, or its peer's if it has none */
static __always_inline void find_unix_name(struct unix_name *name, const struct sock *sk)
{
	const struct unix_sock *own = (const struct unix_sock *)sk;
	struct unix_address *address;

	if (!bpf_core_type_exists(struct unix_sock))
		return;
	address = BPF_CORE_READ(own, addr);
	if (!address) {
		const struct unix_sock *peer = (const struct unix_sock *)BPF_CORE_READ(own, peer);

		address = peer ? BPF_CORE_READ(peer, addr) : 0;
	}
	if (!address)
		return;
	name->bytes = BPF_CORE_READ(address, len) - sizeof(__u16);
	name->path = (const char *)__builtin_preserve_access_index(&address->name[0].sun_path);
	name->is_user = false;
}

/* A buffer in user memory. */
struct user_buffer {
	__u64 at;
	__u32 bytes;
};

/* the fields of struct sockaddr_in and sockaddr_in6 that are read */
struct user_address {
	__u16 family;
	__be16 port;
	__u8 ipv4[4]; /* IPv6: flow info */
	__u8 ipv6[16];
};

/*
 * Overlays the sockaddr that a call passed on the socket's addresses: connect, sendto and sendmsg name the remote end, a
 * failed bind the local one. Reads it at exit, when its page is present. Keeps the socket's family if there is a socket.
 */
static __always_inline void overlay_address(struct ringside_socket *to, struct unix_name *name, __u64 from,
					    __u32 bytes, bool is_local)
{
	struct user_address address = {};
	__u8 *destination = is_local ? to->local_address : to->remote_address;

	if (!from || bpf_probe_read_user(&address, 2 * sizeof(__u16), (void *)from))
		return;
	if (address.family == AF_UNIX && bytes > sizeof(__u16)) {
		name->path = (const char *)from + sizeof(__u16);
		name->bytes = bytes - sizeof(__u16);
		name->is_user = true;
	} else if (address.family == AF_INET && bytes >= 8) {
		__u32 ipv4 = 0;

		if (bpf_probe_read_user(&ipv4, sizeof(ipv4), (void *)(from + 4)))
			return;
		if (to->family == AF_INET6)
			map_to_ipv6(destination, ipv4);
		else if (!to->family || to->family == AF_INET)
			__builtin_memcpy(destination, &ipv4, sizeof(ipv4));
		else
			return;
	} else if (address.family == AF_INET6 && bytes >= 24) {
		if (to->family && to->family != AF_INET6)
			return;
		if (bpf_probe_read_user(address.ipv6, sizeof(address.ipv6), (void *)(from + 8)))
			return;
		__builtin_memcpy(destination, address.ipv6, sizeof(address.ipv6));
	} else {
		return;
	}
	if (!to->family)
		to->family = address.family;
	if (address.family == AF_UNIX)
		return;
	if (is_local)
		to->local_port = bpf_ntohs(address.port);
	else
		to->remote_port = bpf_ntohs(address.port);
}

/* Copies a sun_path into a record with room for RINGSIDE_PATH_SHORT. An abstract name begins with NUL, written as '@', and
 * may contain further NULs. */
static __always_inline void write_unix_path(struct ringside_event *event, const struct unix_name *name)
{
	__u32 bytes = name->bytes > UNIX_PATH_MAX ? UNIX_PATH_MAX : name->bytes;
	long copied;

	bytes &= 127;
	barrier_var(bytes); /* clang 14 removes the limit that the verifier needs */
	bytes &= 127;
	copied = name->is_user ? bpf_probe_read_user(event->path, bytes, name->path) :
				 bpf_probe_read_kernel(event->path, bytes, name->path);
	if (copied < 0)
		return;
	if (event->path[0] == 0) {
		event->path[0] = '@';
		set_path_size(event, bytes + 1);
		return;
	}
	copied = name->is_user ? bpf_probe_read_user_str(event->path, bytes + 1, name->path) :
				 bpf_probe_read_kernel_str(event->path, bytes + 1, name->path);
	set_path_size(event, copied);
}

#endif
