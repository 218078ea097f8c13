/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Addresses of a socket: from its descriptor, and from the sockaddr that a call passed. */
#ifndef RINGSIDE_SOCKET_H
#define RINGSIDE_SOCKET_H

/* A sun_path in kernel memory. */
struct unix_name {
	const char *path;
	__u32 bytes;
};

/* NULL if the file is no socket */
static __always_inline struct sock *sock_of_file(struct file *file)
{
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* The socket of a descriptor of the current task; NULL if the descriptor is no socket. */
static __always_inline struct sock *sock_of(struct task_struct *task, __u32 fd)
{
	return sock_of_file(file_of(task, fd));
}

/* ::ffff:a.b.c.d */
static __always_inline void map_to_ipv6(__u8 *address, __u32 ipv4)
{
	__builtin_memset(address, 0, 10);
	address[10] = address[11] = 0xff;
	__builtin_memcpy(address + 12, &ipv4, sizeof(ipv4));
}

/* The cid takes the place of the address. The type is known where vsock is built into the kernel. */
static __always_inline void read_vsock(struct ringside_socket *to, const struct sock *sk)
{
	const struct vsock_sock *vsock = (const struct vsock_sock *)sk;
	__u32 cid;

	if (!bpf_core_type_exists(struct vsock_sock))
		return;
	cid = BPF_CORE_READ(vsock, local_addr.svm_cid);
	__builtin_memcpy(to->local_address, &cid, sizeof(cid));
	to->local_port = BPF_CORE_READ(vsock, local_addr.svm_port);
	cid = BPF_CORE_READ(vsock, remote_addr.svm_cid);
	__builtin_memcpy(to->remote_address, &cid, sizeof(cid));
	to->remote_port = BPF_CORE_READ(vsock, remote_addr.svm_port);
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
	} else if (family == AF_VSOCK) {
		read_vsock(to, sk);
		return;
	} else {
		return;
	}
	/* a raw socket has its protocol in the field of the port */
	if (to->type == SOCK_RAW)
		return;
	to->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	to->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	/* a stream that was disconnected, or whose connect failed, keeps the address of its last peer without the port */
	if (!to->remote_port && to->type == SOCK_STREAM)
		__builtin_memset(to->remote_address, 0, sizeof(to->remote_address));
}

static __always_inline void read_unix_address(struct unix_name *name, const struct unix_sock *sock)
{
	struct unix_address *address = sock ? BPF_CORE_READ(sock, addr) : 0;

	if (!address)
		return;
	name->bytes = BPF_CORE_READ(address, len) - sizeof(__u16);
	name->path = (const char *)__builtin_preserve_access_index(&address->name[0].sun_path);
}

/* the name of a socket's peer or its own, whichever is asked for first; the other if that has none */
static __always_inline void find_unix_name(struct unix_name *name, const struct sock *sk, bool peer_first)
{
	const struct unix_sock *own = (const struct unix_sock *)sk, *peer;

	if (!bpf_core_type_exists(struct unix_sock))
		return;
	peer = (const struct unix_sock *)BPF_CORE_READ(own, peer);
	read_unix_address(name, peer_first ? peer : own);
	if (!name->path)
		read_unix_address(name, peer_first ? own : peer);
}

static __always_inline bool has_remote(const struct ringside_socket *socket)
{
	const __u64 *words = (const __u64 *)socket->remote_address;

	return socket->remote_port || words[0] || words[1];
}

/* A connected stream has one peer, whatever address a call names; a datagram goes to the one that is named. */
static __always_inline bool is_connected_stream(const struct ringside_socket *socket)
{
	return (socket->type == SOCK_STREAM || socket->type == SOCK_SEQPACKET) && has_remote(socket);
}

static __always_inline void copy_remote(struct ringside_socket *to, const struct ringside_socket *from)
{
	to->remote_port = from->remote_port;
	__builtin_memcpy(to->remote_address, from->remote_address, sizeof(to->remote_address));
}

/* A buffer in memory of the caller. */
struct buffer {
	__u64 at;
	__u32 bytes;
	bool in_kernel;	/* the kernel's copy of it */
};

/* the fields of struct sockaddr_in, sockaddr_in6 and sockaddr_vm (include/uapi/linux/vm_sockets.h) that are read */
struct sockaddr_fields {
	__u16 family;
	__be16 port;
	__u8 ipv4[4];	/* IPv6: flow info; vsock: the port */
	__u8 ipv6[16];	/* vsock: begins with the cid */
};

/* Copies a sockaddr argument; returns its bytes, 0 if it cannot be read. */
static __always_inline __u32 read_address(__u8 *to, const struct buffer *from)
{
	__u32 bytes = from->bytes;

	if (!from->at || bytes < sizeof(__u16))
		return 0;
	if (bytes > ADDRESS_BYTES)
		bytes = ADDRESS_BYTES;
	barrier_var(bytes); /* clang 14 removes the limit that the verifier needs */
	bytes &= 127;
	if (bytes > ADDRESS_BYTES)
		return 0;
	__builtin_memset(to, 0, ADDRESS_BYTES);
	if (from->in_kernel)
		return bpf_probe_read_kernel(to, bytes, (void *)from->at) ? 0 : bytes;
	return bpf_probe_read_user(to, bytes, (void *)from->at) ? 0 : bytes;
}

static __always_inline bool is_same_address(const __u8 *a, const __u8 *b)
{
	const __u64 *left = (const __u64 *)a, *right = (const __u64 *)b;
	__u64 difference = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < ADDRESS_BYTES / 8; i++) {
		difference |= left[i] ^ right[i];
		barrier_var(difference); /* else the compiler branches on each word, and the verifier follows each branch */
	}
	return !difference;
}

/* Overlays a sockaddr argument on the socket's addresses: the remote end, or the local one of a failed bind. Keeps the
 * socket's family if there is a socket. Returns false for an address of another family. */
static __always_inline bool overlay_address(struct ringside_socket *to, const __u8 *from, __u32 bytes, bool is_local)
{
	const struct sockaddr_fields *address = (const struct sockaddr_fields *)from;
	__u8 *destination = is_local ? to->local_address : to->remote_address;
	__u32 port = bpf_ntohs(address->port);

	if (address->family == AF_INET && bytes >= 8) {
		__u32 ipv4;

		__builtin_memcpy(&ipv4, address->ipv4, sizeof(ipv4));
		if (to->family == AF_INET6)
			map_to_ipv6(destination, ipv4);
		else if (!to->family || to->family == AF_INET)
			__builtin_memcpy(destination, &ipv4, sizeof(ipv4));
		else
			return false;
	} else if (address->family == AF_INET6 && bytes >= 24) {
		if (to->family && to->family != AF_INET6)
			return false;
		__builtin_memcpy(destination, address->ipv6, sizeof(address->ipv6));
	} else if (address->family == AF_VSOCK && bytes >= 12) {
		if (to->family && to->family != AF_VSOCK)
			return false;
		__builtin_memcpy(&port, address->ipv4, sizeof(port));
		__builtin_memcpy(destination, address->ipv6, sizeof(__u32));
	} else {
		return false;
	}
	if (!to->family)
		to->family = address->family;
	if (is_local)
		to->local_port = port;
	else
		to->remote_port = port;
	return true;
}

/* A sun_path as text: an abstract name begins with NUL, written as '@', and may contain further NULs; any other ends at
 * its first NUL. `walk` is scratch memory. */
static __always_inline struct text read_unix_path(__u32 index, const char *from, __u32 bytes)
{
	struct path_walk *walk = own_walk(index);
	struct text text = { .is_whole = true };
	long copied;

	if (!walk || !bytes)
		return text;
	if (bytes > UNIX_PATH_MAX)
		bytes = UNIX_PATH_MAX;
	barrier_var(bytes); /* clang 14 removes the limit that the verifier needs */
	bytes &= 127;
	if (bpf_probe_read_kernel(walk->text, bytes, from))
		return text;
	text.at = walk->text;
	text.bytes = bytes;
	if (walk->text[0] == 0) {
		walk->text[0] = '@';
		return text;
	}
	copied = bpf_probe_read_kernel_str(walk->text, bytes + 1, from);
	text.bytes = copied > 0 ? copied - 1 : 0;
	return text;
}

#endif
