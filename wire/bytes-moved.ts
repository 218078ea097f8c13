// The calls whose result, when above 0, is a number of bytes that they moved: the kernel's programs sum it for
// counted calls as readers do for events.

export const movesBytes: ReadonlySet<string> = new Set([
  ...['read', 'readv', 'pread64', 'preadv', 'preadv2', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'],
  ...['send', 'sendto', 'sendmsg', 'recv', 'recvfrom', 'recvmsg', 'sendfile', 'sendfile64', 'copy_file_range'],
  ...['splice', 'tee', 'vmsplice', 'process_vm_readv', 'process_vm_writev']
])

/** Bytes that a call moved, by its name; null for one that moves none, or failed. */
export const bytesMoved = (call: string, ret: number): number | null => (ret >= 0 && movesBytes.has(call) ? ret : null)
