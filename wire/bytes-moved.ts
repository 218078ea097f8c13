// Calls whose non-negative result is a number of bytes. The BPF programs sum the same results for counted calls.

export const movesBytes: ReadonlySet<string> = new Set([
  ...['read', 'readv', 'pread64', 'preadv', 'preadv2', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'],
  ...['send', 'sendto', 'sendmsg', 'recv', 'recvfrom', 'recvmsg', 'sendfile', 'sendfile64', 'copy_file_range'],
  ...['splice', 'tee', 'vmsplice', 'process_vm_readv', 'process_vm_writev']
])

/** Bytes that a call moved; null for a failed call and for a call that moves none. */
export const bytesMoved = (call: string, ret: number): number | null => (ret >= 0 && movesBytes.has(call) ? ret : null)
