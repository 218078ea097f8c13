// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Observes system calls, processes and connects; writes records of event.h to three rings, and counts to groups. Needs
 * Linux 5.15 with BTF, the oldest kernel tested (5.10 has no task storage for tracing). Programs attach to tp_btf only,
 * which every kernel with BTF has. */
#include "kernel_types.h"

#include <bpf_helpers.h>

#include <bpf_core_read.h>
#include <bpf_endian.h>
#include <bpf_tracing.h>

#include "event.h"

#include "arch.h"
#include "maps.h"

#include "log_linear.h"

#include "calls.h"
#include "filter.h"
#include "path.h"
#include "cgroup.h"
#include "stack.h"
#include "bound.h"
#include "record.h"
#include "groups.h"
#include "counts.h"
#include "socket.h"

#include "connects.h"
#include "restarts.h"
#include "exits.h"
#include "tracee.h"
#include "messages.h"
#include "socket_exits.h"
#include "call_records.h"
#include "syscalls.h"

#include "process.h"
#include "uring_request.h"
#include "uring_outcome.h"
#include "uring.h"

/* BTF has only types that something uses: bpf/event.ts is generated from these. */
struct contract {
	enum ringside_limit limit;
	enum ringside_abi abi;
	enum ringside_kind kind;
	enum ringside_class event_class;
	enum ringside_lane lane;
	enum ringside_call call;
	enum ringside_call_entry call_entry;
	enum ringside_mode mode;
	enum ringside_flag flag;
	enum ringside_record record;
	enum ringside_measure measure;
	struct ringside_summary summary;
};
const struct contract *const contract __attribute__((unused)) = 0;

/* the helpers that read memory and task storage are for GPL-compatible programs only */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
